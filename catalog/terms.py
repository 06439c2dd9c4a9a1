"""The terms of an order: its priority, and the clocks that measure it (feature rows S1, S2).

Worked out when the order is placed, and kept with it: what an item's conditions and its priority come to for this
order. How clocks run is `sla`'s business.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.calendar import Calendar
from catalog.data import holds
from catalog.duration import Working
from catalog.item import CatalogItem
from catalog.model import Model
from catalog.priority import priority, target_of
from catalog.sla_spec import ClockSpec


class Terms(Model):
    """What an order is measured by.

    Attributes:
        priority: 1 is the highest; None if its item gives none.
        impact, urgency: what it follows from.
        clocks: those that this order has, with the target of its priority.
        calendars: those in whose working time they are counted, and the time of stages whose people are not known yet,
            by id; ``""`` is that of the company.
    """

    priority: int | None = None
    impact: str = ""
    urgency: str = ""
    clocks: tuple[ClockSpec, ...] = ()
    calendars: dict[str, Calendar] = {}


def terms(item: CatalogItem, names: Mapping[str, Any], calendars: Mapping[str, Calendar]) -> Terms:
    """Return the terms of an order of an item.

    Args:
        item: what is ordered.
        names: what expressions may use.
        calendars: of the company, by id; under ``""`` the one of everybody who has no other.

    Raises:
        ExpressionError: the priority, or the condition of a clock, cannot be worked out.
    """
    ranked = priority(item.priority, names) if item.priority else None
    number = ranked.number if ranked else None
    mine = (spec for spec in item.clocks if holds(spec.when, names))
    clocks = tuple(spec.model_copy(update={"target": target_of(spec, number)}) for spec in mine)
    wanted = {spec.calendar or "" for spec in clocks} | working_time(item)
    return Terms(
        priority=number,
        impact=ranked.impact if ranked else "",
        urgency=ranked.urgency if ranked else "",
        clocks=clocks,
        calendars={name: calendar for name, calendar in calendars.items() if name in wanted},
    )


def working_time(item: CatalogItem) -> set[str]:
    """Return the ids of the calendars in which the time of an item's stages is counted; ``""`` for the company's."""
    return {stage.calendar or "" for stage in item.approvals if isinstance(stage.decide_within, Working)}
