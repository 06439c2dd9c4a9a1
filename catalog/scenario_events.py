"""What people and systems do in a scenario, and what must be seen meanwhile (part of `scenario`)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field as Constrained
from pydantic import model_validator

from catalog.duration import Duration
from catalog.fields import Number
from catalog.journal import Kind
from catalog.model import Misplaced, Model, Slug
from catalog.request import Outcome, Status, Template, WaitKind
from catalog.sketch import DelegationSketch, Moment
from catalog.sla_spec import ClockSpec


class _Event(Model):
    """What happens at a time.

    Attributes:
        part: of an order of several requests, which one it is about: the id of the bundle's line or of the step that
            ordered it, or the login it is for; without it, the first of them that it can be about.
    """

    at: Moment
    part: str | None = None


class _OnStage(_Event):
    """What somebody does about a decision.

    Attributes:
        stage: which, if it could be another: the id of its stage, or part of its title.
    """

    by: str
    stage: str | None = None
    refused: str | None = None


class Decides(_OnStage):
    """Somebody decides the approval that waits for them.

    Attributes:
        answers: what they make smaller by approving.
        saw: when they looked at it: they decide on what it was then.
        bulk: whether they decide in one go everything that waits for them and may be decided so.
    """

    do: Literal["approve", "reject"]
    reason: str = ""
    answers: dict[str, Any] = {}
    saw: Moment | None = None
    bulk: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> Decides:
        if self.answers and self.do == "reject":
            raise Misplaced("what is rejected cannot be made smaller; remove 'answers', or approve", ("answers",))
        one = next((key for key in ("stage", "refused", "answers", "saw") if getattr(self, key)), None)
        if self.bulk and one:
            raise Misplaced(f"'bulk' decides everything that waits, the same way; remove {one!r} or 'bulk'", (one,))
        return self


class TakesBack(_OnStage):
    """Somebody takes their vote back."""

    do: Literal["withdraw"]


class HandsOn(_OnStage):
    """Somebody's decision goes to another.

    Attributes:
        to: login of who gets it.
        of: login of whose it was, if an operator hands it on.
    """

    do: Literal["reassign"]
    to: str
    of: str | None = None


class Adds(_OnStage):
    """An approver wants somebody else to approve as well.

    Attributes:
        person: their login.
    """

    do: Literal["add"]
    person: str


class Consults(_OnStage):
    """An approver asks somebody's advice.

    Attributes:
        person: login of whom they ask.
        question: what they want to know.
    """

    do: Literal["consult"]
    person: str
    question: str


class Says(_OnStage):
    """An approver asks who ordered it; who was asked answers, or gives the advice that was asked of them.

    Attributes:
        text: the question, the answer or the advice.
    """

    do: Literal["ask", "answer", "advise"]
    text: str


class Reminds(_OnStage):
    """Who waits for a decision asks for it."""

    do: Literal["remind"]


class Amends(_Event):
    """Who ordered it changes what they ordered.

    Attributes:
        answers: those that change, as a client sends them.
    """

    do: Literal["amend"]
    by: str
    answers: Annotated[dict[str, Any], Constrained(min_length=1)]
    reason: str = ""
    refused: str | None = None


class Delegates(_Event, DelegationSketch):
    """Somebody lets another decide in their place."""

    do: Literal["delegates"]
    refused: str | None = None


class EndsDelegation(_Event):
    """Somebody takes back every delegation of theirs.

    Attributes:
        to: only those to this login.
    """

    do: Literal["withdraws-delegation"]
    by: str
    to: str | None = None


class Works(_Event):
    """Somebody does something with the work that waits for them; `task` is part of its title.

    `answers` is the evidence, written as the answers of an order.
    """

    do: Literal["claim", "release", "complete", "decline"]
    by: str
    task: str | None = None
    answers: dict[str, Any] = {}
    reason: str = ""
    refused: str | None = None


class Operates(_Event):
    """An operator says how to go on with what went wrong."""

    do: Literal["retry", "skip", "give-up"]
    by: str
    reason: str = "Seen to."


class Cancels(_Event):
    """Somebody calls the request off."""

    do: Literal["cancel"]
    by: str
    reason: str = ""
    refused: str | None = None


class Comments(_Event):
    """Somebody says something on record."""

    do: Literal["comment"]
    by: str
    text: str


class Reports(_Event):
    """Something is reported that the request waits for."""

    do: Literal["report"]
    event: Slug
    data: dict[str, Any] = {}


class GoesDown(_Event):
    """A system does not answer for a while."""

    do: Literal["down"]
    system: str = "directory"
    lasting: Duration


class Refuses(_Event):
    """A system refuses so many of the following writes until somebody has seen to it."""

    do: Literal["refuse"]
    system: str = "directory"
    times: Annotated[int, Constrained(ge=1, le=100)] = 1


class Changes(_Event):
    """The company changes: somebody leaves, gets another manager, joins or quits a group, or a role."""

    do: Literal["leaves", "returns", "moves", "joins", "quits"]
    who: str
    manager: str | None = None
    group: str | None = None
    role: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Changes:
        if self.do == "moves" and self.manager is None:
            raise Misplaced("'moves' says nothing of the manager; add 'manager: …'", ("manager",))
        if self.do in ("joins", "quits") and (self.group is None) == (self.role is None):
            raise Misplaced(f"{self.do!r} is about one group or one role; write 'group: …' or 'role: …'", ("group",))
        return self


class ClockSight(Model):
    """What a clock must have come to (feature rows S1-S6, S9).

    Attributes:
        id: of its definition.
        stage: the stage it is of; any unless given, the one that began last.
        of: login of the approver it is of.
        state: how it stands; ``late`` if all of its time is over, whether or not it still runs.
        percent: how much of its time is over, rounded down.
        due: when all of it is over, to the minute.
        says: words that hold of what became of it, as it is explained.
    """

    id: Slug
    stage: str | None = None
    of: str | None = None
    state: Literal["running", "paused", "stopped", "cancelled", "late"] | None = None
    percent: Annotated[int, Constrained(ge=0)] | None = None
    due: Moment | None = None
    says: str = ""


class HeldSight(Model):
    """How long somebody must have held the request, in working time, to the minute (feature row S7).

    Attributes:
        stage: the approval stage.
        by: login of one of its approvers; without it the stage as a whole.
        lasting: the time in which it was theirs to decide.
        waited: the time in which they waited for information.
    """

    stage: str
    by: str | None = None
    lasting: Duration
    waited: Duration = timedelta(0)


class PromiseSight(Model):
    """By when the request must be likely to be done (feature row S8).

    Attributes:
        p50: by when it is done as often as not.
        p90: by when it is done nine times of ten.
        by: what that follows from: earlier requests, or the promise of the item's SLA.
    """

    p50: Moment
    p90: Moment
    by: Literal["history", "sla"]


class ContextSight(Model):
    """What somebody must be shown that helps them to decide (feature row A19); what is not given may be anything.

    Attributes:
        cost: what the order costs in its first year, in the units of its currency.
        changes: how often what was ordered has changed.
        history: the votes, changes and advice so far, as kinds of journal entries: all of them, in their order.
        earlier: how the beneficiary's earlier requests for the item ended, the newest first.
        colleagues: how many others of the beneficiary's department had it fulfilled.
        access: the groups that the beneficiary is directly in now.
        gains, loses: those that they get by the order and are not in yet, or lose and are in; for a while too.
    """

    cost: Number | None = None
    changes: int | None = None
    history: tuple[Kind, ...] | None = None
    earlier: tuple[Outcome | None, ...] | None = None
    colleagues: int | None = None
    access: tuple[str, ...] | None = None
    gains: tuple[str, ...] | None = None
    loses: tuple[str, ...] | None = None


class Sees(_Event):
    """At this moment the request must show this.

    Attributes:
        waits_for: whom or what; logins, or a kind of wait.
        asked: logins of all who may decide now, deputies and those they stand in for alike.
        status: where it stands.
        until: when something it waits for is over by itself, to the minute.
        calendar: the name of the calendar in which that was counted.
        says: words that hold of what it waits for, what happens at the deadline, or what comes then.
        told: login -> the messages they were owed so far: all of them, in their order.
        mailed: login -> the mails that have gone out to them so far, by what they wish: all of them, in their order.
        has, lacks: group -> logins who are, or are not, in it.
        clocks: what clocks have come to.
        corrected: definitions by which they are measured instead of those the order was placed with, as after a
            correction of the item.
        held: who has held the request for how long.
        promised: by when it is likely to be done.
        inbox: login -> what stands in their inbox of it: ``mine``, what they are asked in their own right;
            ``delegated``, what they are asked in the place of others; ``overdue``, what is due already. All of it.
        context: login -> what they are shown that helps them to decide.
    """

    do: Literal["see"]
    status: Status | None = None
    waits_for: tuple[str, ...] | None = None
    asked: tuple[str, ...] | None = None
    kind: WaitKind | None = None
    until: Moment | None = None
    calendar: str | None = None
    says: str = ""
    told: dict[str, tuple[Template, ...]] = {}
    mailed: dict[str, tuple[Template, ...]] = {}
    has: dict[str, tuple[str, ...]] = {}
    lacks: dict[str, tuple[str, ...]] = {}
    clocks: tuple[ClockSight, ...] = ()
    corrected: tuple[ClockSpec, ...] = ()
    held: tuple[HeldSight, ...] = ()
    promised: PromiseSight | None = None
    inbox: dict[str, tuple[Literal["mine", "delegated", "overdue"], ...]] = {}
    context: dict[str, ContextSight] = {}


Considers = TakesBack | HandsOn | Adds | Consults | Says | Reminds
"""What can be done about a decision short of taking it (feature rows A9, A10)."""

Event = Annotated[
    Decides
    | TakesBack
    | HandsOn
    | Adds
    | Consults
    | Says
    | Reminds
    | Amends
    | Delegates
    | EndsDelegation
    | Works
    | Operates
    | Cancels
    | Comments
    | Reports
    | GoesDown
    | Refuses
    | Changes
    | Sees,
    Constrained(discriminator="do"),
]
