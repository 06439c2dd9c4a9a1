"""A small catalog without mistakes to lint items in: what is registered, the company, and texts of items."""

from __future__ import annotations

from pathlib import Path

from catalog.lint import lint
from catalog.loader import read
from catalog.registry import ActionSpec, Known, ProviderSpec, WorkflowSpec
from catalog.sketch import Company
from catalog.source import Finding

MISTAKES = Path(__file__).parents[1] / "unit" / "mistakes"
AROUND = MISTAKES / "around"
"""A small catalog without mistakes, into which each mistake is put."""


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
        "cis": {"web-01": ["ada"], "old-01": []},
    }
)
PUBLISHED = {("printer", "1.0.0"): "sha256:of-something-else"}


def lint_of(directory: Path, text: str | None = None, *, known: Known = KNOWN) -> list[Finding]:
    """Return the findings in a directory that stands beside the others; with `text`, in a file of it."""
    if text is not None:
        (directory / "item.yaml").write_text(text)
    found = lint(read([AROUND, directory]), known, PUBLISHED, COMPANY)
    return [one for one in found if Path(one.file).parent == directory]


SANE = (MISTAKES / "00-sane.yaml").read_text()


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
