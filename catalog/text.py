"""Text from people and systems, made safe to show: on one line of a terminal, in a header, in a mail.

Nothing here knows what the text is about.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime

_BREAKS = ("Cc", "Cs", "Zl", "Zp")
MAX_TITLE = 120
"""Characters of the longest title."""
_TURNS = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
"""Characters that turn the direction of what follows: they can make a line read as what it does not say."""


def one_line(text: str) -> str:
    """Return the text on one line: line ends, control characters and runs of spaces become one space."""
    visible = (" " if unicodedata.category(char) in _BREAKS else char for char in text.translate(_TURNS))
    return " ".join("".join(visible).split())


def listed(parts: Iterable[str], last: str = "and") -> str:
    """Return parts as a list in a sentence: ``a, b and c``."""
    *most, end = list(parts) or [""]
    return f"{', '.join(most)} {last} {end}" if most else end


def capital(text: str) -> str:
    """Return a sentence's beginning in a capital letter."""
    return text[:1].upper() + text[1:]


def title(text: str) -> str:
    """Return the text on one line, cut with an ellipsis if it is longer than `MAX_TITLE`."""
    return cut(one_line(text), MAX_TITLE)


def cut(text: str, longest: int) -> str:
    """Return the text, cut with an ellipsis if it has more characters."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def readable(name: str) -> str:
    """Return an id as words: ``hand-over`` is ``Hand over``."""
    return one_line(re.sub("[-_]", " ", name)).capitalize()


def paragraphs(text: str) -> str:
    """Return the text with its line ends as they are, each line as `one_line` gives it."""
    return "\n".join(one_line(line) for line in text.split("\n"))


def quoted(text: str) -> str:
    """Return somebody's words on one line, in quotes."""
    return f"'{one_line(text)}'"


def moment(iso: str) -> str:
    """Return a time for people, ``3 March 2025, 12:00 UTC``; what is no ISO 8601 time comes back on one line."""
    try:
        at = datetime.fromisoformat(iso)
        at = at.astimezone(UTC) if at.tzinfo else at
    except (ValueError, OverflowError):
        return one_line(iso)
    return f"{at.day} {at:%B %Y, %H:%M} UTC"
