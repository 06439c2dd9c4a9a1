"""Catalog items for tests of what speaks about items: an item that uses all of the language, and changes to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catalog.item import CatalogItem
from catalog.source import parse

FILE = Path(__file__).parents[1] / "kit" / "items" / "new-project.yaml"
PLAIN: dict[str, Any] = {
    "id": "wiki",
    "version": "1.0.0",
    "name": "Wiki",
    "description": "Edit the wiki.",
    "category": "Docs",
    "owner": "ada",
    "workflow": "AccessRequest",
    "entitlement": {"group": "wiki-editors"},
    "sla": {"target": "5 days"},
}
MANAGER = {"id": "manager", "name": "Line manager", "approvers": [{"rule": "manager"}]}


def project() -> CatalogItem:
    """Return an item with every part of the language in it: a form, stages, steps of each kind, a price."""
    return CatalogItem.model_validate(parse(FILE.read_text(encoding="utf-8")).data, extra="forbid")


def plain(**parts: Any) -> CatalogItem:
    """Return a small item; `parts` are as an author writes them, None takes a part away."""
    data = {name: value for name, value in (PLAIN | parts).items() if value is not None}
    return CatalogItem.model_validate(data, extra="forbid")


def steps(*written: dict[str, Any], **parts: Any) -> CatalogItem:
    """Return a small item that is fulfilled by these steps."""
    return plain(workflow=None, entitlement=None, steps=list(written), **parts)
