"""What makes an item unwise though it can be read: cross checks, each a rule with an id (feature row K3).

Pure: what is registered, published or in the directory is passed in. The rules stand by what they are about: `naming`
(what an item refers to), `asking` (form and expressions), `approving`, `fulfilling` (steps), `offering` (version,
price). `subject` is an item as they look at it. How an item is read is `catalog.loader`'s business; what it finds wrong
is told along with the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from catalog.item import CatalogItem
from catalog.lint import approving, asking, fulfilling, naming, offering
from catalog.lint.report import as_json, as_sarif, as_text
from catalog.lint.rules import RULES, Rule
from catalog.lint.subject import Subject, World
from catalog.loader import Reading
from catalog.registry import Known
from catalog.source import Fault, Finding, finding
from catalog.steps import RequestStep, walk

__all__ = ["RULES", "Finding", "Rule", "approving", "as_json", "as_sarif", "as_text", "asking", "fulfilling",
           "lint", "naming", "offering"]  # fmt: skip


def lint(
    reading: Reading,
    known: Known,
    published: Mapping[tuple[str, str], str] | None = None,
    group_sizes: Mapping[str, int] | None = None,
    people: Collection[str] | None = None,
) -> tuple[Finding, ...]:
    """Return everything that is wrong with a catalog, by file and line.

    Args:
        reading: what the files say.
        known: what is registered.
        published: (id, version) -> digest of what was published before.
        group_sizes: group -> how many people are in it, as far as it is known.
        people: the logins that the directory knows, if there is one to ask.

    Without `group_sizes` and `people`, ``quorum-too-large`` and ``unknown-owner`` find what can be told without them.
    """
    orders = {name: _ordered(loaded.value) for name, loaded in reading.items.items()}
    world = World(reading, known, published or {}, group_sizes or {}, people, orders)
    found = [*reading.problems, *reading.ignored]
    for loaded in reading.items.values():
        subject = Subject(loaded, world)
        for rule in RULES.values():
            hits = rule.check(subject) if rule.check else ()
            found += [finding(loaded.file, Fault(rule.id, *hit), loaded.positions, rule.severity) for hit in hits]
    return tuple(sorted(found, key=lambda one: (one.file, one.line or 0, one.column or 0, one.rule)))


def _ordered(item: CatalogItem) -> tuple[str, ...]:
    """Return the ids of the items that an item orders."""
    steps = (step.item for _, step in walk(item.steps) if isinstance(step, RequestStep))
    return (*(line.item for line in item.lines), *steps)
