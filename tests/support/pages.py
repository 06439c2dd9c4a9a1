"""The pages of the documentation as tests read them: code blocks, sections, tables."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def page(name: str) -> str:
    """Return a page of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """Return the code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def section(text: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one of any level."""
    prose = re.sub(r"^```.*?^```", lambda block: block[0].replace("\n#", "\n\0"), text, flags=re.DOTALL | re.MULTILINE)
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", prose, re.DOTALL | re.MULTILINE)
    assert found, f"there is no heading {heading!r}"
    return found[1].replace("\0", "#")


def rows(text: str) -> dict[str, list[str]]:
    """Return the rows of the tables whose first cell is one code span: that, and the other cells."""
    found = re.findall(r"^\| `([^`]+)` \|(.*)\|$", text, re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split(" | ")] for name, rest in found}


def spans(cell: str) -> set[str]:
    """Return the words that are code in a cell."""
    return set(re.findall(r"`([\w-]+)`", cell))
