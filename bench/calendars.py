"""What counting working time costs: thirty working days of `catalog.calendar` beside going through them day by day.

The other side adds calendar days in UTC and skips weekends and holidays: no hours, no zone, no changes of the clocks.
Run it as ``python bench/calendars.py``; docs/benchmarks.md says how it is measured. The last line is JSON.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from timeit import timeit

ROOT = Path(__file__).resolve().parents[1]
# So that it runs alone.
sys.path.insert(0, str(ROOT))

from rich.console import Console
from rich.table import Table

from bench.rig.report import Target, conclude
from catalog import calendar
from catalog.calendar import Calendar
from catalog.duration import Working
from catalog.hours import WEEKDAYS

TIMES, ROUNDS = 20, 300
"""So few calls a round that what else the machine does disturbs few of the rounds."""
TARGETS = {"add_us": Target(max=200.0), "days_us": Target(max=200.0), "ratio": Target(max=25.0)}
AT = datetime(2026, 3, 12, 15, 30, tzinfo=UTC)
HOLIDAYS = {date(2025 + n // 13, 1 + n % 12, 1 + 2 * n % 28) for n in range(8 * 13)}
DAY = timedelta(days=1)


def office() -> Calendar:
    """Return the working time of an office in Berlin with holidays of eight years, as it comes out of a history."""
    week = {day: ["09:00-12:30", "13:00-17:00"] for day in WEEKDAYS[:5]}
    days = {day.isoformat(): "closed" for day in HOLIDAYS}
    made = Calendar.model_validate(
        {"id": "berlin", "name": "Berlin", "zone": "Europe/Berlin", "week": week, "days": days}
    )
    return Calendar.model_validate_json(made.model_dump_json())


def day_by_day(at: datetime, days: int) -> datetime:
    """Return the moment so many days later that are neither on a weekend nor holidays."""
    while days:
        at += DAY
        if at.weekday() < 5 and at.date() not in HOLIDAYS:
            days -= 1
    return at


def microseconds(call: Callable[[], object], times: int = TIMES) -> float:
    """Return how long one call takes."""
    return 1e6 * timeit(call, number=times) / times


def main() -> None:
    """Measure and print."""
    kept, length, span = office(), timedelta(hours=30 * 7.5), Working(days=30)
    first = microseconds(lambda: calendar.end(kept, AT, span), 1)
    rounds = []
    for _ in range(ROUNDS):
        again = office()  # equal, but another: what each workflow has
        added = microseconds(lambda c=again: calendar.add(c, AT, length))  # type: ignore[misc]  # bound, as loops ask
        days = microseconds(lambda c=again: calendar.end(c, AT, span))  # type: ignore[misc]  # bound, as loops ask
        rounds.append((added, days, microseconds(lambda: day_by_day(AT, 30))))
    add_us, days_us, stepped_us = (median(column) for column in zip(*rounds, strict=True))
    ratio = median(days / stepped for _, days, stepped in rounds)
    made = Table(title=f"thirty working days, {ROUNDS} rounds of {TIMES} calls")
    for heading in ("add 225 hours, µs", "30 working days, µs", "the first time, µs", "day by day, µs", "ratio"):
        made.add_column(heading, justify="right")
    made.add_row(f"{add_us:.1f}", f"{days_us:.1f}", f"{first:.0f}", f"{stepped_us:.1f}", f"{ratio:.1f}")
    Console(width=110).print(made)
    figures = {"add_us": add_us, "days_us": days_us, "first_us": first, "day_by_day_us": stepped_us, "ratio": ratio}
    conclude("calendars", {name: round(figure, 2) for name, figure in figures.items()}, TARGETS)


if __name__ == "__main__":
    main()
