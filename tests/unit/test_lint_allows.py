"""What a strict reader of items might take for a mistake and is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.linting import (
    RICH,
    SANE,
    lint_of,
)

from catalog.lint import as_text

FOUND = """\
  - id: find
    do: call
    action: mail.find_mailbox
    input: {name: x}
    when: form.kind == 'team'
"""
"""A step that is left out of some orders."""


class TestWhatIsNoMistake:
    """What a strict reader might take for a mistake and is none."""

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("    required: false", "    required: form.kind == 'team'"),
            ("    required: false", "    required: form.kind == 'team'\n    visible: form.name != 'x'\n    default: 5"),
            ("    required: false", "    default: '{{ 2 + 3 }}'"),
            ("    decide_within: 5 days", "    decide_within: 5 days\n    when: form.seats and form.seats > 5"),
            ("    decide_within: 5 days", "    decide_within: 5 days\n    when: cost.first_year > 100"),
            ("    decide_within: 5 days", "    decide_within: 5 days\n    quorum: all"),
            ("      - rule: manager", "      - rule: owner\n        group: postmasters"),
            ("      - rule: manager", "      - rule: owner"),
            ("      - rule: manager", "      - rule: owner\n    quorum: 3"),
            ("sla:", "entitlement:\n  group: mailbox-users\nsla:"),
            ("sla:", (
                "  - id: desk\n    do: task\n    title: T\n    assign: [{rule: owner}]\n    due: 1 day\n"
                "    irreversible: No.\nentitlement:\n  group: x\nsla:"
            )),
            ("      - rule: manager", "      - rule: person\n        person: ben\n    quorum: 1"),
            ("      - rule: manager", "      - rule: group\n        group: postmasters\n    quorum: 2"),
            ("      - rule: manager", "      - rule: role\n        role: budget-owner-{{ form.kind }}\n    quorum: 2"),
            ("      - rule: manager", (
                "      - rule: item_owner\n      - rule: group\n        group: many-{{ form.kind }}\n    quorum: 9"
            )),
            ("      - rule: manager", "      - rule: expression\n        people: '{{ [\"ben\", \"eve\"] }}'"),
            ('      name: "{{ form.name }}"', (
                "      name: x\n      seats: 5\n      owners: [a, '{{ form.name }}']\n      extra: {a: [1]}"
            )),
            ('      name: "{{ form.name }}"', "      name: x\n      seats:\n      kind: team"),
            ("group: mailbox-users", "group: '{{ results.make.address }}'\n    to: '{{ requester.login }}'"),
            ("group: mailbox-users", "group: '{{ results.make.extra.deep.down }}'"),
            ("group: mailbox-users", "group: x\n    when: not (results.make.skipped | default(false))"),
            ("group: mailbox-users", (
                "group: x\n    undo:\n      do: notify\n      to: [ada@example.org]\n"
                "      subject: Undone\n      text: '{{ result.where }} {{ today }}'"
            )),
            ("category: Office", (
                "category: Office\nprice:\n  one_off: 12.50\n  recurring: '{{ (form.seats or 1) * 2 }}'\n"
                "  currency: EUR"
            )),
            ("category: Office", "category: Office\nprice:\n  cost_centre: '4711'"),
            ("category: Office", (
                "category: Office\nvisibility:\n  - id: staff\n    when: '\"staff\" in requester.groups'\n"
                "    why_not: For staff."
            )),
            ("category: Office", "category: Office\nlifecycle: retired\nsuccessor: laptop"),
            ("category: Office", "category: Office\nlifecycle: draft\nsuccessor: tablet"),
            ("category: Office", "category: Office\ndistinct_by: [name]"),
            ("sla:", (
                "notifications:\n  - on: closed\n    to: [beneficiary, '{{ form.name }}@example.org']\n"
                "    subject: '{{ outcome }}'\n    text: Over.\nsla:"
            )),
        ],
    )  # fmt: skip
    def test_it_is_let_through(self, tmp_path: Path, old: str, new: str) -> None:
        assert old in SANE
        found = lint_of(tmp_path, SANE.replace(old, new, 1))
        assert found == [], as_text(found)

    @pytest.mark.parametrize(
        "terms",
        [
            "remind: {after: 2 working days, every: 1 working day}\n    notice: 4 working hours",
            "escalate: [{to: [{rule: manager, levels: 2}], notice: 4 days, decide_within: 1 day}]\n    notice: 2 hours",
            "escalate: [{to: [{rule: manager}, {rule: item_owner}], how: replace, decide_within: 1 day}]",
            "escalate: [{to: [{rule: owner, group: x}], decide_within: 5 days}]",
            "escalate: [{to: [{rule: item_owner}], decide_within: 9 working days}]",
            "at_deadline: approve\n    when: item.risk == 'low' and form.kind == 'team'",
            "at_deadline: reject\n    when_nobody: reject",
            "fallback: []",
            "fallback: [{rule: role, role: officer}]",
            "calendar: office\n    acts_in: office",
            "acts_in: always",
            "concerns: [name]\n    may_reduce: [seats]",
            "concerns: []",
            "deny: 1",
        ],
    )
    def test_terms_that_can_be_kept_are_let_through(self, tmp_path: Path, terms: str) -> None:
        within = "    decide_within: 5 days\n"
        found = lint_of(tmp_path, SANE.replace(within, f"{within}    {terms}\n", 1))
        assert found == [], as_text(found)

    @pytest.mark.parametrize(
        ("risk", "terms"),
        [
            ("low", "at_deadline: approve\n    when_nobody: approve"),
            ("low", "at_deadline: skip"),
            ("low", "bulk: true"),
            ("high", "bulk: false"),
            ("high", "when: item.risk == 'medium' and form.kind == 'team'"),
            ("high", "auto_approve: [{id: always, when: true, because: Nobody minds.}]"),
        ],
    )
    def test_a17_a14_what_fits_the_risk_is_let_through(self, tmp_path: Path, risk: str, terms: str) -> None:
        within, owner = "    decide_within: 5 days\n", "owner: ada\n"
        text = SANE.replace(within, f"{within}    {terms}\n", 1).replace(owner, f"{owner}risk: {risk}\n", 1)
        assert {one.rule for one in lint_of(tmp_path, text)} & {"silence-approves", "risk-in-bulk"} == set()

    @pytest.mark.parametrize(
        "groups",
        [
            "[{approvers: [{rule: group, group: postmasters}]}, {approvers: [{rule: role, role: officer}]}]",
            "[{approvers: [{rule: group, group: '{{ form.kind }}'}], quorum: 5}, {approvers: [{rule: manager}]}]",
            "[{approvers: [{rule: owner, group: x}], quorum: 3}, {approvers: [{rule: role, role: officer}]}]",
            "[{approvers: [{rule: group, group: postmasters, weight: 3}], weight: 6}, {approvers: [{rule: manager}]}]",
            "[{approvers: [{rule: group, group: 'a-{{ form.kind }}', weight: 3}], weight: 60}]",
            "[{approvers: [{rule: group, group: postmasters}], quorum: 100%}, {approvers: [{rule: manager}]}]",
        ],
    )
    def test_groups_with_people_enough_are_let_through(self, tmp_path: Path, groups: str) -> None:
        distinct = "" if "weight" in groups else "    distinct: true\n"
        stage = f"    decide:\n      all: {groups}\n{distinct}"
        found = lint_of(tmp_path, SANE.replace("    approvers:\n      - rule: manager\n", stage, 1))
        assert found == [], as_text(found)

    def test_who_may_decide_on_their_own_is_somebody(self, tmp_path: Path) -> None:
        stage = "- rule: person\n        person: '{{ requester }}'\n    own: [requester]"
        found = lint_of(tmp_path, SANE.replace("- rule: manager", stage, 1))
        assert [one.rule for one in found] == ["own-decision"]

    def test_hours_of_single_days_do_not_tell_how_long_a_calendar_is_closed(self, tmp_path: Path) -> None:
        (tmp_path / "calendars").mkdir()
        (tmp_path / "calendars" / "fair.yaml").write_text("id: fair\nname: Fair\ndays: {2030-05-02: [09:00-17:00]}\n")
        within = "    decide_within: 5 days\n"
        assert lint_of(tmp_path, SANE.replace(within, f"{within}    acts_in: fair\n", 1)) == []

    def test_of_a_calendar_that_is_broken_only_its_own_file_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "calendars").mkdir()
        (tmp_path / "calendars" / "lab.yaml").write_text("id: lab\nname: Lab\n")
        within = "    decide_within: 5 days\n"
        assert lint_of(tmp_path, SANE.replace(within, f"{within}    calendar: lab\n", 1)) == []

    def test_clocks_and_priority_may_follow_answers_and_stages_of_steps(self, tmp_path: Path) -> None:
        measured = """\
priority:
  impact: "{{ 'high' if form.kind == 'team' else 'low' }}"
  urgency: medium
clocks:
  - {id: response, measures: response, by_priority: {1: 1 hour, 2: 2 hours}, warn: [90], calendar: office}
  - {id: all, name: All, start: ordered, stop: {event: stage-closed, stage: sure}, when: form.seats}
"""
        step = "  - id: ask\n    do: approve\n    stage: {id: sure, name: Sure, approvers: [{rule: manager}]}\nsla:"
        found = lint_of(tmp_path, SANE.replace("sla:", step) + measured)
        assert found == [], as_text(found)

    @pytest.mark.parametrize(
        "more",
        [
            "when: form.kind == 'team'\n    group: '{{ results.find.address }}'",
            "group: '{{ results.find.address | default(none) }}'",
            "when: not results.find.skipped | default(false)\n    group: '{{ results.find.address }}'",
            "when: form.kind == 'team' and form.name != 'x'\n    group: '{{ results.find.address }}'",
        ],
    )
    def test_a_result_may_be_used_where_its_step_was_not_left_out(self, tmp_path: Path, more: str) -> None:
        found = lint_of(
            tmp_path, SANE.replace("  - id: access", f"{FOUND}  - id: more\n    do: grant\n    {more}\n  - id: access")
        )
        assert found == [], as_text(found)

    def test_a_guard_that_fails_itself_guards_nothing(self, tmp_path: Path) -> None:
        use = "  - id: more\n    do: grant\n    when: results.find.address\n    group: '{{ results.find.address }}'\n"
        found = lint_of(tmp_path, SANE.replace("  - id: access", f"{FOUND}{use}  - id: access"))
        assert [(one.rule, one.path) for one in found] == [
            ("failing-expression", "steps[2].when"),
            ("failing-expression", "steps[2].group"),
        ], as_text(found)

    @pytest.mark.parametrize("when", ["cost.one_off > 500", "beneficiary.department == 'Research'"])
    def test_what_decides_a_step_besides_answers_may_be_otherwise_than_tried(self, tmp_path: Path, when: str) -> None:
        step = FOUND.replace("form.kind == 'team'", when)
        use = "  - id: more\n    do: grant\n    group: '{{ results.find.address }}'\n"
        found = lint_of(tmp_path, SANE.replace("  - id: access", f"{step}{use}  - id: access"))
        assert [one.rule for one in found] == ["failing-expression"], as_text(found)
        assert "'find' is left out" in found[0].message

    @pytest.mark.parametrize(
        "check",
        [
            "form.seats > 49", "50 <= form.seats", "form.seats - 1 > 50", "form.seats and form.seats < 2",
            "not form.seats or form.kind == 'team'", "form['kind'] in ['team', form.name]",
            "form.name != 'x' or form.seats", "form.seats > 5 and form.kind != 'team'",
        ],
    )  # fmt: skip
    def test_a_check_that_can_fail_and_hold_is_let_through(self, tmp_path: Path, check: str) -> None:
        text = SANE.replace("    required: false\n", f'checks:\n  - check: "{check}"\n    message: No.\n')
        found = [one for one in lint_of(tmp_path, text) if one.rule not in ("constant-condition", "unused-field")]
        assert found == [], as_text(found)

    @pytest.mark.parametrize(
        "url",
        ["'{{ form.name }}'", "https://{{ form.name }}/x", "'http{{ form.name }}'", "HTTPS://tickets.example.org"],
    )
    def test_an_address_may_depend_on_the_order(self, tmp_path: Path, url: str) -> None:
        step = f"  - id: ask\n    do: http\n    url: {url}\n    retry: {{attempts: 2}}\n"
        found = lint_of(tmp_path, SANE.replace("  - id: access", f"{step}  - id: access"))
        assert found == [], as_text(found)

    @pytest.mark.parametrize(
        "stage",
        [
            "approvers: [{rule: group, group: '{{ form.team }}'}]\n    when: form.team",
            (
                "approvers: [{rule: role, role: '{{ form.team }}'}]\n"
                "    auto_approve: [{id: a, when: not form.team, because: It is nobody's.}]"
            ),
            "approvers: [{rule: owner, group: '{{ form.team }}'}]\n    when: form.team and requester.title == 'Buyer'",
            "approvers: [{rule: role, role: '{{ form.team or \"officer\" }}'}]",
            "approvers: [{rule: role, role: 'lead-{{ form.kind }}'}]",
            "approvers: [{rule: role, role: '{{ form.kind }}'}]",
        ],
    )
    def test_a_name_may_come_from_a_question_that_was_answered_when_it_counts(self, tmp_path: Path, stage: str) -> None:
        team = "  - id: team\n    type: text\n    label: Team\n    required: false\napprovals:"
        text = SANE.replace("approvals:", team).replace("approvers:\n      - rule: manager", stage)
        assert stage in text
        found = lint_of(tmp_path, text)
        assert found == [], as_text(found)

    def test_a_step_may_reckon_with_what_its_condition_asks_for(self, tmp_path: Path) -> None:
        step = "  - id: more\n    do: grant\n    when: form.seats\n    group: seats-{{ form.seats + 1 }}\n"
        assert lint_of(tmp_path, SANE.replace("  - id: access", f"{step}  - id: access")) == []
        step = step.replace("when: form.seats", "when: form.kind == 'team'")
        (found,) = lint_of(tmp_path, SANE.replace("  - id: access", f"{step}  - id: access"))
        assert found.rule == "failing-expression"

    def test_an_action_that_may_be_repeated_may_say_how_often(self, tmp_path: Path) -> None:
        found = lint_of(tmp_path, SANE.replace("    input:", "    retry: {attempts: 2}\n    input:", 1))
        assert found == [], as_text(found)

    def test_steps_of_every_kind_know_what_came_before(self, tmp_path: Path) -> None:
        found = lint_of(tmp_path, RICH)
        assert found == [], as_text(found)

    def test_a_bundle_uses_results_of_the_lines_it_comes_after(self, tmp_path: Path) -> None:
        head, _, tail = SANE.partition("steps:")
        lines = (
            "lines:\n  - {id: a, item: laptop}\n  - {id: b, item: laptop, after: [a]}\n  - id: c\n    item: laptop\n"
        )
        lines += "    after: [b]\n    when: results.a.outcome == 'fulfilled'\n    answers: {x: '{{ form.name }}'}\n"
        assert lint_of(tmp_path, f"{head}{lines}sla:{tail.partition('sla:')[2]}") == []
