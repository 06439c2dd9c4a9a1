"""Parts of items for comparing versions, and what is told of them."""

from __future__ import annotations

from typing import Any

from catalog.diff import changes
from catalog.item import CatalogItem

TEXT = {"id": "why", "type": "text", "label": "Why"}
CHOICE = {"id": "size", "type": "choice", "label": "Size", "choices": ["s", "m"]}
GRANT = {"id": "grant", "do": "grant", "group": "x"}
NOTE = {"on": "closed", "to": ["ada"], "subject": "Done", "text": "It is done."}
GROUP = {"rule": "group", "group": "it"}
GROUPED = {"id": "manager", "name": "Line manager"}


def told(old: CatalogItem, new: CatalogItem) -> dict[str, Any]:
    """Return what is told, without what is said of an unchanged version."""
    found = changes(old, new)
    return found.model_copy(update={"authors": found.authors[1:]}).model_dump(exclude_defaults=True)
