"""Stories: scenario files, read with the item they are about and the company they play in; what is wrong with them.

Files only: nothing runs here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

from activities import plugins
from activities.calendars import UnknownHolidays, expand
from catalog.calendar_file import CalendarFile, PublishedCalendar
from catalog.explain import suggest
from catalog.item import CatalogItem
from catalog.loader import Loaded, read, read_file
from catalog.registry import Known
from catalog.scenario import FULFILMENT, Scenario, ScenarioFile, faults
from catalog.scenario_events import GoesDown, Refuses, Sees
from catalog.sketch import Company
from catalog.source import Fault, Finding, Place, finding
from catalog.steps import RequestStep, walk

FOLDER = "scenarios"
COMPANY = "company.yaml"

Shelf = dict[str, CatalogItem]
"""The items that can be ordered, by id."""


class Story(NamedTuple):
    """One scenario, ready to be played.

    Attributes:
        file, line: where it stands.
        company: who there is in it.
        shelf: what can be ordered besides the item.
        calendars: the working hours there are, with the holidays around the day of the order.
    """

    file: str
    line: int
    item: CatalogItem
    scenario: Scenario
    company: Company
    shelf: Shelf
    calendars: tuple[PublishedCalendar, ...] = ()

    @property
    def title(self) -> str:
        """The item's id and the scenario's name."""
        return f"{self.item.id}: {self.scenario.name}"

    @property
    def has_parts(self) -> bool:
        """Whether it may become more than one request."""
        steps = any(isinstance(step, RequestStep) for _, step in walk(self.item.steps))
        return steps or bool(self.item.lines) or len(self.scenario.order.beneficiaries) > 1


class Stories(NamedTuple):
    """What was read.

    Attributes:
        problems: everything that is wrong with items and scenarios; what it is about is left out of `stories`.
    """

    stories: tuple[Story, ...]
    problems: tuple[Finding, ...]


def read_stories(paths: Iterable[Path], known: Known | None = None) -> Stories:
    """Return the scenarios of items, of scenario files and of whole directories.

    Args:
        paths: directories of items; files of items, whose scenarios stand in the folder beside them; scenario files.
        known: what is registered; in this installation unless given.
    """
    known = known or plugins.known()
    asked = list(dict.fromkeys(paths))
    reading = read(dict.fromkeys(_items_beside(path) for path in asked))
    shelf = {name: _offered(loaded.value) for name, loaded in reading.items.items()}
    almanac = _Almanac(reading.calendars)
    stories: list[Story] = []
    problems = [problem for problem in reading.problems if any(_concerns(problem, path) for path in asked)]
    for file in dict.fromkeys(file for path in asked for file in _files(path)):
        found = _Reader(file, shelf, known, almanac).read()
        stories += found.stories
        # Of an item with problems of its own it is said already that it cannot be used.
        told = {Path(problem.file).name for problem in problems}
        problems += (one for one in found.problems if one.rule != "unknown-item" or Path(one.file).name not in told)
    return Stories(tuple(stories), tuple(dict.fromkeys((*problems, *almanac.problems))))


def _offered(item: CatalogItem) -> CatalogItem:
    """Return an item as it will be once it is published: a draft can be tried."""
    return item.model_copy(update={"lifecycle": "published"}) if item.lifecycle == "draft" else item


def _items_beside(path: Path) -> Path:
    """Return the directory of items that a path belongs to."""
    folder = path if path.is_dir() else path.parent
    return folder.parent if folder.name == FOLDER else folder


def _concerns(problem: Finding, path: Path) -> bool:
    """Return whether a problem with an item is one of those asked for; others may be work in progress."""
    return path.is_dir() or Path(problem.file).name == path.name


def _files(path: Path) -> Sequence[Path]:
    """Return the scenario files that a path stands for; one that is missing is found out by reading it."""
    if path.is_dir():
        folder = path if path.name == FOLDER else path / FOLDER
        return sorted(file for file in folder.glob("*.yaml") if file.name != COMPANY)
    return [path if path.parent.name == FOLDER else path.parent / FOLDER / path.name]


class _Almanac:
    """The calendars of a catalog, with the holidays around the day they are asked for.

    Attributes:
        problems: of the calendars whose holidays are not known; they are left out.
    """

    def __init__(self, calendars: Mapping[str, Loaded[CalendarFile]]) -> None:
        self._loaded = calendars
        self._files = {name: loaded.value for name, loaded in calendars.items()}
        self._known: dict[int, tuple[PublishedCalendar, ...]] = {}
        self.problems: list[Finding] = []

    def on(self, day: date) -> tuple[PublishedCalendar, ...]:
        """Return them; one year's are the same on every day of it."""
        if day.year not in self._known:
            self._known[day.year] = tuple(self._expanded(day))
        return self._known[day.year]

    def _expanded(self, day: date) -> Iterator[PublishedCalendar]:
        for name, file in self._files.items():
            try:
                yield PublishedCalendar(file=file, calendar=expand(file, self._files, day))
            except UnknownHolidays as error:
                message, _, remedy = str(error).partition("; ")
                fault = Fault("unknown-holidays", ("holidays",), message, f"{remedy[:1].upper()}{remedy[1:]}")
                self.problems.append(finding(self._loaded[name].file, fault, self._loaded[name].positions))


class _Reader:
    """Reads one scenario file."""

    def __init__(self, file: Path, shelf: Shelf, known: Known, almanac: _Almanac) -> None:
        self._file, self._shelf, self._known, self._almanac = file, shelf, known, almanac

    def read(self) -> Stories:
        """Return its stories; none if anything is wrong with the file, so that no story is left out unseen."""
        loaded, problems = read_file(self._file, ScenarioFile)
        if loaded is None:
            return Stories((), tuple(problems))
        company, problems = self._company(loaded.value)
        item = self._shelf.get(loaded.value.item)
        if item is None:
            message, remedy = f"there is no usable item {loaded.value.item!r}", suggest(loaded.value.item, self._shelf)
            problems.append(
                finding(str(self._file), Fault("unknown-item", ("item",), message, remedy), loaded.positions)
            )
        if company is None or item is None:
            return Stories((), tuple(problems))
        stories = list(self._stories(loaded, company, item))
        problems = [
            finding(str(self._file), fault, loaded.positions)
            for position, story in enumerate(stories)
            for fault in self._faults(story, ("scenarios", position))
        ]
        return Stories((), tuple(problems)) if problems else Stories(tuple(stories), ())

    def _company(self, file: ScenarioFile) -> tuple[Company | None, list[Finding]]:
        """Return the company of the file, or the one that all files of the folder share."""
        if file.company is not None:
            return file.company, []
        shared = self._file.with_name(COMPANY)
        if not shared.exists():
            message = "there is no company: nobody could order"
            remedy = f"Write 'company:' here, or a file {COMPANY} beside it."
            return None, [finding(str(self._file), Fault("missing-key", ("company",), message, remedy), {})]
        loaded, problems = read_file(shared, Company)
        return (loaded.value if loaded else None), problems

    def _stories(self, loaded: Loaded[ScenarioFile], company: Company, item: CatalogItem) -> Iterator[Story]:
        for position, scenario in enumerate(loaded.value.scenarios):
            own = scenario.company.over(company) if scenario.company else company
            line = loaded.positions["scenarios", position][0]
            calendars = self._almanac.on(scenario.began.date())
            yield Story(loaded.file, line, item, scenario, own, self._shelf, calendars)

    def _faults(self, story: Story, place: Place) -> Iterator[Fault]:
        """Yield what a scenario names that there is not, and what cannot be played."""
        if story.scenario.began <= datetime.now(UTC):
            message, remedy = "this is past, and the engine's clock only goes forward", "Write a date in the future."
            yield Fault("wrong-value", (*place, "begins"), message, remedy)
        systems = ["directory", "http", *sorted({one.system for one in self._known.actions.values()} - {"directory"})]
        for position, event in enumerate(story.scenario.events):
            if isinstance(event, GoesDown | Refuses) and event.system not in systems:
                where = (*place, "events", position, "system")
                message = f"there is no system {event.system!r}"
                yield Fault("unknown-value", where, message, suggest(event.system, systems))
        for fault in (*faults(story.scenario, story.company), *_unknown_phases(story), *_unknown_calendars(story)):
            yield fault._replace(place=(*place, *fault.place))


def _unknown_phases(story: Story) -> Iterator[Fault]:
    """Yield what earlier requests are said to have gone through and the item has not."""
    phases = [*(stage.id for stage in story.item.approvals), FULFILMENT]
    for position, earlier in enumerate(story.scenario.earlier):
        for phase in earlier.took:
            if phase not in phases:
                where = ("earlier", position, "took", phase)
                yield Fault("unknown-value", where, f"there is no stage {phase!r}", suggest(phase, phases))


def _unknown_calendars(story: Story) -> Iterator[Fault]:
    """Yield in whose time corrected clocks are to be counted and there is none."""
    calendars = [one.calendar.id for one in story.calendars]
    for position, event in enumerate(story.scenario.events):
        for at, clock in enumerate(event.corrected if isinstance(event, Sees) else ()):
            if clock.calendar is not None and clock.calendar not in calendars:
                where = ("events", position, "corrected", at, "calendar")
                message = f"there is no calendar {clock.calendar!r}"
                yield Fault("unknown-value", where, message, suggest(clock.calendar, calendars))
