"""The loader: what a file may hold, and for everything else the file, the line, the path, what is wrong, what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import an_item

from catalog.loader import MAX_BYTES, Catalog, CatalogError, Problem, load
from catalog.model import digest

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


def problems_of(directory: Path, **files: str | bytes) -> list[Problem]:
    with pytest.raises(CatalogError) as caught:
        catalog_of(directory, **files)
    assert str(caught.value) == "\n".join(str(problem) for problem in caught.value.problems)
    return list(caught.value.problems)


def problem_of(directory: Path, text: str | bytes) -> Problem:
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
        spelled_out = item.model_dump_json()  # JSON is YAML, and nothing is left out
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
             "no such field", "Write one of: rule."),
            ("owner: ada\n", "", 1, "owner", "is missing", "Add 'owner: …'."),
            ("        group: editors-in-chief\n", "", 25, "approvals[0].approvers[1].group", "is missing", "'group"),
            ("  group: wiki-editors", "  {}", 30, "entitlement.group", "is missing", "'group: …'"),
            ("    type: text\n", "", 8, "form[0].type", "is missing", "one of: choice, date"),
            ("type: text", "type: txet", 9, "form[0].type", "'txet' is not known", "Did you mean 'text'?"),
            ("type: text", "type: colour", 9, "form[0].type", "'colour' is not known", "one of: choice, date"),
            ("rule: manager", "rule: boss", 24, "approvals[0].approvers[0].rule", "'boss' is not known",
             "one of: group, manager, owner"),
            ("quorum: any", "quorum: most", 27, "approvals[0].quorum", "'most' is not known", "one of: any, all"),
            ("AccessRequest", "AccesRequest", 29, "workflow", "is not known", "Did you mean 'AccessRequest'?"),
            ("5 days", "5 dayz", 33, "sla.target", "'5 dayz' is not a duration", "Write it like '10 days'"),
            ("5 days", "5", 33, "sla.target", "'5' is not a duration", "Write it like '10 days'"),
            ("5 days", "9999999999 weeks", 33, "sla.target", "is not a duration", "Write it like"),
            ("5 days", "999999 weeks", 33, "sla.target", "a hundred years", "Write it like"),
            ("2025-01-01", "2025-02-30", 15, "form[1].earliest", "must be a day, not '2025-02-30'", "YYYY-MM-DD"),
            ("200", "many", 11, "form[0].max_length", "must be a whole number, not 'many'", "such as 10"),
            ("200", "0", 11, "form[0].max_length", "the number 0 is too small", "1 or more"),
            ("200", "4001", 11, "form[0].max_length", "the number 4001 is too large", "4000 or less"),
            ("200", "1.5", 11, "form[0].max_length", "not the number 1.5", "such as 10"),
            ("200", "9" * 5000, 11, "form[0].max_length", "must be a whole number, not '999", "such as 10"),
            ("200", "0x1F", 11, "form[0].max_length", "not '0x1F'", "such as 10"),
            ("    label: Why", "    label: W\n    required: maybe", 11, "form[0].required", "true or false", "true"),
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
            ("owner: ada", 'owner: "\\ud800"', 6, "owner", "holds control characters", "Remove them."),
            ("owner: ada", 'owner: "a\\x07"', 6, "owner", "holds control characters", "Remove them."),
            ("[laptop, phone]", "[]", 19, "form[2].choices", "is empty", "at least 1"),
            ("[laptop, phone]", "laptop", 19, "form[2].choices", "must be a list, not 'laptop'", "beginning with '- '"),
            ("[laptop, phone]", "[laptop, 5]", 19, "form[2].choices[1]", "must be text, not the number 5", "quotes"),
            ("[laptop, phone]", "[phone, phone]", 16, "form[2]", "two choices are the same", "Give each choice once."),
            ("id: start", "id: why", 1, "", "2 fields have the id 'why'", "Give each its own."),
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
        where = f"{tmp_path / 'wiki.yaml'}:{line}: "
        assert str(problem) == f"{where}{f'{path}: ' if path else ''}{problem.message}. {problem.remedy}"

    def test_all_faults_of_all_files_are_told_at_once(self, tmp_path: Path) -> None:
        problems = problems_of(
            tmp_path,
            a=WIKI.replace("type: text", "type: txt").replace("5 days", "soon"),
            b="id: [",
            c=WIKI.replace("rule: manager", "rule: boss").replace("rule: group", "rule: grp"),
        )
        found = [(Path(p.file).name, p.line) for p in problems]
        assert found == [("a.yaml", 9), ("a.yaml", 33), ("b.yaml", 1), ("c.yaml", 24), ("c.yaml", 25)]

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
            ("id: x\nname: a: b\n", 2, "", "this is not YAML: mapping values are not allowed here"),
            ("id: x\nform: [a,\n", 3, "", "this is not YAML: "),
            ("id: *x\n", 1, "", "this is not YAML: found undefined alias"),
            ("id: x\n---\nid: y\n", 2, "", "this is not YAML: but found another document"),
            ("id: x\nname: a\x07\n", 2, "", "this is not YAML: a control character"),
            ("[" * 700, None, "", "this is not YAML: lists or fields are nested too deeply"),
            ('id: "\\UFFFFFFFF"\n', None, "", "this is not YAML: something in it is out of range"),
            ("id: x\nname: y\nid: z\n", 3, "id", "the field stands here a second time"),
            (
                "id: x\nsla:\n  target: 1 day\n  target: 2 days\n",
                4,
                "sla.target",
                "the field stands here a second time",
            ),
            ("id: &x a\nname: *x\n", 1, "name", "an alias (*) stands here"),
            ("id: x\nform: &f\n  - *f\n", 2, "form[0]", "an alias (*) stands here"),
            ("id: !secret x\n", 1, "id", "the tag !secret stands here"),
            ('id: x\n"\\ud800": c\n', 2, "", "the name of a field must be text"),
            ("id: x\n? [a, b]\n: c\n", 2, "", "the name of a field must be text"),
            ("", 1, "", "the file is empty"),
            ("# nothing yet\n", 1, "", "the file is empty"),
            ("- id: x\n", 1, "", "the file must hold an item, not a list"),
            ("just text\n", 1, "", "the file must hold an item, not 'just text'"),
            ("~\n", 1, "", "the file must hold an item, not nothing"),
            (b"id: x\nname: \xff\n", 2, "", "the file is not UTF-8"),
            (WIKI + "#" * MAX_BYTES, None, "", "the file is larger than 256 KiB"),
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
    items, problems = 0, list[Problem]()
    try:
        items = len(catalog_of(directory, wiki=text))
    except CatalogError as error:
        problems += error.problems
    assert items or problems
    assert all(problem.message.strip() and problem.remedy.strip(" .") for problem in problems)


def test_a_catalog_can_be_made_of_items_directly() -> None:
    assert Catalog([an_item()]).get("wiki-editor") == an_item()
