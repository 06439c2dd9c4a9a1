"""The clocks of a request, read back from what the register has: its journal, and the calendars of its time.

What a journal comes to is decided in `catalog.sla_history`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal, NamedTuple

from api import problems
from api.parts import Parts
from catalog import sla_history
from catalog.calendar_file import by_id
from catalog.expression import ExpressionError
from catalog.form import FieldError
from catalog.item import CatalogItem
from catalog.journal import Entry
from catalog.request import Order
from catalog.sla import Clock
from catalog.sla_history import calendars_named, corrected
from catalog.sla_report import Share
from catalog.sla_spec import ClockSpec
from catalog.terms import Terms
from records.register import Register

Definition = Literal["ordered", "current"]
_AT_ONCE = 1_000
"""How many entries are read at once."""


class Measured(NamedTuple):
    """What was measured of a request up to a moment.

    Attributes:
        version: of the item whose clocks these are.
        terms: by which it was measured.
        clocks, shares, stages, people: see `catalog.sla_history.Measures`.
    """

    order: Order
    version: str
    at: datetime
    terms: Terms
    clocks: tuple[tuple[ClockSpec, Clock], ...]
    shares: tuple[Share, ...]
    stages: dict[str, str]
    people: dict[str, str]


def measure(parts: Parts, order: Order, definition: Definition) -> Measured:
    """Return what is measured of a request until now, by the clocks it was ordered with or those of its item now.

    Raises:
        NotFound: the item is not published any more.
        Invalid: the clocks of the item as it is now cannot be worked out for this order.
    """
    item = order.item if definition == "ordered" else _published(parts, order)
    terms = order.terms if definition == "ordered" else _corrected(parts.register, order, item)
    entries, now = list(_journal(parts.register, order.number)), parts.clock()
    company = by_id(parts.register.calendars(order.accepted_at))
    editions = parts.register.editions(calendars_named(entries))
    return Measured(order, item.version, now, terms, *sla_history.measure(entries, terms, company, editions, now))


def _published(parts: Parts, order: Order) -> CatalogItem:
    item = parts.shelf.stock.catalog.get(order.item.id)
    if item is None:
        raise problems.NotFound(
            f"The item {order.item.id!r} is not published any more; ask for the clocks this was ordered with."
        )
    return item


def _corrected(register: Register, order: Order, item: CatalogItem) -> Terms:
    try:
        return corrected(order, item, by_id(register.calendars()))
    except ExpressionError as error:
        wrong = FieldError(field="definition", code="value", message=str(error))
        raise problems.Invalid(
            f"The clocks of version {item.version} cannot be worked out for this order.", errors=[wrong]
        ) from error


def _journal(register: Register, number: str) -> Iterator[Entry]:
    last = 0
    while part := register.journal(number, after=last, limit=_AT_ONCE):
        yield from part
        last = part[-1].seq
