"""Rules on the offer: version, life cycle, price."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from catalog.lint.rules import Hit, rule
from catalog.lint.subject import Subject
from catalog.model import digest


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


@rule("version-not-bumped", "error", "A changed item has a new version.")
def version_not_bumped(subject: Subject) -> Iterator[Hit]:
    """Compare with what is published under the same version."""
    item = subject.item
    standing = subject.world.published.get((item.id, item.version))
    if standing is not None and standing != digest(item):
        message = f"version {item.version} is published with another content"
        yield Hit(("version",), message, "Give the changed item a higher version.")


@rule("version-too-low", "error", "A version is not lower than one that is published.")
def version_too_low(subject: Subject) -> Iterator[Hit]:
    """Compare with the newest that is published."""
    item = subject.item
    published = [version for name, version in subject.world.published if name == item.id]
    newest = max(published, key=_numbers, default=item.version)
    if _numbers(item.version) < _numbers(newest):
        message = f"version {newest} is published already, so nobody would ever order {item.version}"
        yield Hit(("version",), message, f"Give the item a version above {newest}.")


@rule("no-successor", "warning", "A retired item says what to order instead.")
def no_successor(subject: Subject) -> Iterator[Hit]:
    """Check `successor`."""
    if subject.item.lifecycle == "retired" and subject.item.successor is None:
        yield Hit(
            ("lifecycle",), "people are not told what to order instead", "Add 'successor:' with the id of an item."
        )


@rule("no-currency", "error", "A price says in which currency it is.")
def no_currency(subject: Subject) -> Iterator[Hit]:
    """Check `price`."""
    price = subject.item.price
    if price and price.currency is None and (price.one_off is not None or price.recurring is not None):
        yield Hit(("price",), "the price has no currency", "Add 'currency:', for example EUR.")


@rule("negative-price", "error", "A price is not negative.")
def negative_price(subject: Subject) -> Iterator[Hit]:
    """Check the amounts that are written as numbers."""
    for use in subject.literals:
        if use.place[0] == "price" and isinstance(use.value, str) and use.value.strip().startswith("-"):
            yield Hit(use.place, f"nobody is paid for ordering, as {Decimal(use.value)} says", "Remove the sign.")
