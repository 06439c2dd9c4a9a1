"""What the hand-written workflow is told, and what its activities are told. Values only."""

from __future__ import annotations

from pydantic import BaseModel

QUEUE = "handwritten"


class Grant(BaseModel):
    """Put a person into a group and tell them; `person` and `group` are DNs."""

    number: str
    person: str
    group: str
    mail: str


class Decision(BaseModel):
    """What an approver says."""

    by: str
    approve: bool


class Mail(BaseModel):
    """One mail."""

    number: str
    to: str
    text: str
