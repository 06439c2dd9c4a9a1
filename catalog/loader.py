"""The reader of catalog directories: YAML files in; the items they hold and everything that is wrong with them out.

The only module of the catalog that opens files. No workflow calls it: a request carries its item pinned.

A directory holds one item in each ``*.yaml`` file. Approval policies that items share are the files of its folder
``policies``, working hours those of its folder ``calendars``; a directory that is itself called ``items`` has these
folders beside it. Scenarios of items (``*.scenario.yaml``) are not the catalog's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import ValidationError

from catalog.calendar_file import CalendarFile
from catalog.explain import explain, said, suggest
from catalog.fields import WRITTEN
from catalog.item import CatalogItem
from catalog.model import Model, digest
from catalog.source import Fault, Finding, Place, Position, Positions, finding, parse
from catalog.stages import Policy

MAX_BYTES = 256 * 1024
"""The size of the largest file that is read."""

_Thing = TypeVar("_Thing", bound=Model)


class Loaded(NamedTuple, Generic[_Thing]):
    """What a file holds, and where each part of it stands there.

    Attributes:
        policy: of an item, the shared policy that its `approvals` come from; they stand in that one's file.
    """

    value: _Thing
    file: str
    positions: Positions
    policy: Loaded[Policy] | None = None


class Reading(NamedTuple):
    """What directories hold.

    Attributes:
        items: by id, those with which nothing is wrong; shared policies are written out in them as `approvals`.
        policies: by id, those with which nothing is wrong.
        files: every file that was read.
        broken: what the others are called, by their id or else by the name of their file.
        problems: everything that is wrong with the others.
        ignored: what was not read though it looks like an item; a warning each.
        calendars: by id, those with which nothing is wrong.
    """

    items: dict[str, Loaded[CatalogItem]]
    policies: dict[str, Loaded[Policy]]
    files: tuple[str, ...]
    broken: frozenset[str]
    problems: tuple[Finding, ...]
    ignored: tuple[Finding, ...]
    calendars: Mapping[str, Loaded[CalendarFile]] = MappingProxyType({})


class CatalogError(Exception):
    """The catalog cannot be used; `problems` says everything that is wrong with it."""

    def __init__(self, problems: Sequence[Finding]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class Catalog:
    """The items people can order, by id; never changes once made. Iterates in the order of their names.

    Attributes:
        calendars: the working hours there are, by id.
    """

    def __init__(self, items: Iterable[CatalogItem], calendars: Iterable[CalendarFile] = ()) -> None:
        """Take items, and calendars, whose ids differ."""
        self._items = {item.id: item for item in sorted(items, key=lambda item: (item.name.casefold(), item.id))}
        self._digests = {item.id: digest(item) for item in self}
        self.calendars: Mapping[str, CalendarFile] = MappingProxyType({one.id: one for one in calendars})

    def __iter__(self) -> Iterator[CatalogItem]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def get(self, item_id: str) -> CatalogItem | None:
        """Return the item with that id."""
        return self._items.get(item_id)

    def digest_of(self, item_id: str) -> str:
        """Return the digest of an item of this catalog; raises KeyError for any other."""
        return self._digests[item_id]


def load(directories: Iterable[Path]) -> Catalog:
    """Read the items of directories, all or nothing.

    Raises:
        CatalogError: with everything that is wrong in any of them.
    """
    reading = read(directories)
    if reading.problems:
        raise CatalogError(reading.problems)
    calendars = (loaded.value for loaded in reading.calendars.values())
    return Catalog((loaded.value for loaded in reading.items.values()), calendars)


def read(directories: Iterable[Path]) -> Reading:
    """Read the items of directories; what is wrong with one file takes no other away.

    An item is wrong, too, if its id is taken by an item of an earlier file, or its policy cannot be used.
    """
    shelf = _Shelf()
    standing = [directory for directory in directories if shelf.can_read(directory)]
    for folder in dict.fromkeys(map(_home_of, standing)):
        for path in sorted((folder / "policies").glob("*.yaml")):
            shelf.add_policy(path)
        for path in sorted((folder / "calendars").glob("*.yaml")):
            shelf.add_calendar(path)
    shelf.check_unions()
    for directory in standing:
        for path in _items_of(directory):
            shelf.add_item(path)
    ignored = tuple(one for directory in standing for one in _ignored(directory))
    return Reading(
        shelf.items,
        shelf.policies,
        tuple(shelf.files),
        frozenset(shelf.broken),
        tuple(shelf.problems),
        ignored,
        shelf.calendars,
    )


def _home_of(directory: Path) -> Path:
    return directory.parent if directory.name == "items" else directory


def _items_of(directory: Path) -> list[Path]:
    return sorted(path for path in directory.glob("*.yaml") if not path.name.endswith(".scenario.yaml"))


def _ignored(directory: Path) -> Iterator[Finding]:
    fault = Fault("wrong-extension", (), "this file is not read", "Let its name end in .yaml.", (1, 1))
    for path in sorted(directory.glob("*.yml")):
        yield finding(str(path), fault, {}, "warning")


class _Shelf:
    """What has been read so far."""

    def __init__(self) -> None:
        self.items: dict[str, Loaded[CatalogItem]] = {}
        self.policies: dict[str, Loaded[Policy]] = {}
        self.calendars: dict[str, Loaded[CalendarFile]] = {}
        self.files: list[str] = []
        self.broken: set[str] = set()
        self.problems: list[Finding] = []

    def can_read(self, directory: Path) -> bool:
        """Return whether there are items; note it if not."""
        if not directory.is_dir():
            fault = Fault("no-directory", (), "there is no such directory", "Create it or correct its name.")
        elif not _items_of(directory):
            remedy = "Put a file ending in .yaml into it, one for each item."
            fault = Fault("empty-directory", (), "the directory holds no item", remedy)
        else:
            return True
        self.problems.append(finding(str(directory), fault, {}))
        return False

    def add_policy(self, path: Path) -> None:
        """Take the policy of a file."""
        if loaded := self._read(path, Policy):
            self._keep(loaded, self.policies, "policies")

    def add_calendar(self, path: Path) -> None:
        """Take the calendar of a file."""
        if loaded := self._read(path, CalendarFile):
            self._keep(loaded, self.calendars, "calendars")

    def check_unions(self) -> None:
        """Leave out the unions of calendars that cannot be used."""
        plain = {name for name, loaded in self.calendars.items() if not loaded.value.union}
        for name, loaded in list(self.calendars.items()):
            for at, part in enumerate(loaded.value.union):
                if part not in plain:
                    what = "is a union itself" if part in self.calendars else "is not there, or cannot be used"
                    fault = Fault("unknown-calendar", ("union", at), f"{part!r} {what}", suggest(part, sorted(plain)))
                    self._note(loaded, fault)
                    self.calendars.pop(name, None)

    def add_item(self, path: Path) -> None:
        """Take the item of a file, with its policy written out."""
        loaded = self._read(path, CatalogItem)
        if loaded and (expanded := self._expanded(loaded)):
            self._keep(expanded, self.items, "items")

    def _keep(self, loaded: Loaded[_Thing], those: dict[str, Loaded[_Thing]], what: str) -> None:
        known: str = getattr(loaded.value, "id")  # noqa: B009  the models have no common ancestor with an id
        if known in those:
            message = f"the id {known!r} is taken by {those[known].file}"
            self._note(loaded, Fault("duplicate-id", ("id",), message, f"Give one of the two {what} another id."))
        else:
            those[known] = loaded

    def _expanded(self, loaded: Loaded[CatalogItem]) -> Loaded[CatalogItem] | None:
        """Return an item with the stages of its policy; nothing, and why noted, if they cannot be had."""
        item, place = loaded.value, ("approval_policy",)
        if item.approval_policy is None:
            return loaded
        policy = self.policies.get(item.approval_policy)
        if item.approvals:
            message = "the item has a shared policy and approvals of its own"
            self._note(loaded, Fault("two-policies", place, message, "Remove 'approval_policy' or 'approvals'."))
        elif policy is None:
            message = f"there is no usable approval policy {item.approval_policy!r}"
            self._note(loaded, Fault("unknown-policy", place, message, suggest(item.approval_policy, self.policies)))
        else:
            item = item.model_copy(update={"approvals": policy.value.stages})
            return Loaded(item, loaded.file, loaded.positions, policy)
        return None

    def _note(self, loaded: Loaded[Any], fault: Fault) -> None:
        self.problems.append(finding(loaded.file, fault, loaded.positions))

    def _read(self, path: Path, model: type[_Thing]) -> Loaded[_Thing] | None:
        """Return what a file holds; None, and its faults noted, if something is wrong with it."""
        self.files.append(str(path))
        loaded, problems = read_file(path, model)
        self.problems += problems
        if loaded is None:
            self.broken.add(_name_of(path))
        return loaded


def _name_of(path: Path) -> str:
    """Return what a file that is broken would be called: by its id, or else by its own name."""
    text = _text(path)
    data = parse(text)[0] if isinstance(text, str) else None
    name = data.get("id") if isinstance(data, dict) else None
    return name if isinstance(name, str) else path.stem


def read_file(path: Path, model: type[_Thing]) -> tuple[Loaded[_Thing] | None, list[Finding]]:
    """Return what one file holds as a `model`, or else everything that is wrong with it."""
    file = str(path)
    positions: dict[Place, Position] = {}
    text = _text(path)
    if isinstance(text, Fault):
        faults = [text]
    else:
        data, positions, faults = parse(text)
        if not faults:
            value, faults = validate(data, model)
            if value is not None:
                return Loaded(value, file, positions), []
    return None, [finding(file, fault, positions) for fault in faults]


def validate(data: Any, model: type[_Thing]) -> tuple[_Thing | None, list[Fault]]:
    """Return what somebody wrote as a `model` that forbids unknown fields, or else its faults."""
    if not isinstance(data, dict):
        remedy = "Write 'field: value' lines."
        return None, [Fault("no-item", (), f"the file must hold fields with values, not {said(data)}", remedy)]
    try:
        return model.model_validate(data, extra="forbid", context=WRITTEN), []
    except ValidationError as error:
        return None, explain(error, model)


def _text(path: Path) -> str | Fault:
    """Return what a file says, or why it cannot be read as text."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        remedy = "Check that it is a file and may be read."
        return Fault("unreadable-file", (), f"the file cannot be read: {reason}", remedy)
    if len(raw) > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES // 1024} KiB"
        return Fault("file-too-large", (), message, "Make it smaller.", (1, 1))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        position = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
        return Fault("not-utf-8", (), "the file is not UTF-8", "Save it in the encoding UTF-8.", position)
