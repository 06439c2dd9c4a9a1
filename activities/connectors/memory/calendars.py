"""Calendars in memory, for previews and unit tests."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from catalog.calendar_file import PublishedCalendar


class MemoryCalendars:
    """The working hours of people; nobody has chosen theirs unless somebody says so.

    Attributes:
        known: every calendar that holds.
        choices: by person, the calendar they chose.
    """

    def __init__(self, known: Iterable[PublishedCalendar] = ()) -> None:
        self.known = list(known)
        self.choices: dict[str, str] = {}

    def calendars(self) -> tuple[PublishedCalendar, ...]:
        """Return the calendars that hold; see the port."""
        return tuple(self.known)

    def chosen(self, person_ids: Collection[str]) -> dict[str, str]:
        """Return what some of these people have chosen; see the port."""
        return {person: self.choices[person] for person in person_ids if person in self.choices}
