"""The command line as its tests run and see it, and an item that asks for answers of many kinds."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest
from support.builders import an_item

from catalog.item import CatalogItem
from cli import main as command_line


class Said(NamedTuple):
    """How a command ended, and what it said, with every run of spaces as one."""

    code: int
    text: str


Commissary = Callable[..., Said]


def without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away every setting that the tests' own environment has."""
    for name in [name for name in os.environ if name.startswith("COMMISSARY_")]:
        monkeypatch.delenv(name)


def exit_code(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run ``commissary`` with these arguments in this process, and return how it ended."""
    monkeypatch.setattr(sys, "argv", ["commissary", *arguments])
    with pytest.raises(SystemExit) as end:
        command_line.main()
    return int(end.value.code or 0)


FORM = [
    {"id": "why", "type": "text", "label": "Why"},
    {"id": "count", "type": "integer", "label": "How many", "required": False},
    {"id": "urgent", "type": "yes_no", "label": "Urgent", "required": False},
    {"id": "day", "type": "date", "label": "Day", "required": False},
    {"id": "colours", "type": "multi_choice", "label": "Colours", "choices": ["red", "green"], "required": False},
    {"id": "team", "type": "people", "label": "Team", "required": False},
    {"id": "offer", "type": "attachment", "label": "Offer", "media_types": ["text/*", "image/*"], "required": False},
    {"id": "pin", "type": "secret", "label": "PIN", "required": False},
    {
        "id": "desks",
        "type": "rows",
        "label": "Desks",
        "required": False,
        "fields": [
            {"id": "room", "type": "text", "label": "Room"},
            {"id": "height", "type": "integer", "label": "Height", "required": False},
        ],
    },
    {"id": "how_soon", "type": "text", "label": "How soon", "visible": "form.urgent == true"},
]


def office_kit() -> CatalogItem:
    """Return an item that asks for answers of many kinds."""
    plain = an_item().model_dump() | {"id": "office-kit", "name": "Office kit", "form": FORM, "duplicates": "allow"}
    return CatalogItem.model_validate(plain, extra="forbid")
