"""The table of rules: each has a stable id, a severity and a sentence.

Its check is a small pure function that stands beside others of its kind. What the reader of files finds by itself is in
the table as well, so that every finding has its rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from catalog.lint.subject import Subject
from catalog.source import Place, Severity


class Hit(NamedTuple):
    """A place that breaks a rule: what is wrong, and a sentence on what to do."""

    place: Place
    message: str
    remedy: str


Check = Callable[[Subject], Iterable[Hit]]


class Rule(NamedTuple):
    """A kind of mistake.

    Attributes:
        severity: an ``error`` keeps the item from being published.
        description: the rule, in a sentence.
        check: finds it in an item; None where it is found in something else, or by the reader of files.
    """

    id: str
    severity: Severity
    description: str
    check: Check | None = None


_READING = {
    "no-directory": "A directory of the catalog must exist.",
    "empty-directory": "A directory of the catalog must hold an item.",
    "unreadable-file": "A file of the catalog must be readable.",
    "file-too-large": "A file of the catalog has at most 256 KiB.",
    "not-utf-8": "A file of the catalog is written in UTF-8.",
    "control-character": "A text holds no control characters.",
    "yaml-syntax": "A file must be YAML, indented with spaces, one document in each.",
    "yaml-alias": "What an alias would stand for is written out.",
    "yaml-tag": "There are no YAML tags.",
    "yaml-depth": "Lists and fields are nested 64 levels deep at most.",
    "yaml-key": "The name of a field is text.",
    "duplicate-key": "A field stands only once.",
    "no-item": "A file must describe an item, a policy or a calendar.",
    "unknown-key": "There are only the fields that the language has.",
    "missing-key": "A field that is needed must be there.",
    "unknown-value": "Where there are a few words to choose from, one of them must stand.",
    "wrong-type": "A value must be of the type that belongs there.",
    "wrong-value": "A value must be one that makes sense there: in its form, its unit, its range, and with the others.",
    "bad-expression": "An expression or template must be written in the catalog's language.",
    "duplicate-id": "An id stands for one item, policy or calendar in all directories.",
    "two-policies": "An item has a shared approval policy or approvals of its own, not both.",
    "unknown-policy": "A shared approval policy that an item names must exist and be free of mistakes.",
}

RULES: dict[str, Rule] = {name: Rule(name, "error", description) for name, description in _READING.items()} | {
    "wrong-extension": Rule("wrong-extension", "warning", "The name of a file of the catalog ends in .yaml.")
}
"""Every rule, by id."""


def enter(name: str, severity: Severity, description: str) -> Rule:
    """Enter a rule into the table whose check is no check of items."""
    RULES[name] = Rule(name, severity, description)
    return RULES[name]


def rule(name: str, severity: Severity, description: str) -> Callable[[Check], Check]:
    """Enter a check into the table."""

    def decorate(check: Check) -> Check:
        RULES[name] = Rule(name, severity, description, check)
        return check

    return decorate
