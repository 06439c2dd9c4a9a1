"""JSON Schemas of what authors write, for editors: completion, help on hover, errors while typing (feature row K1).

Made from the models, with what their docstrings say of each part. What no schema can say, lint says.
"""

from __future__ import annotations

import inspect
import re
from enum import StrEnum
from typing import Any

from catalog.calendar_file import CalendarFile
from catalog.item import CatalogItem
from catalog.model import Model
from catalog.scenario import ScenarioFile
from catalog.stages import Policy

ID = "https://commissary.example/schema/{kind}.json"
"""A schema's own name; nothing is fetched from there."""
DIALECT = "https://json-schema.org/draft/2020-12/schema"

_NAMES = r"[a-z_]\w*(?:, [a-z_]\w*)*"
_ENTRY = re.compile(rf"^ {{4}}({_NAMES}): +(.+?)(?=^ {{4}}{_NAMES}:|\Z)", re.DOTALL | re.MULTILINE)
_DURATION = {
    "type": "string",
    "description": "a length of time: '10 days', '8 hours', '1 week 2 days' or 'P10D'",
    "examples": ["10 days", "8 hours"],
}
_COMMON = {
    "accept": "addresses, networks, or both",
    "active": "whether they still work here",
    "answers": "answers to the form of the item that is ordered; each may hold {{ … }}",
    "approval_policy": "name of a shared policy, instead of 'approvals'",
    "approvals": "who decides, in this order",
    "at": "when it happens: 'day 3 09:10', '36 hours' or '0'",
    "at_least": "the fewest entries",
    "at_most": "the most entries",
    "beneficiaries": "logins of those it is for; who orders if nobody is named",
    "body": "what is sent, as JSON; texts may hold {{ … }}",
    "branches": "steps by the name of the branch",
    "by": "login of who does it",
    "cancel": "who may call a request off, and how long",
    "category": "where it stands in the list",
    "ci": "name of a configuration item in the directory; may hold {{ … }}",
    "cis": "who owns each configuration item: logins, by its name",
    "company": "who there is before the order is placed",
    "data": "what is reported with it",
    "department": "where they work",
    "description": "what it is for",
    "distinct_by": "the answers by which two orders are told apart",
    "do": "what the step does",
    "domains": "the domains an address may be of; any if not given",
    "earliest": "the first that is accepted",
    "employee_type": "how they are employed",
    "entitlement": "what the beneficiary has in the end",
    "event": "name of the event",
    "events": "what people and systems do, and when",
    "every": "how often the recurring price falls due",
    "expect": "what must have come of it in the end",
    "fields": "the questions of each row",
    "form": "what is asked, in this order",
    "group": "name of a directory group; may hold {{ … }}",
    "groups": "the groups by name",
    "headers": "headers of the HTTP request; never a credential",
    "icon": "the picture beside its name",
    "input": "what the action takes; see its entry in the documentation",
    "kind": "the kind of wait",
    "lasting": "how long it is down",
    "latest": "the last that is accepted",
    "least": "the smallest that is accepted",
    "levels": "how many managers up",
    "lines": "the items that a bundle orders together",
    "location": "where their desk is",
    "longest": "the longest that is accepted",
    "mail": "their mail address",
    "manager": "login of the line manager",
    "max_length": "the most characters",
    "members": "logins of those who are in it",
    "method": "the HTTP method",
    "min_length": "the fewest characters",
    "most": "the largest that is accepted",
    "multiline": "whether it may have several lines",
    "name": "what people call it",
    "notifications": "messages of the item's own",
    "on": "when it is sent",
    "operators": "logins of those who are asked when something goes wrong",
    "order": "what is ordered, by whom and for whom",
    "order_for": "who may order it for whom",
    "owners": "logins of those who answer for it",
    "parameters": "what the workflow is told; its own schema says what it takes",
    "pattern": "a regular expression that the whole answer must match",
    "pattern_help": "the pattern in words, for who got it wrong",
    "people": "an expression that gives people",
    "person": "a login; may hold {{ … }}",
    "places": "the most digits after the point",
    "price": "what an order costs; free without it",
    "provider": "id of a registered provider of choices",
    "reason": "what they say",
    "refused": "words of the refusal they must get; nothing if it must work",
    "role": "name of a role in the directory; may hold {{ … }}",
    "roles": "who holds each role: logins, by its name",
    "rule": "whom the rule names",
    "scenarios": "the stories, each about one order",
    "schemes": "how the address may begin",
    "shortest": "the shortest that is accepted",
    "sla": "the promise",
    "stage": "who decides",
    "stages": "who decides, in this order",
    "status": "where it stands",
    "steps": "the runbook, in this order",
    "subject": "subject of the mail; may hold {{ … }}",
    "successor": "id of the item to order instead, of one that is retired",
    "system": "the system: directory, http, or that of an action",
    "tags": "words by which it is found",
    "target": "how soon after the order it is fulfilled",
    "task": "part of the title of the work",
    "text": "text of the mail; may hold {{ … }}",
    "times": "how many writes it refuses",
    "title": "what they do, or what is to be done",
    "to": "whom it is for: a login, mostly as {{ … }}",
    "type": "what kind of answer it takes",
    "url": "the address; may hold {{ … }}",
    "version": "4 or 6; both if not given",
    "weight": "how much each of its people counts where people are weighed",
    "who": "login of whom it happens to",
    "zone": "the time zone that its times are in",
}
"""What docstrings of classes need not repeat."""


_HOMES = tuple(
    f"catalog.{name}"
    for name in (
        "calendar_file",
        "fields",
        "item",
        "preferences",
        "priority",
        "scenario",
        "scenario_events",
        "sketch",
        "sla_spec",
        "stages",
        "steps",
    )
)
"""Where the models of files stand; others have classes of the same names."""


class Kind(StrEnum):
    """The kinds of files that authors write."""

    ITEM = "item"
    POLICY = "policy"
    CALENDAR = "calendar"
    SCENARIO = "scenario"


_FILES: dict[Kind, tuple[type[Model], str]] = {
    Kind.ITEM: (CatalogItem, "Commissary catalog item"),
    Kind.POLICY: (Policy, "Commissary approval policy"),
    Kind.CALENDAR: (CalendarFile, "Commissary working hours"),
    Kind.SCENARIO: (ScenarioFile, "Commissary scenarios of an item"),
}


def file_schema(kind: Kind) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a kind of file."""
    model, title = _FILES[kind]
    schema = model.model_json_schema()
    helps = _helps()
    for name, part in schema["$defs"].items():
        if name in helps:
            _explained(part, helps[name])
        else:  # a list of words, whose docstring is about the code
            part.pop("description", None)
    _explained(schema, helps[model.__name__])
    return {"$schema": DIALECT, "$id": ID.format(kind=kind), **_plain(schema), "title": title}


class _Help:
    """What a class says of itself: in a few sentences, and of each part."""

    def __init__(self, summary: str, parts: dict[str, str]) -> None:
        self.summary = summary
        self.parts = parts


def _helps() -> dict[str, _Help]:
    """Return the help of every model by name; a class that says nothing of a part says what its bases do."""
    return {cls.__name__: _help(cls) for cls in _models(Model) if cls.__module__ in _HOMES}


def _models(base: type[Model]) -> list[type[Model]]:
    return [one for cls in base.__subclasses__() for one in (cls, *_models(cls))]


def _help(cls: type[Model]) -> _Help:
    summary = ""
    parts: dict[str, str] = {}
    for base in (base for base in cls.__mro__ if base is not Model and issubclass(base, Model)):
        text = inspect.cleandoc(base.__doc__ or "")
        head, _, attributes = text.partition("Attributes:")
        if not summary and not head.startswith("See `"):
            summary = _line(head)
        for names, said in _ENTRY.findall(attributes):
            for name in names.split(", "):
                parts.setdefault(name, _line(said))
    return _Help(summary, parts)


def _line(text: str) -> str:
    return " ".join(text.replace("``", "'").replace("`", "'").split())


def _explained(part: dict[str, Any], said: _Help) -> None:
    """Put the help into one object's schema, and refuse what it does not know: a misspelt key must show."""
    part["description"] = said.summary
    part["additionalProperties"] = False
    for name, inner in part["properties"].items():
        inner.pop("title", None)
        told = (said.parts.get(name) or _COMMON.get(name) or name).rstrip(".")
        given = f" ({inner['description'].rstrip('.')})" if "description" in inner else ""
        inner["description"] = f"{told[:1].upper()}{told[1:]}{given}."


def _plain(schema: Any) -> Any:
    """Return a schema without what only some tools know, and with durations as authors write them."""
    match schema:
        case {"type": "string", "format": "duration"}:
            return _DURATION | {key: value for key, value in schema.items() if key == "description"}
        case dict():
            return {key: _plain(value) for key, value in schema.items() if key != "discriminator"}
        case list():
            return [_plain(one) for one in schema]
        case _:
            return schema
