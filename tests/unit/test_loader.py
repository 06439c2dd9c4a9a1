"""The loader: what a file may hold, and for everything else the file, the line, the path, what is wrong, what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import an_item

from catalog.item import CatalogItem
from catalog.loader import MAX_BYTES, Catalog, CatalogError, load, read
from catalog.model import digest
from catalog.source import Finding, parse

WIKI = """\
id: wiki-editor
version: 1.0.0
name: Wiki editor
description: Edit the company wiki.
category: Office
owner: ada
form:
  - id: why
    type: text
    label: Why
    max_length: 200
  - id: start
    type: date
    label: Start
    earliest: 2025-01-01
  - id: device
    type: choice
    label: Device
    choices: [laptop, phone]
approvals:
  - id: manager
    name: Line manager
    approvers:
      - rule: manager
      - rule: group
        group: editors-in-chief
    quorum: any
    decide_within: 10 days
workflow: AccessRequest
entitlement:
  group: wiki-editors
sla:
  target: 5 days
"""


def catalog_of(directory: Path, **files: str | bytes) -> Catalog:
    """Load a directory that holds these files."""
    for name, text in files.items():
        (directory / f"{name}.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return load([directory])


def problems_of(directory: Path, **files: str | bytes) -> list[Finding]:
    with pytest.raises(CatalogError) as caught:
        catalog_of(directory, **files)
    assert str(caught.value) == "\n".join(str(problem) for problem in caught.value.problems)
    return list(caught.value.problems)


def problem_of(directory: Path, text: str | bytes) -> Finding:
    """Return the one problem of a file."""
    problems = problems_of(directory, wiki=text)
    assert len(problems) == 1, problems
    assert problems[0].file == str(directory / "wiki.yaml")
    assert problems[0].remedy.endswith((".", "?"))
    return problems[0]


class TestCatalog:
    """What is read when nothing is wrong."""

    def test_an_item_is_found_by_its_id(self, tmp_path: Path) -> None:
        catalog = catalog_of(tmp_path, wiki=WIKI)
        item = catalog.get("wiki-editor")
        assert item is not None
        assert item.entitlement is not None
        assert item.entitlement.group == "wiki-editors"
        assert catalog.get("nowhere") is None
        assert catalog.digest_of("wiki-editor") == digest(item)

    def test_items_come_in_the_order_of_their_names(self, tmp_path: Path) -> None:
        files = {
            name: WIKI.replace("wiki-editor", name).replace("Wiki editor", title)
            for name, title in (("a", "zebra"), ("b", "Apple"), ("c", "banana"))
        }
        catalog = catalog_of(tmp_path, **files)
        assert [item.name for item in catalog] == ["Apple", "banana", "zebra"]
        assert len(catalog) == 3

    def test_several_directories_make_one_catalog_and_other_files_are_left_alone(self, tmp_path: Path) -> None:
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "item.yaml").write_text(WIKI.replace("wiki-editor", name))
            (tmp_path / name / "README.md").write_text("id: [")
        assert {item.id for item in load([tmp_path / "one", tmp_path / "two"])} == {"one", "two"}

    def test_there_is_no_digest_of_what_is_not_there(self) -> None:
        with pytest.raises(KeyError):
            Catalog([]).digest_of("wiki-editor")

    def test_a_byte_order_mark_and_windows_line_ends_are_no_matter(self, tmp_path: Path) -> None:
        plain = catalog_of(tmp_path, wiki=WIKI).digest_of("wiki-editor")
        assert (
            catalog_of(tmp_path, wiki=b"\xef\xbb\xbf" + WIKI.replace("\n", "\r\n").encode()).digest_of("wiki-editor")
            == plain
        )


class TestDigest:
    """A digest is of what an item says, not of how its file is written."""

    def test_it_is_the_same_when_defaults_are_written_out(self, tmp_path: Path) -> None:
        item = catalog_of(tmp_path, wiki=WIKI).get("wiki-editor")
        assert item is not None
        spelled_out = item.model_dump_json(exclude_none=True)  # JSON is YAML, and no default is left out
        assert "multiline" in spelled_out
        assert catalog_of(tmp_path, wiki=spelled_out).digest_of("wiki-editor") == digest(item)

    def test_it_is_the_same_in_another_order_and_other_words_for_the_same_time(self, tmp_path: Path) -> None:
        plain = catalog_of(tmp_path, wiki=WIKI).digest_of("wiki-editor")
        head, _, rest = WIKI.partition("version: 1.0.0\n")
        other = f"# a comment\n{rest}{head}version: '1.0.0'\n".replace("10 days", "P10D").replace("5 days", "120 h")
        assert catalog_of(tmp_path, wiki=other).digest_of("wiki-editor") == plain

    @pytest.mark.parametrize(
        ("old", "new"), [("1.0.0", "1.0.1"), ("quorum: any", "quorum: all"), ("200", "201"), ("5 days", "6 days")]
    )
    def test_it_changes_with_what_the_item_says(self, tmp_path: Path, old: str, new: str) -> None:
        plain = catalog_of(tmp_path, wiki=WIKI).digest_of("wiki-editor")
        assert catalog_of(tmp_path, wiki=WIKI.replace(old, new)).digest_of("wiki-editor") != plain


class TestWrongValues:
    """What the item's model refuses."""

    @pytest.mark.parametrize(
        "case",
        [
            ("approvals:", "aprovals:", 20, "aprovals", "no such field", "Did you mean 'approvals'?"),
            ("owner: ada", "owner: ada\nzzz: 1", 7, "zzz", "no such field", "Write one of: id, version, name"),
            ("    max_length:", "    max_lenght:", 11, "form[0].max_lenght", "no such field", "'max_length'"),
            ("      - rule: manager", "      - rule: manager\n        text: x", 25, "approvals[0].approvers[0].text",
             "no such field", "Write one of: rule, levels, weight."),
            ("owner: ada\n", "", 1, "owner", "is missing", "Add 'owner: …'."),
            ("        group: editors-in-chief\n", "", 25, "approvals[0].approvers[1].group", "is missing", "'group"),
            ("  group: wiki-editors", "  {}", 30, "entitlement.group", "is missing", "'group: …'"),
            ("    type: text\n", "", 8, "form[0].type", "is missing", "one of: asset, attachment"),
            ("type: text", "type: txet", 9, "form[0].type", "'txet' is not known", "Did you mean 'text'?"),
            ("type: text", "type: colour", 9, "form[0].type", "'colour' is not known", "one of: asset, attachment"),
            ("rule: manager", "rule: boss", 24, "approvals[0].approvers[0].rule", "'boss' is not known",
             "one of: ci_owner, expression, group, item_owner"),
            ("quorum: any", "quorum: most", 27, "approvals[0].quorum", "'most' is no quorum", "number of people"),
            ("5 days", "5 dayz", 33, "sla.target", "'5 dayz' is not a duration", "Did you mean '5 days'?"),
            ("5 days", "5", 33, "sla.target", "'5' has no unit", "Write it like '5 days' or '5 hours'"),
            ("5 days", "9999999999 weeks", 33, "sla.target", "is not a duration", "Write it like"),
            ("5 days", "999999 weeks", 33, "sla.target", "a hundred years", "Write it like"),
            ("2025-01-01", "2025-02-30", 15, "form[1].earliest", "must be a day, not '2025-02-30'", "YYYY-MM-DD"),
            ("200", "many", 11, "form[0].max_length", "must be a whole number, not 'many'", "such as 10"),
            ("200", "0", 11, "form[0].max_length", "the number 0 is too small", "1 or more"),
            ("200", "4001", 11, "form[0].max_length", "the number 4001 is too large", "4000 or less"),
            ("200", "1.5", 11, "form[0].max_length", "not the number 1.5", "such as 10"),
            ("200", "9" * 5000, 11, "form[0].max_length", "must be a whole number, not '999", "such as 10"),
            ("200", "0x1F", 11, "form[0].max_length", "not '0x1F'", "such as 10"),
            ("    label: Why", "    label: W\n    required: 5", 11, "form[0].required", "true, false or",
             "Write it like"),
            ("    label: Why", "    label: W\n    required: a +", 11, "form[0].required", "cannot be",
             "Write it like"),
            ("1.0.0", "1.0", 2, "version", "must be text, not the number 1.0", "needs quotes"),
            ("1.0.0", "v1", 2, "version", "'v1' is not allowed", "three numbers, for example 1.0.0"),
            ("id: why", "id: Why?", 8, "form[0].id", "'Why?' is not allowed", "Use lower-case letters"),
            ("name: Wiki editor", "name: ''", 3, "name", "is empty", "at least 1"),
            ("name: Wiki editor", f"name: {'x' * 121}", 3, "name", "121 characters are too many", "120 at most"),
            ("name: Wiki editor", "name:", 3, "name", "must be text, not nothing", "Put text there"),
            ("name: Wiki editor", "name: true", 3, "name", "must be text, not true", "needs quotes"),
            ("name: Wiki editor", "name: false", 3, "name", "must be text, not false", "needs quotes"),
            ("owner: ada", "owner: [ada]", 6, "owner", "must be text, not a list", "Put text there"),
            ("owner: ada", "owner: {login: ada}", 6, "owner", "must be text, not a group of fields", "Put text there"),
            ("owner: ada", 'owner: "\\ud800"', 6, "", "invalid Unicode", "quotes"),
            ("owner: ada", 'owner: "a\\x07"', 6, "owner", "holds control characters", "Remove them."),
            ("[laptop, phone]", "[]", 16, "form[2]", "choices come from one place", "Write either"),
            ("[laptop, phone]", "laptop", 19, "form[2].choices", "must be a list, not 'laptop'", "beginning with '- '"),
            ("[laptop, phone]", "[laptop, 5]", 19, "form[2].choices[1]", "must be text, not the number 5", "quotes"),
            ("[laptop, phone]", "[phone, phone]", 16, "form[2]", "two choices are the same", "Give each choice once."),
            ("id: start", "id: why", 12, "form[1].id", "two fields have the id 'why'", "Give each its own."),
            ("- rule: manager", "- boss", 24, "approvals[0].approvers[0]", "a group of fields, not 'boss'", "field"),
            ("sla:\n  target: 5 days", "sla: 5 days", 32, "sla", "a group of fields, not '5 days'", "'field: value'"),
        ],
    )  # fmt: skip
    def test_the_place_the_fault_and_the_remedy_are_named(
        self, tmp_path: Path, case: tuple[str, str, int, str, str, str]
    ) -> None:
        old, new, line, path, message, remedy = case
        assert old in WIKI
        problem = problem_of(tmp_path, WIKI.replace(old, new, 1))
        assert (problem.line, problem.path) == (line, path)
        assert message in problem.message
        assert remedy in problem.remedy
        where = f"{tmp_path / 'wiki.yaml'}:{line}:{problem.column}: "
        assert str(problem) == f"{where}{f'{path}: ' if path else ''}{problem.message}. {problem.remedy}"

    def test_how_many_stages_there_may_be_is_said(self, tmp_path: Path) -> None:
        stage = WIKI[WIKI.index("  - id: manager") : WIKI.index("workflow:")]
        many = "".join(stage.replace("id: manager", f"id: manager-{n}") for n in range(31))
        problem = problem_of(tmp_path, WIKI.replace(stage, many))
        assert (problem.line, problem.path, problem.rule) == (20, "approvals", "wrong-value")
        assert (problem.message, problem.remedy) == ("31 entries are too many", "Write 30 at most.")
        thirty = many[: many.index("  - id: manager-30")]
        assert catalog_of(tmp_path, wiki=WIKI.replace(stage, thirty)).get("wiki-editor")

    @pytest.mark.parametrize(("levels", "there"), [("low", "1 entry is"), ("a, b, c, d, e, f", "6 entries are")])
    def test_how_many_levels_there_may_be_is_said(self, tmp_path: Path, levels: str, there: str) -> None:
        matrix = f"{{impact: [{levels}], urgency: [low, high], priorities: {{}}}}"
        problem = problem_of(tmp_path, f"{WIKI}priority: {{impact: low, urgency: low, matrix: {matrix}}}\n")
        assert (problem.line, problem.path) == (34, "priority.matrix.impact")
        assert problem.message == f"{there} too {'few' if levels == 'low' else 'many'}"
        assert problem.remedy == ("Write 2 at least." if levels == "low" else "Write 5 at most.")

    def test_stages_before_are_written_out_or_left_out_though_what_is_stored_may_hold_none(
        self, tmp_path: Path
    ) -> None:
        problem = problem_of(tmp_path, WIKI.replace("    quorum: any", "    after:"))
        assert (problem.line, problem.path, problem.message) == (27, "approvals[0].after", "nothing stands here")
        assert problem.remedy == "Write [] to let the stage begin at once, or remove 'after'."
        item = catalog_of(tmp_path, wiki=WIKI).get("wiki-editor")
        assert item is not None
        assert item.approvals[0].after is None
        assert CatalogItem.model_validate(item.model_dump(mode="json")) == item

    def test_all_faults_of_all_files_are_told_at_once(self, tmp_path: Path) -> None:
        problems = problems_of(
            tmp_path,
            a=WIKI.replace("type: text", "type: txt").replace("5 days", "soon"),
            b="id: [",
            c=WIKI.replace("rule: manager", "rule: boss").replace("rule: group", "rule: grp"),
        )
        found = [(Path(p.file).name, p.line) for p in problems]
        assert found == [("a.yaml", 9), ("a.yaml", 33), ("b.yaml", 2), ("c.yaml", 24), ("c.yaml", 25)]

    def test_no_word_of_the_library_shows(self, tmp_path: Path) -> None:
        broken = WIKI.replace("200", "x").replace("any", "x").replace("5 days", "x").replace("[laptop, phone]", "x")
        text = "\n".join(str(problem) for problem in problems_of(tmp_path, wiki=broken))
        for word in ("pydantic", "http", "Input", "Value error", "tuple", "literal"):
            assert word not in text


class TestFilesThatAreNoItem:
    """What cannot be read in the first place."""

    @pytest.mark.parametrize(
        ("text", "line", "path", "message"),
        [
            ("id: x\nname: a: b\n", 2, "", "this is not YAML: mapping values are not allowed in this context"),
            ("id: x\nform: [a,\n", 3, "", "this is not YAML: "),
            ("id: *x\n", 1, "id", "an alias (*) stands here"),
            ("id: x\n---\nid: y\n", 2, "", "another document begins here"),
            ("id: x\nname: a\x07\n", 2, "", "this is not YAML: a control character"),
            ("[" * 200_000, 1, "", "lists or fields are nested too deeply"),
            ('id: "\\UFFFFFFFF"\n', 1, "", "this is not YAML: found invalid Unicode"),
            ("id: x\nname: y\nid: z\n", 3, "id", "the field stands here a second time"),
            (
                "id: x\nsla:\n  target: 1 day\n  target: 2 days\n",
                4,
                "sla.target",
                "the field stands here a second time",
            ),
            ("id: &x a\nname: *x\n", 2, "name", "an alias (*) stands here"),
            ("id: x\nform: &f\n  - *f\n", 3, "form[0]", "an alias (*) stands here"),
            ("id: !secret x\n", 1, "id", "the tag !secret stands here"),
            ('id: x\n"a\\x07": c\n', 2, "", "the name of a field must be text"),
            ("id: x\n? [a, b]\n: c\n", 2, "", "the name of a field must be text"),
            ("", 1, "", "the file is empty"),
            ("# nothing yet\n", 1, "", "the file is empty"),
            ("- id: x\n", 1, "", "the file must hold fields with values, not a list"),
            ("just text\n", 1, "", "the file must hold fields with values, not 'just text'"),
            ("~\n", 1, "", "the file must hold fields with values, not nothing"),
            (b"id: x\nname: \xff\n", 2, "", "the file is not UTF-8"),
            (WIKI + "#" * MAX_BYTES, 1, "", "the file is larger than 256 KiB"),
        ],
    )
    def test_the_fault_is_named(
        self, tmp_path: Path, text: str | bytes, line: int | None, path: str, message: str
    ) -> None:
        problem = problem_of(tmp_path, text)
        assert (problem.line, problem.path) == (line, path)
        assert problem.message.startswith(message)

    def test_a_file_of_the_largest_size_is_read(self, tmp_path: Path) -> None:
        assert len(catalog_of(tmp_path, wiki=WIKI + "#" * (MAX_BYTES - len(WIKI)))) == 1

    def test_a_directory_or_a_dangling_link_is_no_file(self, tmp_path: Path) -> None:
        (tmp_path / "folder.yaml").mkdir()
        os.symlink(tmp_path / "nowhere", tmp_path / "link.yaml")  # noqa: PTH211  the order of pathlib's arguments misleads
        problems = problems_of(tmp_path, wiki=WIKI)
        remedy = "Check that it is a file and may be read."
        assert [str(problem) for problem in problems] == [
            f"{tmp_path}/folder.yaml: the file cannot be read: Is a directory. {remedy}",
            f"{tmp_path}/link.yaml: the file cannot be read: No such file or directory. {remedy}",
        ]

    def test_the_same_id_twice_names_both_files(self, tmp_path: Path) -> None:
        (problem,) = problems_of(tmp_path, a=WIKI, b=f"# copied\n{WIKI}")
        assert (problem.file, problem.line, problem.path) == (f"{tmp_path}/b.yaml", 2, "id")
        assert problem.message == f"the id 'wiki-editor' is taken by {tmp_path}/a.yaml"
        assert problem.remedy == "Give one of the two items another id."

    def test_an_empty_or_missing_directory_is_an_error(self, tmp_path: Path) -> None:
        empty, missing = tmp_path / "empty", tmp_path / "missing"
        empty.mkdir()
        with pytest.raises(CatalogError) as caught:
            load([empty, missing])
        assert [str(problem) for problem in caught.value.problems] == [
            f"{empty}: the directory holds no item. Put a file ending in .yaml into it, one for each item.",
            f"{missing}: there is no such directory. Create it or correct its name.",
        ]


POLICY = """\
id: four-eyes
name: Four eyes
stages:
  - id: owner
    name: Owner of the item
    approvers:
      - rule: item_owner
"""
WITH_POLICY = WIKI[: WIKI.index("approvals:")] + "approval_policy: four-eyes\n" + WIKI[WIKI.index("workflow:") :]


class TestOneByOne:
    """What is wrong with one file takes no other away."""

    def test_a_broken_file_leaves_the_others_and_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "a.yaml").write_text(WIKI)
        (tmp_path / "b.yaml").write_text("id: [")
        (tmp_path / "c.yaml").write_text(WIKI.replace("wiki-editor", "other").replace("type: text", "type: txt"))
        reading = read([tmp_path, tmp_path / "nowhere"])
        assert set(reading.items) == {"wiki-editor"}
        assert reading.items["wiki-editor"].file == str(tmp_path / "a.yaml")
        assert [Path(file).name for file in reading.files] == ["a.yaml", "b.yaml", "c.yaml"]
        assert [(Path(one.file).name, one.line, one.column, one.rule) for one in reading.problems] == [
            ("nowhere", None, None, "no-directory"),
            ("b.yaml", 2, 1, "yaml-syntax"),
            ("c.yaml", 9, 5, "unknown-value"),
        ]

    def test_every_part_of_an_item_knows_its_line_and_column(self, tmp_path: Path) -> None:
        (tmp_path / "a.yaml").write_text(WIKI)
        positions = read([tmp_path]).items["wiki-editor"].positions
        assert positions["form", 2, "choices", 1] == (19, 23)
        assert positions["approvals", 0, "approvers", 1, "group"] == (26, 9)

    def test_an_id_that_is_taken_in_another_directory_is_refused_and_both_files_are_named(self, tmp_path: Path) -> None:
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "wiki.yaml").write_text(WIKI)
        reading = read([tmp_path / "one", tmp_path / "two"])
        (problem,) = reading.problems
        assert (problem.rule, problem.file) == ("duplicate-id", f"{tmp_path}/two/wiki.yaml")
        assert f"{tmp_path}/one/wiki.yaml" in problem.message
        assert reading.items["wiki-editor"].file == f"{tmp_path}/one/wiki.yaml"

    def test_scenarios_are_no_items(self, tmp_path: Path) -> None:
        (tmp_path / "wiki.yaml").write_text(WIKI)
        (tmp_path / "wiki.scenario.yaml").write_text("steps: [")
        (tmp_path / "scenarios").mkdir()
        (tmp_path / "scenarios" / "happy.yaml").write_text("steps: [")
        assert read([tmp_path]).problems == ()

    def test_a_file_of_ten_megabytes_is_one_problem(self, tmp_path: Path) -> None:
        (tmp_path / "a.yaml").write_text(WIKI)
        (tmp_path / "big.yaml").write_text("a: b\n" * 2_000_000)
        reading = read([tmp_path])
        assert [problem.rule for problem in reading.problems] == ["file-too-large"]
        assert set(reading.items) == {"wiki-editor"}

    def test_aliases_that_would_explode_are_one_problem(self, tmp_path: Path) -> None:
        bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
        assert problem_of(tmp_path, bomb).rule == "yaml-alias"


class TestPolicies:
    """Approval stages that items share by name."""

    @pytest.mark.parametrize(("items", "policies"), [("shop", "shop/policies"), ("items", "policies")])
    def test_they_stand_below_the_items_or_beside_them(self, tmp_path: Path, items: str, policies: str) -> None:
        for folder in (items, policies):
            (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / items / "wiki.yaml").write_text(WITH_POLICY)
        (tmp_path / policies / "four-eyes.yaml").write_text(POLICY)
        reading = read([tmp_path / items])
        assert reading.problems == ()
        item = reading.items["wiki-editor"].value
        assert item.approval_policy == "four-eyes"
        assert item.approvals == reading.policies["four-eyes"].value.stages
        assert reading.items["wiki-editor"].policy == reading.policies["four-eyes"]

    def policies_of(self, directory: Path, item: str, *policies: str) -> list[str]:
        (directory / "wiki.yaml").write_text(item)
        (directory / "policies").mkdir()
        for at, policy in enumerate(policies):
            (directory / "policies" / f"{at}.yaml").write_text(policy)
        return [f"{problem.rule} {problem.line}" for problem in read([directory]).problems]

    def test_a_changed_policy_changes_the_digest_of_its_items(self, tmp_path: Path) -> None:
        assert self.policies_of(tmp_path, WITH_POLICY, POLICY) == []
        before = load([tmp_path]).digest_of("wiki-editor")
        (tmp_path / "policies" / "0.yaml").write_text(POLICY.replace("item_owner", "manager"))
        assert load([tmp_path]).digest_of("wiki-editor") != before

    def test_one_that_does_not_exist_is_refused_at_the_item(self, tmp_path: Path) -> None:
        assert self.policies_of(tmp_path, WITH_POLICY, POLICY.replace("four", "two")) == ["unknown-policy 20"]

    def test_a_broken_one_is_refused_itself_and_at_its_items(self, tmp_path: Path) -> None:
        broken = POLICY.replace("item_owner", "owners")
        assert self.policies_of(tmp_path, WITH_POLICY, broken) == ["unknown-value 7", "unknown-policy 20"]

    def test_it_is_the_policy_or_approvals_of_its_own(self, tmp_path: Path) -> None:
        item = WIKI.replace("workflow:", "approval_policy: four-eyes\nworkflow:")
        assert self.policies_of(tmp_path, item, POLICY) == ["two-policies 29"]

    def test_two_of_one_id_and_two_stages_of_one_id_are_refused(self, tmp_path: Path) -> None:
        twice = POLICY.replace("four", "six") + POLICY[POLICY.index("  - id") :]
        assert self.policies_of(tmp_path, WITH_POLICY, POLICY, POLICY, twice) == ["duplicate-id 1", "wrong-value 8"]


class TestScalars:
    """Scalars mean what the core schema of YAML 1.2 says."""

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            *((word, word) for word in ("yes", "no", "on", "off", "y", "2025-01-01", "12:30", "0x1F", ".nan", ".inf")),
            *((word, word) for word in ("1e999", "1_", "tRue")),
            ("'5'", "5"), ("'true'", "true"), ("''", ""), ('"~"', "~"), ("|-\n  5", "5"),
            ("true", True), ("False", False), ("TRUE", True), ("null", None), ("~", None), ("", None), ("Null", None),
            ("5", 5), ("-5", -5), ("+5", 5), ("007", 7), ("1_000", 1000),
            ("0.5", 0.5), (".5", 0.5), ("5.", 5.0), ("-1.5e3", -1500.0), ("1e3", 1000.0),
        ],
    )  # fmt: skip
    def test_plain_and_quoted(self, text: str, value: object) -> None:
        source = parse(f"a: {text}\n")
        assert source.faults == []
        assert source.data == {"a": value}
        assert type(source.data["a"]) is type(value)


fragments = st.sampled_from(
    [
        *("&a ", "*a", "!!int ", "!x ", "<<: ", "? ", "|", ": ", "- ", "#", "...", "%YAML 1.1\n---\n"),
        *("\\", '"', "'", "{", "}", "[", "]", "\n", "\t", "\r", "\x85", '"\\ud800"'),
        *("0x1F", "1e999", ".nan", "2026-02-30", "null", "~", "true"),
    ]
)


@given(st.lists(st.tuples(st.integers(0, len(WIKI)), st.integers(0, 9), fragments), min_size=1, max_size=3))
def test_however_a_file_is_broken_it_is_read_or_its_faults_are_told(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[tuple[int, int, str]]
) -> None:
    text = WIKI
    for at, length, fragment in cuts:
        text = text[:at] + fragment + text[at + length :]
    directory = tmp_path_factory.mktemp("catalog")
    items, problems = 0, list[Finding]()
    try:
        items = len(catalog_of(directory, wiki=text))
    except CatalogError as error:
        problems += error.problems
    assert items or problems
    assert all(problem.message.strip() and problem.remedy.strip(" .") for problem in problems)


def test_a_file_with_another_extension_is_told_of_and_keeps_nothing_from_being_read(tmp_path: Path) -> None:
    (tmp_path / "wiki.yaml").write_text(WIKI)
    (tmp_path / "other.yml").write_text(WIKI)
    reading = read([tmp_path])
    assert (len(reading.items), reading.problems) == (1, ())
    (found,) = reading.ignored
    assert (Path(found.file).name, found.rule, found.severity) == ("other.yml", "wrong-extension", "warning")
    assert (found.line, found.column) == (1, 1)


def test_a_catalog_can_be_made_of_items_directly() -> None:
    assert Catalog([an_item()]).get("wiki-editor") == an_item()
