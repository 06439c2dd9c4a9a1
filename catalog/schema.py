"""The JSON Schema of an item file for editors: completion, help on hover and errors while typing (feature row K1).

Made from the models, with what their docstrings say of each part. What no schema can say, lint says.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

from catalog.item import CatalogItem
from catalog.model import Model

ID = "https://commissary.example/schema/item.json"
"""The schema's own name; nothing is fetched from there."""
DIALECT = "https://json-schema.org/draft/2020-12/schema"

_ENTRY = re.compile(r"^ {4}([a-z_]+(?:, [a-z_]+)*): +(.+?)(?=^ {4}[a-z_]+(?:, [a-z_]+)*:|\Z)", re.DOTALL | re.MULTILINE)
_DURATION = {
    "type": "string",
    "description": "a length of time: '10 days', '8 hours', '1 week 2 days' or 'P10D'",
    "examples": ["10 days", "8 hours"],
}
_COMMON = {
    "accept": "addresses, networks, or both",
    "answers": "answers to the form of the item that is ordered; each may hold {{ … }}",
    "approvals": "who decides, in this order",
    "approval_policy": "name of a shared policy, instead of 'approvals'",
    "at_least": "the fewest entries",
    "at_most": "the most entries",
    "body": "what is sent, as JSON; texts may hold {{ … }}",
    "branches": "steps by the name of the branch",
    "cancel": "who may call a request off, and how long",
    "category": "where it stands in the list",
    "distinct_by": "the answers by which two orders are told apart",
    "do": "what the step does",
    "domains": "the domains an address may be of; any if not given",
    "earliest": "the first that is accepted",
    "entitlement": "what the beneficiary has in the end",
    "every": "how often the recurring price falls due",
    "fields": "the questions of each row",
    "form": "what is asked, in this order",
    "group": "name of a directory group; may hold {{ … }}",
    "headers": "headers of the HTTP request; never a credential",
    "icon": "the picture beside its name",
    "input": "what the action takes; see its entry in the documentation",
    "latest": "the last that is accepted",
    "least": "the smallest that is accepted",
    "levels": "how many managers up",
    "lines": "the items that a bundle orders together",
    "longest": "the longest that is accepted",
    "max_length": "the most characters",
    "method": "the HTTP method",
    "min_length": "the fewest characters",
    "most": "the largest that is accepted",
    "multiline": "whether it may have several lines",
    "name": "what people call it",
    "notifications": "messages of the item's own",
    "on": "when it is sent",
    "order_for": "who may order it for whom",
    "parameters": "what the workflow is told; its own schema says what it takes",
    "pattern": "a regular expression that the whole answer must match",
    "pattern_help": "the pattern in words, for who got it wrong",
    "people": "an expression that gives people",
    "person": "a login; may hold {{ … }}",
    "places": "the most digits after the point",
    "price": "what an order costs; free without it",
    "provider": "id of a registered provider of choices",
    "rule": "whom the rule names",
    "schemes": "how the address may begin",
    "shortest": "the shortest that is accepted",
    "sla": "the promise",
    "stage": "who decides",
    "steps": "the runbook, in this order",
    "subject": "subject of the mail; may hold {{ … }}",
    "successor": "id of the item to order instead, of one that is retired",
    "tags": "words by which it is found",
    "target": "how soon after the order it is fulfilled",
    "text": "text of the mail; may hold {{ … }}",
    "to": "whom it is for: a login, mostly as {{ … }}",
    "type": "what kind of answer it takes",
    "url": "the address; may hold {{ … }}",
    "version": "4 or 6; both if not given",
}
"""What docstrings of classes need not repeat."""


def item_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of an item file."""
    schema = CatalogItem.model_json_schema()
    helps = _helps()
    for name, part in schema["$defs"].items():
        _explained(part, helps[name])
    _explained(schema, helps["CatalogItem"])
    return {"$schema": DIALECT, "$id": ID, **_plain(schema), "title": "Commissary catalog item"}


class _Help:
    """What a class says of itself: in a few sentences, and of each part."""

    def __init__(self, summary: str, parts: dict[str, str]) -> None:
        self.summary = summary
        self.parts = parts


def _helps() -> dict[str, _Help]:
    """Return the help of every model by name; a class that says nothing of a part says what its bases do."""
    return {cls.__name__: _help(cls) for cls in _models(Model)}


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
