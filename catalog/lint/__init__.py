"""What makes an item unwise though it can be read: cross checks, each a rule with an id (feature row K3).

Pure: what is registered, published or in the directory is passed in. The rules stand by what they are about: `naming`
(what an item refers to), `asking` (form and expressions), `approving` (who decides), `waiting` (for how long),
`measuring` (clocks, priority), `fulfilling` (steps), `offering` (version, price), `calendars` (working hours, which are
no items). `subject` is an item as they look at it. How an item is read
is `catalog.loader`'s business; what it finds wrong is told along with the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catalog.item import CatalogItem
from catalog.lint import approving, asking, calendars, fulfilling, measuring, naming, offering, waiting
from catalog.lint.calendars import Almanac
from catalog.lint.report import as_json, as_sarif, as_text
from catalog.lint.rules import RULES, Hit, Rule
from catalog.lint.subject import Subject, World
from catalog.loader import Loaded, Reading
from catalog.registry import Known
from catalog.sketch import Company
from catalog.source import Fault, Finding, finding
from catalog.stages import Policy
from catalog.steps import RequestStep, walk

__all__ = ["RULES", "Almanac", "Finding", "Rule", "approving", "as_json", "as_sarif", "as_text", "asking", "calendars",
           "fulfilling", "lint", "measuring", "naming", "offering", "waiting"]  # fmt: skip

_MOST_NAMED = 3
"""How many items are named that break a rule by the same line of their policy."""


def lint(
    reading: Reading,
    known: Known,
    published: Mapping[tuple[str, str], str] | None = None,
    company: Company | None = None,
    almanac: Almanac | None = None,
) -> tuple[Finding, ...]:
    """Return everything that is wrong with a catalog, by file and line; what a shared policy says, in its own file.

    Args:
        reading: what the files say.
        known: what is registered.
        published: (id, version) -> digest of what was published before.
        company: who there is, and which groups, roles and configuration items, if there is a directory to ask.
        almanac: the day, and the calendars with their holidays worked out.

    Without `company`, ``unknown-owner``, ``unknown-group``, ``unknown-role`` and ``unknown-ci`` find nothing,
    ``no-approver`` and ``quorum-too-large`` what can be told without the sizes of groups.
    """
    world = _world(reading, known, published or {}, company)
    found = [*reading.problems, *reading.ignored, *calendars.check(reading.calendars, almanac)]
    shared: dict[tuple[str, Rule, Hit], list[Loaded[CatalogItem]]] = {}
    for loaded in reading.items.values():
        subject = Subject(loaded, world)
        for rule in RULES.values():
            for hit in rule.check(subject) if rule.check else ():
                if loaded.policy and hit.place[:1] == ("approvals",):
                    shared.setdefault((loaded.policy.file, rule, hit), []).append(loaded)
                else:
                    found.append(finding(loaded.file, Fault(rule.id, *hit), loaded.positions, rule.severity))
    for (_, rule, hit), those in shared.items():
        assert those[0].policy is not None  # they were gathered by it
        found.append(_in_policy(those[0].policy, rule, hit, [one.value.id for one in those]))
    return tuple(sorted(found, key=lambda one: (one.file, one.line or 0, one.column or 0, one.rule)))


def _world(reading: Reading, known: Known, published: Mapping[tuple[str, str], str], company: Company | None) -> World:
    there = company or Company()
    return World(
        reading,
        known,
        published,
        company,
        members={name: frozenset(group.members) for name, group in there.groups.items()},
        holders={name: frozenset(people) for name, people in there.roles.items()},
        owners={name: frozenset(people) for name, people in there.cis.items()},
        orders={name: _ordered(loaded.value) for name, loaded in reading.items.items()},
    )


def _in_policy(policy: Loaded[Policy], rule: Rule, hit: Hit, items: Sequence[str]) -> Finding:
    """Return what is wrong with a shared policy as some items use it."""
    named = ", ".join(map(repr, items[:_MOST_NAMED]))
    more = f" and {len(items) - _MOST_NAMED} more" if len(items) > _MOST_NAMED else ""
    message = f"for the item{'s' if len(items) > 1 else ''} {named}{more}, {hit.message}"
    fault = Fault(rule.id, ("stages", *hit.place[1:]), message, hit.remedy)
    return finding(policy.file, fault, policy.positions, rule.severity).model_copy(update={"items": tuple(items)})


def _ordered(item: CatalogItem) -> tuple[str, ...]:
    """Return the ids of the items that an item orders."""
    steps = (step.item for _, step in walk(item.steps) if isinstance(step, RequestStep))
    return (*(line.item for line in item.lines), *steps)
