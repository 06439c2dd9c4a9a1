"""The reader of catalog files: YAML in; a checked `Catalog`, or every error of every file at once, out.

The only module of the catalog that reads files. No workflow calls it: a request carries its item pinned. A file
holds one item, written in YAML 1.2 without tags and aliases, so that what stands in the file is all there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from catalog.explain import Place, explain, said
from catalog.form import has_control_characters
from catalog.item import CatalogItem
from catalog.model import Model, digest

MAX_BYTES = 256 * 1024
"""The size of the largest file that is read."""

_YAML = "tag:yaml.org,2002:"


class Problem(Model):
    """One thing wrong with the catalog.

    Attributes:
        file: the file or directory.
        line: counted from 1; None when it concerns the file as a whole.
        path: where in the item, for example ``form[0].type``; empty for the item itself.
        message: what is wrong.
        remedy: what to do about it, a sentence.
    """

    file: str
    line: int | None = None
    path: str = ""
    message: str
    remedy: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {f'{self.path}: ' if self.path else ''}{self.message}. {self.remedy}"


class CatalogError(Exception):
    """The catalog cannot be used; `problems` says everything that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class Catalog:
    """The items people can order, by id; never changes once made. Iterates in the order of their names."""

    def __init__(self, items: Iterable[CatalogItem]) -> None:
        """Take items whose ids differ."""
        self._items = {item.id: item for item in sorted(items, key=lambda item: (item.name.casefold(), item.id))}
        self._digests = {item.id: digest(item) for item in self}

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
    """Read every ``*.yaml`` file of the directories.

    Raises:
        CatalogError: with everything that is wrong in any of them.
    """
    problems: list[Problem] = []
    first: dict[str, tuple[CatalogItem, Path]] = {}
    for path in _files(directories, problems):
        item, reader = _read(path)
        if item and item.id in first:
            _, earlier = first[item.id]
            reader.report(("id",), f"the id {item.id!r} is taken by {earlier}", "Give one of the two items another id.")
        elif item:
            first[item.id] = (item, path)
        problems += reader.problems
    if problems:
        raise CatalogError(problems)
    return Catalog(item for item, _ in first.values())


def _files(directories: Iterable[Path], problems: list[Problem]) -> Iterator[Path]:
    """Yield the files to read, in order of their names; note directories that have none."""
    for directory in directories:
        if not directory.is_dir():
            problems.append(
                Problem(
                    file=str(directory), message="there is no such directory", remedy="Create it or correct its name."
                )
            )
            continue
        found = sorted(directory.glob("*.yaml"))
        if not found:
            problems.append(
                Problem(
                    file=str(directory),
                    message="the directory holds no item",
                    remedy="Put a file ending in .yaml into it, one for each item.",
                )
            )
        yield from found


def _read(path: Path) -> tuple[CatalogItem | None, _Reader]:
    """Return the item of a file, None if there is something wrong with it, and what the reader noted."""
    reader = _Reader(str(path))
    text = reader.text(path)
    data = None if text is None else reader.parse(text)
    if reader.problems:
        return None, reader
    if not isinstance(data, dict):
        reader.report((), f"the file must hold an item, not {said(data)}", "Write 'field: value' lines.")
        return None, reader
    try:
        return CatalogItem.model_validate(data, extra="forbid"), reader
    except ValidationError as error:
        for fault in explain(error):
            reader.report(fault.place, fault.message, fault.remedy)
        return None, reader


class _Reader:
    """Reads one file into plain data; remembers on which line everything stands, and what is wrong."""

    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._lines: dict[Place, int] = {}
        self._seen: set[int] = set()

    def report(self, place: Place, message: str, remedy: str, line: int | None = None) -> None:
        """Note a problem; its line is that of the place, or of the nearest thing around it that stands in the file."""
        known = next((self._lines[place[:n]] for n in range(len(place), -1, -1) if place[:n] in self._lines), None)
        self.problems.append(
            Problem(file=self._file, line=line or known, path=_path(place), message=message, remedy=remedy)
        )

    def text(self, path: Path) -> str | None:
        """Return what the file says; None if it cannot be read as text."""
        try:
            with path.open("rb") as file:
                raw = file.read(MAX_BYTES + 1)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            self.report((), f"the file cannot be read: {reason}", "Check that it is a file and may be read.")
            return None
        if len(raw) > MAX_BYTES:
            self.report((), f"the file is larger than {MAX_BYTES // 1024} KiB", "Make it smaller.")
            return None
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            self.report((), "the file is not UTF-8", "Save it in the encoding UTF-8.", line)
            return None

    def parse(self, text: str) -> Any:
        """Return the plain data of a YAML document."""
        try:
            node = YAML(typ="safe", pure=True).compose(text)
            if node is None:
                self.report((), "the file is empty", "Describe an item in it.", 1)
                return None
            return self._plain(node, ())
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._report_syntax(error.problem or error.context, mark.line + 1 if mark else None)
        except ReaderError as error:
            self._report_syntax("a control character", text.count("\n", 0, error.position) + 1)
        except RecursionError:
            self._report_syntax("lists or fields are nested too deeply", None)
        except (YAMLError, ValueError, OverflowError) as error:
            self._report_syntax(f"something in it is out of range ({error})", None)
        return None

    def _report_syntax(self, what: str, line: int | None) -> None:
        remedy = "Check indentation, brackets and quotes; text that holds ': ' or ' #' needs quotes."
        self.report((), f"this is not YAML: {what}", remedy, line)

    def _plain(self, node: Node, place: Place) -> Any:
        line = node.start_mark.line + 1
        self._lines.setdefault(place, line)
        if id(node) in self._seen:
            self.report(place, "an alias (*) stands here", "Write out what it stands for.", line)
            return None
        self._seen.add(id(node))
        if not str(node.tag).startswith(_YAML):
            self.report(place, f"the tag {node.tag} stands here", "Remove it.", line)
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, place)
        if isinstance(node, SequenceNode):
            return [self._plain(child, (*place, at)) for at, child in enumerate(node.value)]
        if has_control_characters(node.value):
            self.report(place, "the text holds control characters", "Remove them.", line)
        return _scalar(node)

    def _mapping(self, node: MappingNode, place: Place) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode) or has_control_characters(key.value):
                self.report(place, "the name of a field must be text", "Write 'field: value'.", line)
                continue
            name = key.value
            if name in fields:
                self.report((*place, name), "the field stands here a second time", "Keep one of the two.", line)
                continue
            self._lines[(*place, name)] = line
            fields[name] = self._plain(value, (*place, name))
        return fields


def _scalar(node: Node) -> Any:
    """Return a number, true, false, nothing or text; what looks like one of them and is none stays text."""
    try:
        match str(node.tag).removeprefix(_YAML):
            case "int":
                return int(node.value)
            case "float":
                return float(node.value)
            case "bool":
                return {"true": True, "false": False}.get(node.value.lower(), node.value)
            case "null":
                return None
    except ValueError:
        pass  # such as 0x1F: the model says what should stand there
    return node.value


def _path(place: Place) -> str:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return path.removeprefix(".")
