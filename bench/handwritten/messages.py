"""What the hand-written workflows are told, and what their activities are told. Values only."""

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


class Stages(BaseModel):
    """Ask these, one after the other; `record`: put every decision on record before it is answered."""

    number: str
    approvers: list[str]
    record: bool


class Recorded(BaseModel):
    """A decision, and the how many-th of its request it is."""

    number: str
    stage: int
    decision: Decision


class Mail(BaseModel):
    """One mail."""

    number: str
    to: str
    text: str
