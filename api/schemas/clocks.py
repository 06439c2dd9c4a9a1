"""What is measured of a request: its clocks, and who held it how long."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from pydantic import Field

from api.measuring import Definition, Measured
from api.schemas.base import In, Out
from catalog.sla import Clock, Mark, State, reached
from catalog.sla_report import Share, explain
from catalog.sla_spec import ClockSpec, Target


class ClocksQuery(In):
    """By which definition of the clocks: that of the order, or that of its item as it is published now."""

    definition: Definition = "ordered"


class NamedOut(Out):
    """An approval stage, or somebody who is or was asked to decide it."""

    id: str
    name: str


class ClockOut(Out):
    """A clock that has been started (feature rows S1, S4, S6, S9)."""

    id: str
    name: str
    stage: NamedOut | None = Field(description="The approval stage it is of; null if it is of the whole request.")
    approver: NamedOut | None = Field(description="Whose decision it measures; null if it measures them all.")
    run: int = Field(description="1, and one more each time it began anew.")
    state: State
    target: Target | None = Field(description="As the item has it; null: it only measures.")
    percent: int = Field(description="How much of the target is over, rounded down.")
    elapsed: timedelta = Field(description="How long it ran, in its working time.")
    paused: timedelta = Field(description="How long it stood still, in its working time.")
    started_at: datetime
    stopped_at: datetime | None
    due_at: datetime | None = Field(description="Null while it is paused, unless it was breached before.")
    breached_at: datetime | None
    reached: tuple[Mark, ...] = Field(description="The warnings, and the breach, that it has come to.")
    ahead: tuple[Mark, ...] = Field(description="Those to come if nothing happens.")
    zone: str = Field(description="The time zone of its working time, in which `explained` tells it.")
    explained: tuple[str, ...] = Field(description="What became of it, a sentence for each moment.")

    @classmethod
    def of(cls, spec: ClockSpec, clock: Clock, measured: Measured) -> Self:
        """Return a clock with the names of what it is of."""
        told = {
            "id": clock.spec,
            "stage": _stage(clock.stage, measured),
            "approver": _approver(clock.person, measured),
            "target": spec.target,
            "reached": reached(clock),
            "explained": explain(clock, measured.stages),
        }
        return cls.model_validate(dict(clock) | told)


class ShareOut(Out):
    """How long an approval stage, or one approver of it, held a request, in working time (feature row S7)."""

    stage: NamedOut
    approver: NamedOut | None = Field(description="Null for the stage as a whole.")
    held: timedelta = Field(description="How long it was theirs to decide.")
    waited: timedelta = Field(description="How long they waited for information they had asked for.")

    @classmethod
    def of(cls, share: Share, measured: Measured) -> Self:
        """Return a share with names."""
        whose = {"stage": _stage(share.stage, measured), "approver": _approver(share.person, measured)}
        return cls.model_validate(dict(share) | whose)


class ClocksOut(Out):
    """What is measured of a request, worked out from its journal (feature rows S3, S5)."""

    number: str
    version: str = Field(description="Of the item whose clocks these are.")
    at: datetime = Field(description="The moment as of which this is.")
    priority: int | None = Field(description="1 is the highest; null if the item gives none.")
    impact: str
    urgency: str
    clocks: tuple[ClockOut, ...]
    shares: tuple[ShareOut, ...] = Field(description="Stages as they began, then approvers.")

    @classmethod
    def of(cls, measured: Measured) -> Self:
        """Return what was measured."""
        shown = {
            "number": measured.order.number,
            "clocks": [ClockOut.of(spec, clock, measured) for spec, clock in measured.clocks],
            "shares": [ShareOut.of(share, measured) for share in measured.shares],
        }
        return cls.model_validate(measured._asdict() | dict(measured.terms) | shown)


def _stage(stage: str, measured: Measured) -> NamedOut | None:
    return NamedOut(id=stage, name=measured.stages.get(stage, stage)) if stage else None


def _approver(person: str, measured: Measured) -> NamedOut | None:
    return NamedOut(id=person, name=measured.people.get(person, "")) if person else None
