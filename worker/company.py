"""What the register knows of the company's people, as activities ask it: who stands in for whom, and when they work.

A look-up of approvers waits for a register that is away as it does for a directory.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import TypeVar

from activities.approvers import Company
from activities.errors import Transient
from catalog.calendar_file import PublishedCalendar
from catalog.delegation import Delegation
from records.register import Register, RegisterUnavailable

FRESH = 30.0
"""For how many seconds calendars that were read count as those that hold."""

T = TypeVar("T")


def company(register: Register) -> Company:
    """Return what a register knows of the company."""
    known = Known(register)
    return Company(delegations=known, calendars=known)


class Known:
    """Implements `activities.ports.Delegations` and `activities.ports.Calendars`; safe for several threads."""

    def __init__(self, register: Register, clock: Callable[[], float] = time.monotonic) -> None:
        """Read nothing yet; `clock` counts seconds."""
        self._register, self._clock = register, clock
        self._read: tuple[float, tuple[PublishedCalendar, ...]] | None = None

    def touching(self, person_ids: Collection[str], at: datetime) -> tuple[Delegation, ...]:
        """Return what these people and their delegates have delegated; see the port."""
        return _asked(lambda: self._register.touching(person_ids, at))

    def calendars(self) -> tuple[PublishedCalendar, ...]:
        """Return the calendars as they held within the last `FRESH` seconds; see the port."""
        read, now = self._read, self._clock()
        if read is None or now - read[0] >= FRESH:
            read = self._read = now, _asked(self._register.calendars)
        return read[1]

    def chosen(self, person_ids: Collection[str]) -> Mapping[str, str]:
        """Return which calendars some of these people have chosen; see the port."""
        return _asked(lambda: self._register.chosen(person_ids))


def _asked(question: Callable[[], T]) -> T:
    try:
        return question()
    except RegisterUnavailable as error:
        raise Transient(f"the register does not answer: {error}") from error
