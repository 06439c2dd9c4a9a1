"""Whom a stage asks in workflow tests, and items with one stage that asks them."""

from __future__ import annotations

from typing import Any

from support.builders import a_stage, an_item

from catalog.item import CatalogItem
from catalog.stages import ByGroup, ByManager, ByPerson

MANAGER = ByManager(rule="manager")
GUARDS = ByGroup(rule="group", group="guards")
CHIEF = ByPerson(rule="person", person="rolf")


def asking(**stage: Any) -> CatalogItem:
    """Return an item with one stage."""
    return an_item(approvals=(a_stage(**stage),))
