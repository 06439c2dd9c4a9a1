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

GROUPS = {
    "at_least": 2,
    "of": [
        {"approvers": [{"rule": "manager"}]},
        {"approvers": [{"rule": "group", "group": "security"}], "quorum": "60%", "veto": True},
        {"any": [{"approvers": [{"rule": "role", "role": "ciso"}]}, {"approvers": [{"rule": "item_owner"}]}]},
    ],
}
"""An approval expression."""
TERMS: dict[str, Any] = {
    "distinct": True,
    "deny": 2,
    "remind": {"after": "2 working days", "every": "1 working day", "at_most": 5},
    "notice": "4 working hours",
    "escalate": [{"to": [{"rule": "manager", "levels": 2}], "notice": "1 day", "decide_within": "2 working days"}],
    "at_deadline": "reject",
    "fallback": [{"rule": "item_owner"}],
    "when_nobody": "reject",
    "own": ["requester"],
    "calendar": "germany",
    "acts_in": "office",
    "concerns": ["size"],
    "may_reduce": ["size"],
    "revalidate": True,
    "answer_within": "3 days",
    "unanswered": "return",
    "bulk": False,
}
"""Of each term of a stage, what is not the usual."""
CLOCKS: list[dict[str, Any]] = [
    {"id": "decision", "measures": "decision", "target": "3 working days"},
    {
        "id": "delivery",
        "name": "Delivery",
        "start": {"event": "reported", "status": "shipped"},
        "pause": "attention",
        "stop": ["closed", {"event": "stage-closed", "stage": "manager"}],
        "target": "by 16:00 on the next working day",
        "by_priority": {1: "4 hours"},
        "calendar": "germany",
    },
]
PRIORITY = {"impact": "{{ form.size }}", "urgency": "low"}


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
