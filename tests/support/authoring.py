"""An item and its people as authors have them in an empty directory, for the kit's commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Run = Callable[..., tuple[int, str]]
NEW = ("--owner", "ines.okafor", "--category", "Docs")
WIKI = """\
id: wiki
version: 1.0.0
name: Wiki
description: Edit the wiki.
category: Docs
owner: ines.okafor
tags: [docs]
form:
  - {id: why, type: text, label: Why}
  - {id: contract, type: attachment, label: Contract, media_types: [application/pdf], required: false}
  - {id: helpers, type: people, label: Who helps, required: false}
  - {id: seats, type: integer, label: Seats, required: false}
approvals:
  - {id: manager, name: Line manager, approvers: [{rule: manager}], decide_within: 2 days}
  - {id: writers, name: Writers, approvers: [{rule: group, group: wiki-writers}], when: form.seats}
workflow: AccessRequest
entitlement: {group: wiki-editors}
sla: {target: 15 days}
"""
PEOPLE = """\
people:
  ada: {name: Ada Byron, manager: grace}
  grace: {name: Grace Murray}
  ines.okafor: {name: Ines Okafor}
groups:
  wiki-editors: {owners: [grace]}
"""


def broken(items: Path) -> None:
    (items / "broken.yaml").write_text(WIKI.replace("id: wiki\n", "id: other\n").replace("category:", "categry:"))
