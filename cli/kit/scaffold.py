"""The texts of a new item, as `commissary catalog new` writes them: values in, files out; nothing is asked here."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from enum import StrEnum
from string import Template
from typing import Any, NamedTuple

from catalog.fields import ChoiceField, Field, MultiChoiceField
from catalog.item import CatalogItem
from catalog.stages import ByManager, Stage
from catalog.steps import GrantStep, RevokeStep, walk

SCHEMA_FILE = "item.schema.json"


class Kind(StrEnum):
    """What an item begins as."""

    ACCESS = "access"
    STEPS = "steps"
    BUNDLE = "bundle"


class Plan(NamedTuple):
    """What a new item is to be; `parts` are the items of a bundle, `group` is what the others give."""

    kind: Kind
    id: str
    name: str
    owner: str
    category: str
    group: str = ""
    parts: Sequence[CatalogItem] = ()


_HEAD = Template("""\
# yaml-language-server: $$schema=$schema
id: $id
version: 1.0.0
name: $name
summary: $summary
description: |
  Say here, in Markdown, what one gets and what one should know before ordering it.
category: $category
tags: [$tag]
icon: $icon
owner: $owner

""")

_FORM_AND_APPROVAL = """\
form:
  - id: reason
    type: paragraph
    label: What do you need it for?
    help: Who decides reads this; a sentence or two will do.
    max_length: 500

approvals:
  - id: manager
    name: Line manager
    approvers:
      - rule: manager
    decide_within: 5 days
    remind:
      after: 2 working days
      every: 1 working day
      at_most: 3

"""

_BODIES = {
    Kind.ACCESS: Template(
        _FORM_AND_APPROVAL
        + """\
workflow: AccessRequest
entitlement:
  group: $group
sla:
  target: 7 days
"""
    ),
    Kind.STEPS: Template(
        _FORM_AND_APPROVAL
        + """\
steps:
  - id: access
    do: grant
    name: Give access
    group: $group
  - id: welcome
    do: notify
    name: Say that it is ready
    to: [beneficiary]
    subject: "{{ item.name }} is ready"
    text: |
      Hello {{ beneficiary.name }},
      what {{ requester.name }} ordered is ready. The reason given was: {{ form.reason }}

sla:
  target: 7 days
"""
    ),
    Kind.BUNDLE: Template(
        """\
$form
lines:
$lines

sla:
  target: 14 days
"""
    ),
}

_STORIES = Template("""\
  - name: Approved and fulfilled
    shows: happy
    order: {by: ada, answers: {reason: I take part in the project.}}
    events:
      - {at: day 1 10:00, do: approve, by: grace}
    expect: {outcome: fulfilled, has: {$group: [ada]}}
  - name: Refused
    shows: refusal
    order: {by: ada, answers: {reason: I take part in the project.}}
    events:
      - {at: day 1 10:00, do: reject, by: grace, reason: Not needed for the project.}
    expect: {outcome: rejected, lacks: {$group: [ada]}}
  - name: Nobody decides
    shows: expiry
    order: {by: ada, answers: {reason: I take part in the project.}}
    expect: {outcome: expired, not_before: 5 days}
  - name: The directory is down when it is approved
    shows: fault
    order: {by: ada, answers: {reason: I take part in the project.}}
    events:
      - {at: day 1 09:30, do: down, lasting: 4 hours}
      - {at: day 1 10:00, do: approve, by: grace}
    expect: {outcome: fulfilled, not_before: 4 hours, has: {$group: [ada]}}
""")

_BUNDLE_STORY = Template("""\
  - name: Its parts begin
    order:
      by: ada
      answers: $answers
    lasts: 1 hour
    expect: $expected
""")

_BUNDLE_STORIES = Template("""\
  - name: All parts are approved and fulfilled
    shows: happy
    order: {by: ada, answers: $answers}
    events:
$approved
    expect: {outcome: fulfilled}
  - name: All parts are refused
    shows: refusal
    order: {by: ada, answers: $answers}
    events:
$refused
    expect: {outcome: rejected}
  - name: Nobody decides any part
    shows: expiry
    order: {by: ada, answers: $answers}
    expect: {outcome: expired}
  - name: The directory is down when the parts are approved
    shows: fault
    order: {by: ada, answers: $answers}
    events:
      - {at: day 1 09:30, do: down, lasting: 4 hours}
$approved
    expect: {outcome: fulfilled}
""")

_GUIDE = Template("""\
Say here what people ask most often about *$name*: what to write in the form, how long it takes in practice, whom to
turn to. This page stands below the item's own description in the catalog's documentation.
""")


_ICONS = {Kind.ACCESS: "access", Kind.STEPS: "tools", Kind.BUNDLE: "document"}


def files(plan: Plan) -> dict[str, str]:
    """Return the files of a new item by their names below the catalog's directory; the schema is not among them."""
    values = {
        "schema": SCHEMA_FILE,
        "id": plan.id,
        "name": _quoted(plan.name),
        "summary": _quoted(f"Say in one sentence what {plan.name} is."),
        "category": _quoted(plan.category),
        "tag": plan.kind.value,
        "icon": _ICONS[plan.kind],
        "owner": _quoted(plan.owner),
        "group": _quoted(plan.group),
        "form": _questions(plan.parts),
        "lines": _lines(plan.parts),
    }
    return {
        f"{plan.id}.yaml": _HEAD.substitute(values) + _BODIES[plan.kind].substitute(values),
        f"scenarios/{plan.id}.yaml": _scenarios(plan, values),
        f"docs/{plan.id}.md": _GUIDE.substitute(name=plan.name),
    }


def _scenarios(plan: Plan, values: dict[str, str]) -> str:
    """Return the stories of a new item."""
    people = {
        "ada": {"name": "Ada Byron", "manager": "grace", "mail": "ada@example.org"},
        "grace": {"name": "Grace Murray", "mail": "grace@example.org"},
        "olga": {"name": "Olga, who operates it", "mail": "olga@example.org"},
    }
    people.setdefault(plan.owner, {"name": "Who answers for the item", "mail": "owner@example.org"})
    given = [plan.group] if plan.group else [group for part in plan.parts for group in _given(part)]
    company = [
        "# Play it with: commissary catalog simulate, and this file or the directory of items.",
        f"item: {plan.id}",
        "company:",
        "  people:",
        *(f"    {_quoted(login)}: {_flow(person)}" for login, person in people.items()),
        *(["  groups:"] if given else []),
        *(f"    {_quoted(group)}: {_flow({'owners': [plan.owner]})}" for group in dict.fromkeys(given)),
        "  operators: [olga]",
        "scenarios:\n",
    ]
    if plan.kind is not Kind.BUNDLE:
        return "\n".join(company) + _STORIES.substitute(values)
    return "\n".join(company) + _of_bundle(plan.parts)


def _given(part: CatalogItem) -> list[str]:
    """Return the groups that an item gives or takes, as far as they do not depend on answers."""
    entitled = [part.entitlement.group] if part.entitlement else []
    named = [str(step.group) for _, step in walk(part.steps) if isinstance(step, (GrantStep, RevokeStep))]
    return [*entitled, *(group for group in named if "{{" not in group)]


def _of_bundle(parts: Sequence[CatalogItem]) -> str:
    """Return the stories of a bundle; if others than the manager have a say, only that its parts begin."""
    answers = _flow({name: _sample(field) for part in parts for name, field in _passed_on(part).items()})
    if not all(map(_is_the_managers, parts)):
        waits = any(part.approvals for part in parts)
        return _BUNDLE_STORY.substitute(answers=answers, expected="{}" if waits else "{outcome: fulfilled}")
    approved = [f"      - {{at: day 1 10:00, do: approve, by: grace, part: {part.id}}}" for part in parts]
    refused = [
        f"      - {{at: day 1 10:00, do: reject, by: grace, reason: Not needed., part: {part.id}}}" for part in parts
    ]
    return _BUNDLE_STORIES.substitute(answers=answers, approved="\n".join(approved), refused="\n".join(refused))


def _is_the_managers(part: CatalogItem) -> bool:
    """Return whether the line manager decides an item, in any case, and systems do the rest."""
    match part.approvals:
        case (Stage(approvers=(ByManager(levels=1),), when=True, auto_approve=()),):
            return part.workflow == "AccessRequest" or (
                bool(part.steps) and all(step.do in ("grant", "revoke", "notify") for step in part.steps)
            )
        case _:
            return False


def _sample(field: Field) -> Any:
    """Return an answer to begin with; the author knows better ones."""
    match field:
        case ChoiceField(choices=(first, *_)):
            return first
        case MultiChoiceField(choices=(first, *_)):
            return [first]
        case _:
            return _SAMPLES.get(field.type, "Something.")


_SAMPLES: dict[str, Any] = {
    "integer": 1,
    "decimal": "1.5",
    "money": "100",
    "yes_no": True,
    "date": "2040-04-02",
    "datetime": "2040-04-02T09:00:00Z",
    "duration": "10 days",
    "email": "ada@example.org",
    "url": "https://example.org/",
    "ip": "192.0.2.1",
    "person": "ada",
    "people": ["ada"],
}


def _flow(value: Any) -> str:
    """Return data on one line of YAML; JSON is YAML."""
    return json.dumps(value, ensure_ascii=False)


def _quoted(text: str) -> str:
    """Return text as YAML reads it back, whatever is in it."""
    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9 ._-]*[A-Za-z0-9]", text)
    special = text.lower() in ("true", "false", "null", "yes", "no", "on", "off")
    return text if plain and not special else json.dumps(text, ensure_ascii=False)


def _passed_on(part: CatalogItem) -> dict[str, Field]:
    """Return the questions of a part that always need an answer, by the id that they have in the bundle."""
    asked = [field for field in part.form if field.required is True and field.visible is True and field.default is None]
    return {f"{part.id}_{field.id}".replace("-", "_")[:63]: field for field in asked}


def _questions(parts: Sequence[CatalogItem]) -> str:
    """Return the bundle's form: what its parts need to know, each question as its author wrote it."""
    lines = []
    for part in parts:
        for name, field in _passed_on(part).items():
            own = {"id": name, "type": field.type, "label": f"{part.name}: {field.label}"}
            plain = own | field.model_dump(mode="json", exclude_defaults=True, exclude=set(own))
            lines += [
                f"{'  - ' if at == 0 else '    '}{key}: {json.dumps(value, ensure_ascii=False)}"
                for at, (key, value) in enumerate(plain.items())
            ]
    return "\n".join(["form:", *lines, ""]) if lines else ""


def _lines(parts: Sequence[CatalogItem]) -> str:
    """Return the lines of a bundle, which hand its answers on."""
    lines = []
    for part in parts:
        lines += [f"  - id: {part.id}", f"    item: {part.id}"]
        handed = [f'      {field.id}: "{{{{ form.{name} }}}}"' for name, field in _passed_on(part).items()]
        lines += ["    answers:", *handed] if handed else []
    return "\n".join(lines)
