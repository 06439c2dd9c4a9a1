"""Lint: every seeded mistake is found with its rule at its line, and nothing else is."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import data
from catalog.lint import RULES, as_json, as_sarif, as_text, lint, samples
from catalog.loader import read
from catalog.registry import ActionSpec, Known, ProviderSpec, WorkflowSpec
from catalog.scenario import Company
from catalog.source import Finding

MISTAKES = Path(__file__).parent / "mistakes"
AROUND = MISTAKES / "around"
"""A small catalog without mistakes, into which each mistake is put."""

OF_FILES = {"no-directory", "empty-directory", "unreadable-file", "file-too-large", "not-utf-8", "wrong-extension"}
"""Rules on what is no text; `test_loader` shows them."""
OF_CALENDARS = {"two-defaults", "no-default", "unknown-holidays", "holidays-end", "left-out-time"}
"""Rules on working hours; `test_calendar_files` shows them, and `test_linting` on the command line."""


def _object(**properties: object) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": [next(iter(properties))],
        "additionalProperties": False,
    }


TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
MAILBOX = _object(
    name=TEXT,
    seats={"anyOf": [NUMBER, {"type": "null"}]},
    kind={"$ref": "#/$defs/Kind"},
    owners={"type": "array", "items": TEXT},
    extra={},
) | {"$defs": {"Kind": {"type": "string", "enum": ["team", "project"]}}}
MADE = _object(id=TEXT, address=TEXT, size=NUMBER, kind={"$ref": "#/$defs/Kind"}, extra={}) | {
    "$defs": {"Kind": {"type": "string", "enum": ["team", "project"]}}
}


def _action(name: str, *, undo: str | None = None, changes: bool = True) -> ActionSpec:
    return ActionSpec(id=name, summary=name, input=MAILBOX, result=MADE, idempotent=True, undo=undo, changes=changes)


KNOWN = Known(
    workflows={
        "AccessRequest": WorkflowSpec(id="AccessRequest", summary="Gives access.", entitlement=True),
        "NoteRequest": WorkflowSpec(id="NoteRequest", summary="Notes.", parameters=_object(text=TEXT)),
    },
    actions={
        action.id: action
        for action in (
            _action("mail.create_mailbox", undo="mail.delete_mailbox"),
            _action("mail.delete_mailbox"),
            _action("mail.find_mailbox", changes=False),
            ActionSpec(id="mail.invite", summary="Invites.", input=MAILBOX, result=MADE, idempotent=False),
            ActionSpec(id="mail.archive", summary="Archives.", input={}, result={}, idempotent=True),
            ActionSpec(
                id="mail.set_password",
                summary="Sets a password.",
                input=_object(password=TEXT),
                result={},
                idempotent=True,
                undo="mail.set_password",
            ),
        )
    },
    providers={
        "groups": ProviderSpec(id="groups", summary="Groups."),
        "mailboxes": ProviderSpec(id="mailboxes", summary="Mailboxes."),
    },
)
COMPANY = Company.model_validate(
    {
        "people": {"ada": {"name": "Ada Byron"}, "ben": {"name": "Ben Abel"}},
        "groups": {
            **{name: {} for name in ("laptop-users", "desktop-users", "tablet-users", "mailbox-users", "x", "a", "b")},
            **{name: {} for name in ("mailbox-readers", "other-group")},
            "postmasters": {"members": ["ada", "ben"]},
            "facilities": {"members": ["ada"]},
        },
        "roles": {"officer": ["ada"], "vacant": []},
    }
)
PUBLISHED = {("printer", "1.0.0"): "sha256:of-something-else"}


def lint_of(directory: Path, text: str | None = None, *, known: Known = KNOWN) -> list[Finding]:
    """Return the findings in a directory that stands beside the others; with `text`, in a file of it."""
    if text is not None:
        (directory / "item.yaml").write_text(text)
    found = lint(read([AROUND, directory]), known, PUBLISHED, COMPANY)
    return [one for one in found if Path(one.file).parent == directory]


def expected(path: Path) -> list[tuple[str, int]]:
    lines = re.findall(r"^# expect: (\S+) line (\d+)$", path.read_text(), re.MULTILINE)
    return sorted((rule, int(line)) for rule, line in lines)


FILES = sorted(MISTAKES.glob("*.yaml"))
SANE = (MISTAKES / "00-sane.yaml").read_text()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_mistake_is_found_where_it_is_and_nothing_else(path: Path, tmp_path: Path) -> None:
    shutil.copy(path, tmp_path)
    found = lint_of(tmp_path)
    assert sorted((one.rule, one.line) for one in found) == expected(path), as_text(found)
    for one in found:
        assert one.column
        assert one.severity == RULES[one.rule].severity
        assert not one.message.endswith(".")
        assert one.remedy.endswith((".", "?"))


def test_every_rule_has_its_mistake() -> None:
    assert len(FILES) > 45
    assert {rule for path in FILES for rule, _ in expected(path)} == set(RULES) - OF_FILES - OF_CALENDARS


def test_the_catalog_around_the_mistakes_is_without_any(tmp_path: Path) -> None:
    assert lint(read([AROUND]), KNOWN) == ()


WORK = """\
  - id: desk
    do: task
    title: Prepare the desk of {{ beneficiary.name }}
    assign:
      - rule: group
        group: facilities
      - rule: manager
    due: 2 days
    evidence:
      - id: room
        type: text
        label: Room
      - id: key
        type: text
        label: Key
        required: form.room != 'lobby'
    undo:
      do: task
      title: Clear {{ result.room }}
      assign:
        - rule: person
          person: '{{ results.make.address }}'
"""
"""What people do, what they hand in, and how it is taken back."""
CALLS = """\
  - id: find
    do: call
    action: mail.find_mailbox
    input: {name: '{{ results.desk.room }} {{ results.desk.by.name }}'}
  - id: ask
    do: http
    url: https://mail.example.org/{{ results.find.size + 1 }}
  - id: password
    do: call
    action: mail.set_password
    input: {password: '{{ form.password }}'}
  - id: tell
    do: http
    method: POST
    url: https://mail.example.org/
    body: {status: '{{ results.ask.status }}', what: '{{ results.ask.body.what }}', given: '{{ form.password.given }}'}
    undo:
      do: revoke
      group: x
"""
"""What other systems do; each uses what came before."""
WAITS = """\
  - id: ready
    do: wait
    event: mailbox-ready
    timeout: 1 day
  - id: morning
    do: wait
    until: '{{ form.day }}'
  - id: later
    do: wait
    duration: 1 hour
  - id: sure
    do: approve
    stage:
      id: sure
      name: Sure
      approvers:
        - rule: expression
          people: '{{ form.people }}'
      decide_within: 1 day
      when: results.ready.size is defined
"""
"""What it waits for: an event, a day, an hour, people."""
ORDERS = """\
  - id: computer
    do: request
    item: laptop
    irreversible: It is used by then.
  - id: screen
    do: request
    item: laptop
    wait: false
    answers: {other: '{{ results.computer.outcome }} {{ results.computer.number }} {{ results.sure.by | join(", ") }}'}
"""
"""What it orders; the second does not wait for its end."""
BLOCKS = """\
  - id: both
    do: parallel
    branches:
      one:
        - id: inner
          do: grant
          group: a
        - id: deep
          do: parallel
          branches:
            left: [{id: l, do: grant, group: '{{ results.inner.where }}'}]
            right: [{id: r, do: revoke, group: '{{ results.inner.where }}'}]
      two:
        - id: other
          do: notify
          to: [requester]
          subject: Hello
          text: Hello {{ results.screen.number }}
  - id: each
    do: for_each
    each: '{{ form.laptops }}'
    variable: laptop
    steps:
      - id: one
        do: grant
        group: '{{ laptop.model }}-{{ position }}'
      - id: two
        do: grant
        group: '{{ results.one.where }}'
"""
"""Steps within steps."""
NOTICE = """\
  - id: last
    do: notify
    to: ['{{ form.people }}']
    subject: Done
    text: '{{ results.l.where }} {{ results.each | length }} {{ results.desk.key or "no key" }}'
"""
"""What uses the results of steps within others."""
FIELDS = "".join(
    f"  - {{id: {kind}_x, type: {kind}, label: {kind}{more}}}\n"
    for kind, more in (
        ("paragraph", ""), ("decimal", ", least: 0.5"), ("money", ", currency: EUR, most: 5"), ("yes_no", ""),
        ("multi_choice", ", choices: [a, b]"), ("duration", ""), ("email", ""), ("url", ""), ("ip", ""),
        ("person", ""), ("group", ", provider: groups"), ("datetime", ""),
        ("attachment", ", media_types: [image/png]"), ("choice", ", provider: mailboxes"),
    )
) + """\
  - {id: password, type: secret, label: Password}
  - {id: day, type: date, label: Day}
  - {id: people, type: people, label: People}
  - id: laptops
    type: rows
    label: Laptops
    visible: form.yes_no_x
    fields:
      - {id: model, type: text, label: Model}
      - {id: why, type: text, label: Why, required: row.model == 'large' and form.kind == 'team'}
"""  # fmt: skip
"""Questions of every kind."""
STEPS = f"{WORK}{CALLS}{WAITS}{ORDERS}{BLOCKS}{NOTICE}"
RICH = SANE.replace("approvals:", f"{FIELDS}approvals:").replace("sla:", f"{STEPS}sla:")
"""An item that has every kind of step and of field."""
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
            "at_deadline: approve\n    when_nobody: approve\n    when: form.seats and form.seats < 5",
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
        assert found.message == "with some answers this gives nothing instead of the name of a group or role"
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


POLICY = """\
id: bad
name: Bad
stages:
  - id: a
    name: A
    when: form.knid == 'team'
    approvers:
      - rule: role
        role: oficer
    decide_within: 1 day
"""


class TestSharedPolicies:
    """A mistake in a policy is told where it stands, with the items for which it is one."""

    def found(self, directory: Path, *items: str, policy: str = POLICY) -> list[Finding]:
        policies = directory / "policies"
        policies.mkdir()
        (policies / "bad.yaml").write_text(policy)
        head, _, rest = SANE.partition("approvals:")
        text = f"{head}approval_policy: bad\nsteps:{rest.partition('steps:')[2]}"
        for item in items:
            (directory / f"{item}.yaml").write_text(text.replace("id: team-mailbox", f"id: {item}"))
        found = lint(read([AROUND, directory]), KNOWN, PUBLISHED, COMPANY)
        return [one for one in found if one.file == str(policies / "bad.yaml")]

    def test_it_stands_in_the_policy_and_names_the_item(self, tmp_path: Path) -> None:
        name, role = self.found(tmp_path, "one")
        assert (name.rule, name.line, name.column, name.path) == ("unknown-name", 6, 5, "stages[0].when")
        assert (name.message, name.remedy, name.items) == (
            "for the item 'one', form.knid is not known here", "Did you mean 'kind'?", ("one",),
        )  # fmt: skip
        assert (role.rule, role.line, role.severity, role.path) == (
            "unknown-role", 9, "warning", "stages[0].approvers[0].role",
        )  # fmt: skip
        assert role.remedy == "Did you mean 'officer'?"
        log = as_sarif([name])
        place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == as_json([name])[0]["file"] == f"{tmp_path}/policies/bad.yaml"

    def test_it_is_told_once_for_all_items_that_use_it(self, tmp_path: Path) -> None:
        name, _ = self.found(tmp_path, "a", "b", "c", "d", "e")
        assert name.message == "for the items 'a', 'b', 'c' and 2 more, form.knid is not known here"
        assert name.items == ("a", "b", "c", "d", "e")

    def test_nothing_is_told_of_a_policy_that_is_right(self, tmp_path: Path) -> None:
        right = POLICY.replace("knid", "kind").replace("oficer", "officer")
        assert self.found(tmp_path, "one", policy=right) == []


class TestFormats:
    """Findings for people, for programs and for code hosts."""

    def findings(self, directory: Path) -> list[Finding]:
        return lint_of(directory, SANE.replace("required: false", "required: form.a") + "lifecycle: retired\n")

    def test_text_has_a_line_for_each(self, tmp_path: Path) -> None:
        first, second = as_text(self.findings(tmp_path)).replace(f"{tmp_path}/", "").split("\n")
        assert first == (
            "item.yaml:20:5: error unknown-name: form[2].required: form.a is not known here. "
            "Write one of: name, kind, seats."
        )
        assert second.startswith("item.yaml:38:1: warning no-successor: lifecycle: people are not told")

    def test_json_is_plain(self, tmp_path: Path) -> None:
        first, _ = json.loads(json.dumps(as_json(self.findings(tmp_path))))
        assert (first["line"], first["column"], first["rule"], first["severity"]) == (20, 5, "unknown-name", "error")

    def test_sarif_has_rules_and_regions(self, tmp_path: Path) -> None:
        found = [*self.findings(tmp_path), *read([tmp_path / "nowhere"]).problems]
        log = json.loads(json.dumps(as_sarif(found)))
        (run,) = log["runs"]
        assert log["version"] == "2.1.0"
        rules = run["tool"]["driver"]["rules"]
        assert [rule["id"] for rule in rules] == list(RULES)
        assert {rule["defaultConfiguration"]["level"] for rule in rules} == {"error", "warning"}
        first, second, third = run["results"]
        assert rules[first["ruleIndex"]]["id"] == first["ruleId"] == "unknown-name"
        assert first["locations"][0]["physicalLocation"]["region"] == {"startLine": 20, "startColumn": 5}
        assert first["message"]["text"].startswith("form[2].required: form.a is not known here.")
        assert second["level"] == "warning"
        assert "region" not in third["locations"][0]["physicalLocation"]

    def test_every_rule_is_described_in_a_sentence(self) -> None:
        assert all(re.fullmatch(r"[A-Z].*\.", rule.description) for rule in RULES.values())
        assert all(re.fullmatch(r"[a-z][a-z0-9-]+", name) for name in RULES)


lines = st.integers(0, RICH.count("\n"))
fragments = st.sampled_from(
    [
        "{{ form.",
        "{{ 1 }}",
        "{{ results }}",
        "null",
        "[]",
        "{}",
        "5",
        "true",
        "''",
        "form.name",
        "x: y",
        "each",
        "grant",
    ]
)


@given(st.lists(st.one_of(st.tuples(lines, lines), st.tuples(lines, fragments)), min_size=1, max_size=4))
def test_however_an_item_is_changed_lint_says_what_is_wrong_and_never_fails(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int | str]]
) -> None:
    text = RICH.split("\n")
    for at, what in changes:
        if isinstance(what, int):
            text[at] = text[what]  # a line of another place
        else:
            text[at] = f"{text[at].partition(': ')[0]}: {what}"
    found = lint_of(tmp_path_factory.mktemp("catalog"), "\n".join(text))
    assert all(one.message.strip() and one.remedy.strip(" .") and one.rule in RULES for one in found)
