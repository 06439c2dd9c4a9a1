"""A request's history as its clocks lived it: its journal, the working time known at each entry, and what comes of it.

What entries say of working time are ids of calendars; what a calendar was when the entry was written is the caller's to
find. Clocks that are read from this come out as they ran. Definitions that were corrected since are applied to the same
history (S3, S5, S7).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from catalog import names, sla
from catalog.calendar import ALWAYS, Calendar
from catalog.item import CatalogItem
from catalog.journal import Entry, Kind
from catalog.request import Order
from catalog.sla import Calendars, Clock, Told
from catalog.sla_events import happened, hours
from catalog.sla_report import Share, breakdown
from catalog.sla_spec import ClockSpec
from catalog.terms import Terms, terms


class Edition(NamedTuple):
    """What a calendar was from some moment on."""

    since: datetime
    calendar: Calendar


class Measures(NamedTuple):
    """What a history comes to at a moment.

    Attributes:
        clocks: each with its definition, in the order of the definitions.
        shares: who held the request how long.
        stages, people: names of approval stages and of approvers, by id.
    """

    clocks: tuple[tuple[ClockSpec, Clock], ...]
    shares: tuple[Share, ...]
    stages: dict[str, str]
    people: dict[str, str]


Editions = Mapping[str, Sequence[Edition]]
"""The editions of calendars, by id, the oldest first."""


def measure(entries: Sequence[Entry], by: Terms, company: Calendars, editions: Editions, now: datetime) -> Measures:
    """Return what a journal comes to.

    Args:
        entries: the journal, in its order.
        by: the terms by which it is measured; the calendars they have are those that their clocks name.
        company: the calendars of the time of the order, by id; under ``""`` the platform's.
        editions: of the calendars that `calendars_named` finds in the journal.
        now: the moment; what happened later is left out.
    """
    told = history(entries, by.calendars, editions)
    clocks = tuple((spec, clock) for spec in by.clocks for clock in sla.read(spec, told, now))
    shares = breakdown(history(entries, {**company, **by.calendars}, editions), now)
    return Measures(clocks, shares, stage_names(entries), approver_names(told))


def calendars_named(entries: Iterable[Entry]) -> frozenset[str]:
    """Return the ids of the calendars in which entries say that people's time is counted."""
    return frozenset(calendar for entry in entries for calendar in hours(entry).values())


def history(entries: Iterable[Entry], own: Calendars, editions: Editions) -> tuple[Told, ...]:
    """Return what happened, each event with the working time that was known then.

    Args:
        entries: the journal, in its order.
        own: the calendars that the clocks' definitions name, by id; under ``""`` the platform's.
        editions: the calendars of people.
    """
    told: list[Told] = []
    people: dict[str, Calendar] = {}
    known = dict(own)
    for entry in entries:
        if said := hours(entry):
            people |= {person: _edition(editions.get(name, ()), entry.at) for person, name in said.items()}
            known = {**people, **own}
        told += (Told(event, known) for event in happened(entry))
    return tuple(told)


def _edition(editions: Sequence[Edition], at: datetime) -> Calendar:
    """Return what a calendar was at a moment; the oldest there is if that came later, and any time if there is none."""
    held = [one for one in editions if one.since <= at] or editions[:1]
    return held[-1].calendar if held else ALWAYS


def stage_names(entries: Iterable[Entry]) -> dict[str, str]:
    """Return the names of the approval stages that were opened, by id."""
    opened = (entry.data for entry in entries if entry.kind is Kind.STAGE_OPENED)
    named = [(data.get("stage"), data.get("name")) for data in opened]
    return {stage: name for stage, name in named if isinstance(stage, str) and isinstance(name, str)}


def approver_names(told: Iterable[Told]) -> dict[str, str]:
    """Return the names of those who were asked to decide, by id."""
    return {event.person: event.by for event, _ in told if event.what == "asked"}


def corrected(order: Order, item: CatalogItem, calendars: Calendars) -> Terms:
    """Return the terms of an order by another version of its item, as of when it was placed (feature row S5).

    Answers that the other version asks for and the order does not have are not given.

    Args:
        order: the order.
        item: the other version.
        calendars: of the company, by id; under ``""`` the platform's.

    Raises:
        ExpressionError: its priority, or the condition of a clock, cannot be worked out for this order.
    """
    known = names.of_order(order, order.accepted_at)
    known["form"] = {field.id: None for field in item.form} | known["form"]
    known["item"] = names.of_item(item)
    return terms(item, known, calendars)
