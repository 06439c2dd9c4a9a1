"""What an author's file says, as plain data, and where each part of it stands; and what is wrong there.

YAML 1.2 without tags and aliases, so that what stands in the file is all there is. Text in, data out: which files
there are is `loader`'s business, what the data means the models'.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from catalog.model import Model

MAX_DEPTH = 64
"""How deeply lists and groups of fields may be nested."""

Place = tuple[str | int, ...]
"""Where something stands in a file: names of fields and positions in lists, from the top."""

Severity = Literal["error", "warning"]


Position = tuple[int, int]
"""A line and a column, both counted from 1. A bare tuple, because Python's collector forgets those that hold only
numbers, and goes through all others again and again while a thousand files are read."""

Positions = Mapping[Place, Position]


class Finding(Model):
    """One thing wrong with the catalog.

    Attributes:
        file: the file or directory.
        line, column: counted from 1; None when it concerns the file as a whole.
        path: where in the item, for example ``form[0].type``; empty for the item itself.
        rule: a stable id of the kind of mistake; `catalog.lint.RULES` describes each.
        severity: an ``error`` keeps the item from being published, a ``warning`` does not.
        items: ids of the items it concerns, if the file is a policy that they share.
        message: what is wrong.
        remedy: what to do about it, a sentence.
    """

    file: str
    line: int | None = None
    column: int | None = None
    path: str = ""
    rule: str
    severity: Severity = "error"
    items: tuple[str, ...] = ()
    message: str
    remedy: str

    @property
    def where(self) -> str:
        """The file, and as far as known the line and the column, joined by colons."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)

    def __str__(self) -> str:
        return f"{self.where}: {f'{self.path}: ' if self.path else ''}{self.message}. {self.remedy}"


class Fault(NamedTuple):
    """Something wrong at a place; `position` is given where no place of the data stands for it."""

    rule: str
    place: Place
    message: str
    remedy: str
    position: Position | None = None


class Source(NamedTuple):
    """What a file says: `data` counts only if there are no `faults`."""

    data: Any
    positions: dict[Place, Position]
    faults: list[Fault]


def finding(file: str, fault: Fault, positions: Positions, severity: Severity = "error") -> Finding:
    """Return what to tell of a fault; it stands at its place, or at the nearest thing around it that is in the file."""
    line, column = fault.position or nearest(positions, fault.place) or (None, None)
    return Finding(
        file=file,
        line=line,
        column=column,
        path=path_of(fault.place),
        rule=fault.rule,
        severity=severity,
        message=fault.message,
        remedy=fault.remedy,
    )


def nearest(positions: Positions, place: Place) -> Position | None:
    """Return where a place stands, or else the nearest thing around it."""
    return next((positions[place[:n]] for n in range(len(place), -1, -1) if place[:n] in positions), None)


def path_of(place: Place) -> str:
    """Return a place as people write it: ``form[0].type``."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return path.removeprefix(".")


def parse(text: str) -> Source:
    """Return what a YAML text says, or what is wrong with it; never raises."""
    reader = _Reader(text)
    try:
        data = reader.document()
    except _Unreadable as stop:
        return Source(None, reader.positions, [stop.fault])
    except yaml.MarkedYAMLError as error:
        return Source(None, reader.positions, [_refused(text, error)])
    return Source(data, reader.positions, reader.faults)


_CONTROL = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
"""What YAML allows nowhere in a text (YAML 1.2.2, 5.1), byte order marks inside it, and what turns the direction of the
text that follows: with it a line reads as what it does not say."""


class _Unreadable(Exception):
    """Nothing further can be read."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class _Reader:
    """Reads one text event by event: aliases are seen before anything is built of them, and depth is bounded."""

    def __init__(self, text: str) -> None:
        self.positions: dict[Place, Position] = {}
        self.faults: list[Fault] = []
        self._text = text
        self._event: Callable[[], Any]

    def document(self) -> Any:
        """Return the data of the only document; raises `_Unreadable`, or what libyaml does."""
        self._event = _events(self._text)
        self._event()  # the stream begins
        if isinstance(self._event(), StreamEndEvent):
            raise _Unreadable(Fault("no-item", (), "the file is empty", "Describe an item in it.", (1, 1)))
        first = self._event()
        self.positions[()] = _position(first)
        data = self._value(first, ())
        self._event()  # the document ends
        after = self._event()
        if isinstance(after, DocumentStartEvent):
            raise _stop(
                "yaml-syntax", (), "another document begins here", "Put each item into a file of its own.", after
            )
        return data

    def _value(self, event: Any, place: Place) -> Any:
        if isinstance(event, AliasEvent):
            raise _stop("yaml-alias", place, "an alias (*) stands here", "Write out what it stands for.", event)
        if event.tag is not None:
            raise _stop("yaml-tag", place, f"the tag {event.tag} stands here", "Remove it.", event)
        if isinstance(event, ScalarEvent):
            if _has_control(event):
                self._note("control-character", place, "the text holds control characters", "Remove them.", event)
            return _scalar(event.value) if event.implicit[0] else event.value
        if len(place) >= MAX_DEPTH:
            raise _stop("yaml-depth", (), "lists or fields are nested too deeply", "Make the item flatter.", event)
        return self._mapping(place) if isinstance(event, MappingStartEvent) else self._sequence(place)

    def _sequence(self, place: Place) -> list[Any]:
        entries: list[Any] = []
        while not isinstance(event := self._event(), SequenceEndEvent):
            here = (*place, len(entries))
            self.positions[here] = _position(event)
            entries.append(self._value(event, here))
        return entries

    def _mapping(self, place: Place) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        while not isinstance(key := self._event(), MappingEndEvent):
            if not isinstance(key, ScalarEvent) or _has_control(key):
                remedy = "Write 'field: value'; text with {{ … }} needs quotes."
                raise _stop("yaml-key", place, "the name of a field must be text", remedy, key)
            here = (*place, key.value)
            if key.value in fields:
                self._note("duplicate-key", here, "the field stands here a second time", "Keep one of the two.", key)
            self.positions[here] = _position(key)
            fields[key.value] = self._value(self._event(), here)
        return fields

    def _note(self, rule: str, place: Place, message: str, remedy: str, event: Event) -> None:
        self.faults.append(Fault(rule, place, message, remedy, _position(event)))


def _position(event: Any) -> Position:
    mark = event.start_mark
    return mark.line + 1, mark.column + 1


def _has_control(event: ScalarEvent) -> bool:
    """Return whether a text holds control characters; since the file holds none, only double quotes can make them."""
    return event.style == '"' and _CONTROL.search(event.value) is not None


def _stop(rule: str, place: Place, message: str, remedy: str, event: Event) -> _Unreadable:
    return _Unreadable(Fault(rule, place, message, remedy, _position(event)))


def _events(text: str) -> Callable[[], Event | None]:
    """Return what gives the next event that libyaml finds, ten times as fast as a parser in Python."""
    if found := _CONTROL.search(text):
        before = text[: found.start()]
        at = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise _Unreadable(_syntax("a control character stands here", at))
    return yaml.CSafeLoader(text).get_event


def _refused(text: str, error: yaml.MarkedYAMLError) -> Fault:
    """Return what to tell of a text that is not YAML."""
    unclosed = error.context == "while scanning a quoted scalar" and "end of" in str(error.problem)
    mark = error.context_mark if unclosed else error.problem_mark
    assert mark is not None  # libyaml marks what it says
    what = "a quote that is opened here is not closed" if unclosed else str(error.problem)
    is_tab = text[mark.index : mark.index + 1] == "\t"
    return _syntax(what, (mark.line + 1, mark.column + 1), is_tab=is_tab)


def _syntax(what: str, position: Position, *, is_tab: bool = False) -> Fault:
    remedy = "Check indentation, brackets and quotes; text that holds ': ' or ' #' needs quotes."
    if is_tab:
        remedy = "Indent with spaces instead of tabs."
    return Fault("yaml-syntax", (), f"this is not YAML: {what}", remedy, position)


_WORDS = {"~": None, "": None} | {
    form: value
    for word, value in (("null", None), ("true", True), ("false", False))
    for form in (word, word.capitalize(), word.upper())
}
_NUMBERS_BEGIN = "+-.0123456789"
_INTEGER = re.compile(r"[-+]?\d[\d_]*", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?", re.ASCII)


def _scalar(text: str) -> Any:
    """Return a number, true, false, nothing or text; what looks like a number and is none that JSON knows stays text.

    The core schema of YAML 1.2 (10.3.2): yes, no, on and off are text; so is 0x1F, of which the model says what
    should stand there.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBERS_BEGIN:
        return text
    if _INTEGER.fullmatch(text):
        try:
            return int(text)
        except ValueError:  # thousands of digits, or '1_'
            return text
    if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text
