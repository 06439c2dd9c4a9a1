"""What lint says of a mistake helps to mend it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from support.linting import (
    SANE,
    lint_of,
)

from catalog import data
from catalog.lint import samples
from catalog.registry import Known


def line_of(text: str, words: str) -> int:
    return next(at for at, line in enumerate(text.split("\n"), 1) if words in line)


class TestRemedies:
    """What is said of a mistake helps to mend it."""

    def remedy(self, directory: Path, old: str, new: str) -> str:
        (found,) = lint_of(directory, SANE.replace(old, new, 1))
        assert found.line == line_of(SANE.replace(old, new, 1), new.strip().splitlines()[-1])
        return found.remedy

    def test_the_nearest_name_is_offered(self, tmp_path: Path) -> None:
        assert self.remedy(tmp_path, "required: false", "required: form.knid == 'team'") == "Did you mean 'kind'?"

    def test_brackets_are_shown_for_names_with_a_hyphen(self, tmp_path: Path) -> None:
        text = SANE.replace("- id: kind", "- id: kind-of").replace("required: false", "required: form.kind == 'x'")
        (found,) = [one for one in lint_of(tmp_path, text) if "form.kind" in one.message]
        assert found.remedy == "A name with '-' is written in brackets: form['kind-of']."

    def test_what_has_no_parts_is_said_to_have_none(self, tmp_path: Path) -> None:
        remedy = self.remedy(tmp_path, "required: false", "required: form.kind.of == 'team'")
        assert remedy == "form.kind has no parts; use it as it is."

    def test_outside_evidence_the_answers_of_the_order_are_those_of_the_form(self, tmp_path: Path) -> None:
        remedy = self.remedy(tmp_path, 'name: "{{ form.name }}"', 'name: "{{ order.name }}"')
        assert remedy == "Outside the evidence of a task, write form.name."

    def test_only_what_was_not_answered_has_to_be_asked_for_first(self, tmp_path: Path) -> None:
        named = 'name: "{{ form.name }}"'
        assert "Ask first" in self.remedy(tmp_path, named, 'name: "{{ form.seats + 1 }}"')
        assert self.remedy(tmp_path, named, """name: "{{ 'a' * 1000000000 }}\"""") == "Correct the expression."

    def test_a_retired_item_without_successor_names_none(self, tmp_path: Path) -> None:
        old = SANE.replace("id: team-mailbox", "id: old").replace(
            "category: Office", "category: Office\nlifecycle: retired"
        )
        (tmp_path / "old.yaml").write_text(old)
        new = SANE.replace(
            "  - id: access", "  - id: more\n    do: request\n    item: old\n    wait: false\n  - id: access"
        )
        found = lint_of(tmp_path, new)
        assert [(one.rule, one.remedy) for one in found if one.rule == "retired-item"] == [
            ("retired-item", "Use another item.")
        ]

    def test_an_item_whose_file_is_broken_is_told_of_once(self, tmp_path: Path) -> None:
        (tmp_path / "badge.yaml").write_text("id: [")
        (tmp_path / "other.yaml").write_text(SANE.replace("id: team-mailbox", "id: chair").replace("owner: ada\n", ""))
        steps = "".join(
            f"  - id: {name}\n    do: request\n    item: {name}\n    wait: false\n" for name in ("badge", "chair")
        )
        found = lint_of(tmp_path, SANE.replace("  - id: access", f"{steps}  - id: access"))
        assert [(Path(one.file).name, one.rule) for one in found] == [
            ("badge.yaml", "yaml-syntax"),
            ("other.yaml", "missing-key"),
        ]

    def test_without_anything_registered_nothing_can_be_suggested(self, tmp_path: Path) -> None:
        (found,) = lint_of(tmp_path, SANE, known=Known())
        assert (found.rule, found.remedy) == ("unknown-action", "Remove it: there is none here.")

    def test_a_group_that_is_like_no_other_may_be_added_to_the_company(self, tmp_path: Path) -> None:
        remedy = self.remedy(tmp_path, "group: mailbox-users", "group: crew")
        assert remedy == "Correct its name, or add the group to the company."

    def test_a_question_that_may_stay_open_names_nobody(self, tmp_path: Path) -> None:
        text = SANE.replace("mailbox-users", "'{{ form.seats and form.name }}'")
        (found,) = lint_of(tmp_path, text)
        what = "the name of a group, role or configuration item"
        assert found.message == f"with some answers this gives nothing instead of {what}"
        assert found.remedy == "Name a question that must be answered, or ask in 'when' whether it was."

    def test_parameters_belong_to_a_workflow(self, tmp_path: Path) -> None:
        found = lint_of(tmp_path, SANE + "parameters:\n  a: 1\n")
        assert [(one.rule, one.message) for one in found] == [
            ("workflow-parameters", "only a workflow takes parameters")
        ]

    def test_a_price_by_choice_is_tried_for_each_choice(self, tmp_path: Path) -> None:
        price = "price:\n  one_off: \"{{ 5 if form.kind == 'team' else 'much' }}\"\n  currency: EUR\n"
        assert [one.rule for one in lint_of(tmp_path, SANE + price)] == ["wrong-result"]

    def test_a_condition_on_the_form_as_a_whole_is_tried_with_each_way_of_answering_it(self, tmp_path: Path) -> None:
        condition = """'"kind": "team"' in form | json"""
        code = f"  - id: code\n    type: text\n    label: Code\n    visible: >-\n      {condition}\n"
        text = SANE.replace("approvals:", code + "approvals:").replace("mailbox-users", "'{{ form.code ~ form.name }}'")
        assert lint_of(tmp_path, text) == []
        text = text.replace("form.code ~ form.name", "form.code + form.name")
        assert [one.rule for one in lint_of(tmp_path, text)] == ["failing-expression"]

    def test_conditions_of_a_long_form_are_not_tried_again_for_the_same_answers(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        count, tried = 100, list[str]()

        def holds(when: bool | str, names: Mapping[str, object]) -> bool:
            tried.append(str(when))
            return data.holds(when, names)

        monkeypatch.setattr(samples, "holds", holds)
        fields = "".join(
            f"  - {{id: f{n}, type: yes_no, label: Field {n}, visible: form.f{n - 1}}}\n" for n in range(1, count)
        )
        fields = "  - {id: f0, type: yes_no, label: Field 0}\n" + fields
        assert lint_of(tmp_path, SANE.replace("approvals:", fields + "approvals:")) == []
        assert count <= len(tried) <= 4 * count, "a question has two answers, or is not asked"

    def test_people_are_named_by_login(self, tmp_path: Path) -> None:
        text = SANE.replace("- rule: manager", "- rule: person\n        person: '{{ form.seats or 1 }}'")
        assert [one.rule for one in lint_of(tmp_path, text)] == ["wrong-result"]
