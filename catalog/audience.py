"""Who sees an item and may order it, and what has to be known of people before its rules can be asked (row C7).

How a rule is asked and says why not is `preview`'s business; how people are found the caller's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from catalog import expression, names
from catalog.item import CatalogItem
from catalog.lint import uses
from catalog.people import PersonRef, Profile
from catalog.preview import denials, for_whom
from catalog.registry import Known

Facts = frozenset[tuple[str, str]]
"""What is asked of whom: ``("beneficiary", "department")``."""

_ASKED = frozenset(Profile.model_fields)


def facts(item: CatalogItem) -> Facts:
    """Return what anything in an item asks about requester and beneficiary that only a directory knows."""
    return _facts(path for use in uses.of_item(item, Known()) if use.has_expression for path in use.references)


def facts_to_see(item: CatalogItem) -> Facts:
    """Return what has to be known of a viewer to tell whether they see the item."""
    return _facts(path for rule in item.visibility for path in _references(rule.when))


def _references(when: bool | str) -> Iterable[tuple[str, ...]]:
    return expression.references(when) if isinstance(when, str) else ()


def _facts(paths: Iterable[tuple[str, ...]]) -> Facts:
    found: set[tuple[str, str]] = set()
    for path in paths:
        if path[0] in ("requester", "beneficiary"):
            # A person as a whole may be asked anything.
            found |= {(path[0], fact) for fact in _ASKED if len(path) == 1 or path[1] == fact}
    return frozenset(found)


def of(asked: Facts, *who: Literal["requester", "beneficiary"]) -> frozenset[str]:
    """Return what is asked of somebody who has these parts in an order."""
    return frozenset(fact for part, fact in asked if part in who)


def viewing(item: CatalogItem, viewer: PersonRef, profile: Profile, at: datetime) -> Mapping[str, Any]:
    """Return the names that rules about a viewer may use, who stands for the beneficiary, too."""
    person = names.of_person(viewer, profile)
    return {"requester": person, "beneficiary": person, "item": names.of_item(item), "today": at.date()}


def sees(item: CatalogItem, viewer: PersonRef, profile: Profile, at: datetime) -> bool:
    """Return whether somebody sees the item."""
    return not denials(item.visibility, viewing(item, viewer, profile, at))


def why_not(item: CatalogItem, viewer: PersonRef, profile: Profile, at: datetime) -> tuple[str, ...]:
    """Return why somebody may not order the item for themselves, as far as that does not depend on answers."""
    if item.lifecycle == "retired":
        return (no_longer(item),)
    known = viewing(item, viewer, profile, at)
    return tuple(denial.why for denial in (*for_whom(item.order_for, known), *denials(item.eligibility, known)))


def no_longer(item: CatalogItem) -> str:
    """Return the sentence on an item that is offered no longer."""
    instead = f"; order {item.successor} instead" if item.successor else ""
    return f"{item.name} is no longer offered{instead}."
