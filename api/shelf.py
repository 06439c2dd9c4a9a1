"""The shelf: what can be ordered now. Catalog directories are watched, linted and published into the register.

A changed directory is picked up without a restart. A file with mistakes never takes an item away: the last version
that was published stays on the shelf until its file is right again, or gone. Calendars are published in the same way,
and anew each day: the years whose holidays are known move on. A calendar has no versions; what it says holds at once.

What files say is `catalog.loader`'s business, whether that is wise `catalog.lint`'s, that a version never changes the
register's. Any number of processes may do this side by side: publishing the same again does nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path

from activities.actions import queue_of
from activities.calendars import worked_out
from api.auth import Clock
from catalog.calendar import Calendar
from catalog.calendar_file import PublishedCalendar
from catalog.fields import Field, RowsField
from catalog.item import CatalogItem
from catalog.lint import Almanac, lint
from catalog.loader import Catalog, Loaded, Reading, read
from catalog.model import digest
from catalog.registry import Known
from catalog.source import Fault, Finding, finding
from catalog.steps import CallWork, HttpWork, RequestStep, walk
from records.register import Register, RegisterUnavailable, VersionTaken

_log = logging.getLogger(__name__)

MOST_KEPT = 200
"""Findings that are kept of each file: `catalog lint` shows all of them."""
MOST_TOLD = 20
"""Findings that are logged of each file at once."""
_NO_CALENDARS = ("no-directory", "empty-directory")
"""What keeps calendars from being read that a directory may hold."""
EVERY = timedelta(seconds=1)
"""How often the files are looked at: only their dates and sizes, unless something changed."""


@dataclass(frozen=True)
class Stock:
    """What stands on the shelf.

    Attributes:
        catalog: the newest published version of each item.
        broken: what is wrong with files whose items are not, or not in their newest version, on the shelf; of each the
            first `MOST_KEPT` findings.
        trouble: why files could not be published; empty if they were.
        calendars: how many calendars hold.
    """

    catalog: Catalog
    broken: tuple[Finding, ...] = ()
    trouble: str = ""
    calendars: int = 0

    @cached_property
    def queues(self) -> frozenset[str]:
        """The task queues that orders of these items need, besides those that every order needs."""
        return frozenset(queue for item in self.catalog for queue in _queues(item))


class Shelf:
    """See the module.

    Attributes:
        stock: what stands on it now.
    """

    def __init__(
        self, directories: Sequence[Path], register: Register, known: Known, clock: Clock, every: timedelta = EVERY
    ) -> None:
        """Put nothing on it yet.

        Args:
            directories: where the items are.
            register: where they are published.
            known: what items may name.
            clock: tells the time, UTC.
            every: how long to pause between two looks.
        """
        self._directories, self._register, self._known = tuple(directories), register, known
        self._clock, self._every = clock, every
        self._seen: object = None
        self._item_of: dict[str, str] = {}
        self.stock = Stock(Catalog(()))

    def offers(self, item_id: str) -> bool:
        """Return whether an item of this id is on the shelf."""
        return self.stock.catalog.get(item_id) is not None

    async def run(self) -> None:
        """Keep the shelf up to date until cancelled."""
        while True:
            await asyncio.sleep(self._every.total_seconds())
            try:
                await asyncio.to_thread(self.look)
            except Exception:  # noqa: BLE001  the shelf outlives whatever it meets; nobody would notice its end
                _log.exception("the catalog cannot be looked at; trying again")

    def look(self) -> None:
        """Bring the shelf up to date if files have changed, or could not be published before, or the day has."""
        seen = self._clock().date(), *_stats(self._directories)
        if seen == self._seen and not self.stock.trouble:
            return
        reading = read(self._directories)
        try:
            stock = self._published(reading)
        except RegisterUnavailable as error:
            stock = replace(self.stock, trouble=f"the register does not answer: {error}")
        self._tell(stock)
        self.stock, self._seen = stock, seen

    def _published(self, reading: Reading) -> Stock:
        """Publish what can be, and return what stands on the shelf then.

        Raises:
            RegisterUnavailable: some of it may have been published.
        """
        self._register.check()
        held = self._held_by(reading)
        newest = self._register.newest({*reading.items, *held})
        almanac = _almanac(reading, self._clock().date())
        found = lint(reading, self._known, _others(reading, newest), almanac=almanac)
        broken = [one for one in found if one.severity == "error"]
        calendars = self._publish_calendars(reading, almanac, broken)
        if reading.items:  # an empty directory beside others keeps nothing from the shelf
            broken = [one for one in broken if one.rule != "empty-directory"]
        wrong = {one.file for one in broken} | {reading.items[name].file for one in broken for name in one.items}
        for loaded in reading.items.values():
            # A draft may change as often as its author likes: it is checked and simulated, not published.
            if loaded.file not in wrong and loaded.value.lifecycle != "draft":
                broken += self._publish(loaded, newest)
        offered = [newest[item_id] for item_id in {*reading.items, *held} if item_id in newest]
        told = tuple(one for few in _by_file(broken).values() for one in few[:MOST_KEPT])
        return Stock(Catalog(offered), told, calendars=calendars)

    def _publish_calendars(self, reading: Reading, almanac: Almanac, broken: Iterable[Finding]) -> int:
        """Publish the calendars with which nothing is wrong; return how many hold then.

        Those whose files are gone hold no longer; but as long as some file or directory cannot be used, nobody can
        tell what was in it, and all of them stay.
        """
        wrong = {one.file for one in broken if one.rule in _NO_CALENDARS or Path(one.file).parent.name == "calendars"}
        usable = [
            PublishedCalendar(file=loaded.value, calendar=found)
            for name, loaded in reading.calendars.items()
            if loaded.file not in wrong and isinstance(found := almanac.calendars[name], Calendar)
        ]
        self._register.publish_calendars(usable, self._clock(), complete=not wrong)
        return len(self._register.calendars())

    def _publish(self, loaded: Loaded[CatalogItem], newest: dict[str, CatalogItem]) -> Iterable[Finding]:
        """Publish an item and note that it is the newest; return why it cannot be, if so."""
        item = loaded.value
        standing = newest.get(item.id)
        if standing is not None and standing.version == item.version and digest(standing) == digest(item):
            return
        try:
            self._register.publish(item, loaded.file, self._clock())
        except VersionTaken as error:
            # The other file may be this one, as it was.
            message = f"version {item.version} is published with another content, from {error.standing_source}"
            fault = Fault("version-not-bumped", ("version",), message, "Give the changed item a higher version.")
            yield finding(loaded.file, fault, loaded.positions)
        else:
            newest[item.id] = item

    def _held_by(self, reading: Reading) -> set[str]:
        """Return the items of files that cannot be read now, and of directories that are not there now.

        What a file held that was never read is told by its name, which is the item's id by custom.
        """
        lost = {one.file for one in reading.problems}
        self._item_of = {
            **{file: item_id for file, item_id in self._item_of.items() if {file, str(Path(file).parent)} & lost},
            **{loaded.file: item_id for item_id, loaded in reading.items.items()},
        }
        gone = {item_id for file, item_id in self._item_of.items() if {file, str(Path(file).parent)} & lost}
        return gone | {Path(file).stem for file in lost if file not in self._item_of}

    def _tell(self, stock: Stock) -> None:
        """Say once what is new."""
        told = set(self.stock.broken)
        for file, new in _by_file(one for one in stock.broken if one not in told).items():
            for one in new[:MOST_TOLD]:
                _log.error("the catalog: %s What was published last stays.", one)
            if len(new) > MOST_TOLD:
                _log.error(
                    "the catalog: %s: at least %d findings more; see them with lint.", file, len(new) - MOST_TOLD
                )
        if stock.trouble and not self.stock.trouble:
            _log.warning("items are not published: %s", stock.trouble)
        if self.stock.broken and not stock.broken and not stock.trouble:
            _log.warning("the catalog is right again")


def _by_file(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    by_file: dict[str, list[Finding]] = {}
    for one in findings:
        by_file.setdefault(one.file, []).append(one)
    return by_file


def _stats(directories: Iterable[Path]) -> Iterator[tuple[str, int, int, int, int]]:
    """Yield what changes when a file of the catalog does."""
    for directory in directories:
        beside = directory.parent if directory.name == "items" else directory
        for folder in (directory, beside / "policies", beside / "calendars"):
            for path in sorted(folder.glob("*.yaml")):
                try:
                    stat = path.stat()
                except OSError:  # it is just being replaced
                    continue
                yield str(path), stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino


def _almanac(reading: Reading, today: date) -> Almanac:
    files = {name: loaded.value for name, loaded in reading.calendars.items()}
    return Almanac(today, worked_out(files, today))


def _others(reading: Reading, newest: Mapping[str, CatalogItem]) -> dict[tuple[str, str], str]:
    """Return the newest published version of each item, but not of the version that is in its file.

    Whether that has changed is asked of the register, which knows from which file it came.
    """
    return {
        (item.id, item.version): digest(item)
        for item in newest.values()
        if item.id in reading.items and reading.items[item.id].value.version != item.version
    }


def _queues(item: CatalogItem) -> Iterator[str]:
    if any(_asks_provider(field) for field in item.form):
        yield queue_of("choices")
    if item.lines:
        yield queue_of("orders")
    for _, step in walk(item.steps):
        for work in (step, getattr(step, "undo", None)):
            match work:
                case CallWork():
                    yield queue_of(work.action.partition(".")[0])
                case HttpWork():
                    yield queue_of("http")
                case RequestStep():
                    yield queue_of("orders")
                case _:
                    pass


def _asks_provider(field: Field) -> bool:
    inside: Collection[Field] = field.fields if isinstance(field, RowsField) else ()
    return bool(getattr(field, "provider", None)) or any(_asks_provider(one) for one in inside)
