"""The catalog files that a command of the kit is about: which directories, which item, and what is registered."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

import catalog
from catalog.calendar import Calendar
from catalog.calendar_file import PublishedCalendar
from catalog.explain import suggest
from catalog.item import CatalogItem
from catalog.loader import Loaded, Reading, read, read_file
from catalog.registry import Known
from catalog.text import one_line
from cli.client import Trouble

if TYPE_CHECKING:
    from activities.plugins import Plugins, Problem
    from records.register import Register

SHIPPED = Path(catalog.__file__).parent / "items"


def _one_each(given: list[Path] | None) -> list[Path] | None:
    """Refuse several directories in one, as the variable has them; the option is repeated."""
    for path in given or ():
        if os.pathsep in str(path) and not path.exists():
            told = " ".join(f"--catalog {one}" for one in str(path).split(os.pathsep))
            raise typer.BadParameter(f"there is no directory {path}. For several repeat the option: {told}")
    return given


Catalogs = Annotated[
    list[Path] | None,
    typer.Option(
        "--catalog",
        "-c",
        envvar="COMMISSARY_CATALOG",
        callback=_one_each,
        help="Directory of items; repeat it for several. The shipped catalog if not given.",
    ),
]
ItemName = Annotated[str, typer.Argument(help="An item's id, or the file that holds it.")]
Database = Annotated[
    str | None, typer.Option("--database-url", help="Register whose published versions are looked at, too.")
]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="File to write; the terminal if not given.")]


class NoSuchThing(Trouble):
    """A file, an item or a person that there is not."""

    exit_code = 2


def directories(given: Sequence[Path] | None) -> list[Path]:
    """Return the directories to read."""
    return list(given or [SHIPPED])


def known() -> Known:
    """Return what items may name in this installation; what is registered and of no use is told, and left out."""
    from activities import plugins  # noqa: PLC0415  it loads every action, which most commands can do without

    found = plugins.discover(plugins.NAMED)
    refused = _refused(found)
    for problem in (*found.problems, *refused):
        Console(stderr=True, soft_wrap=True).print(Text(f"Warning: {one_line(problem.message)}"))
    usable = set(found.workflows) - {problem.name for problem in refused}
    return replace(found, workflows={name: found.workflows[name] for name in usable}).known()


def _refused(found: Plugins) -> list[Problem]:
    """Return the workflows of other packages that no worker would take."""
    from activities.plugins import SHIPPED, WORKFLOWS  # noqa: PLC0415  see `known`

    if set(found.workflows) <= {point.name for point in SHIPPED if point.group == WORKFLOWS}:
        return []  # spares most installations the loading of a worker

    from worker.queues import brought  # noqa: PLC0415  see above

    async def load() -> list[Problem]:
        return brought(found)[1]

    return asyncio.run(load())


def find(name: str, catalogs: Sequence[Path] | None) -> CatalogItem:
    """Return the item of a file, or of an id in the directories.

    Raises:
        NoSuchThing: there is none, or something is wrong with it.
    """
    return item_of(Path(name)) if _is_path(name) else _by_id(name, directories(catalogs)).value


def file_of(name: str, catalogs: Sequence[Path] | None) -> Path:
    """Return a file or directory that is named, or else the file that holds the item of an id in the directories.

    Raises:
        NoSuchThing: there is none, or something is wrong with the item.
    """
    path = Path(name)
    if path.exists():
        return path
    if _is_path(name):
        raise NoSuchThing(f"There is no {name}. Name an item, a file of scenarios or a directory.")
    return Path(_by_id(name, directories(catalogs)).file)


def beside(name: str, catalogs: Sequence[Path] | None) -> dict[str, CatalogItem]:
    """Return the items that the one of a file or an id may order, by id: those of its directory, or of all given."""
    return {one: loaded.value for one, loaded in read(folders(name, catalogs)).items.items()}


def calendars(catalogs: Sequence[Path]) -> list[PublishedCalendar]:
    """Return the working hours that directories of items come with, as of today; without those that cannot be used."""
    files = {name: loaded.value for name, loaded in read(catalogs).calendars.items()}
    if not files:
        return []
    from activities.calendars import worked_out  # noqa: PLC0415  slow to load, and most catalogs need none

    found = worked_out(files, datetime.now(UTC).date())
    return [
        PublishedCalendar(file=files[name], calendar=one) for name, one in found.items() if isinstance(one, Calendar)
    ]


def folders(name: str, catalogs: Sequence[Path] | None) -> list[Path]:
    """Return the directories that an item of a file or an id belongs to: that of the file, or all given."""
    return [Path(name).parent] if _is_path(name) else directories(catalogs)


def _is_path(name: str) -> bool:
    return name.endswith((".yaml", ".yml")) or "/" in name


def item_of(file: Path) -> CatalogItem:
    """Return the item of a file, with its shared policy written out.

    Raises:
        NoSuchThing: there is no such file, or something is wrong with it.
    """
    if not file.is_file():
        others = [str(other) for other in sorted(file.parent.glob("*.yaml"))] if file.parent.is_dir() else []
        raise NoSuchThing(f"There is no file {file}. {_nearest(str(file), others)}".strip())
    reading = read([file.parent])
    for loaded in reading.items.values():
        if Path(loaded.file) == file:
            return loaded.value
    if {problem.rule for problem in reading.problems if problem.file == str(file)} == {"duplicate-id"}:
        return _twin(file, reading)
    raise _at_fault(f"{file} holds no item that can be used:", reading, {str(file)})


def _twin(file: Path, reading: Reading) -> CatalogItem:
    """Return an item with which nothing is wrong but that a file beside it has the same id: another version of it."""
    loaded, problems = read_file(file, CatalogItem)
    if loaded is None:  # it was written to meanwhile
        raise NoSuchThing(f"{file} holds no item that can be used:", tuple(map(str, problems)))
    item = loaded.value
    if item.approval_policy is None:
        return item
    return item.model_copy(update={"approvals": reading.policies[item.approval_policy].value.stages})


def _by_id(name: str, catalogs: list[Path]) -> Loaded[CatalogItem]:
    reading = read(catalogs)
    if name in reading.items:
        return reading.items[name]
    if reading.problems and not reading.items:
        raise _at_fault("The catalog cannot be read:", reading)
    broken = {problem.file for problem in reading.problems if Path(problem.file).stem == name}
    if broken:
        raise _at_fault(f"The item {name} cannot be used:", reading, broken)
    raise NoSuchThing(f"There is no item {name!r}. {_nearest(name, reading.items)}".strip())


def _nearest(word: str, among: Iterable[str]) -> str:
    there = list(among)
    return suggest(word, there) if there else ""


def _at_fault(message: str, reading: Reading, files: set[str] | None = None) -> NoSuchThing:
    problems = [str(problem) for problem in reading.problems if files is None or problem.file in files]
    return NoSuchThing(message, tuple(problems or ["commissary catalog lint says what is wrong"]))


@contextmanager
def register(url: str) -> Iterator[Register]:
    """Give the register at a URL.

    Raises:
        Trouble: it cannot be read.
    """
    from records.errors import RegisterUnavailable  # noqa: PLC0415  without a register none of it is needed
    from records.register import Register  # noqa: PLC0415  as above

    try:
        with closing(Register(url)) as opened:
            yield opened
    except (RegisterUnavailable, ValueError) as error:
        raise Trouble(f"The register cannot be read: {error}") from error


def write(text: str, out: Path | None) -> None:
    """Write to a file, or to the terminal.

    Raises:
        Trouble: the file cannot be written.
    """
    if out is None:
        print(text, end="")
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Trouble(f"{out} cannot be written: {error.strerror}. Choose another place with --out.") from error
    print(f"Wrote {out}")
