"""Steps: the runbook of an item that needs no Python, as an author writes it (feature row K1).

Steps run in the order of the list, each with the results of those before it. What a step does is carried out by
`workflows.steps`; here stands only what can be written. Every text of a step may hold ``{{ … }}``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field as Constrained
from pydantic import model_validator

from catalog.data import Data, When, check
from catalog.duration import Duration
from catalog.fields import Field
from catalog.model import Misplaced, Model, Slug
from catalog.stages import ApproverRule, Stage, check_rules

Text = Annotated[Data, Constrained(json_schema_extra={"type": "string"})]
"""A text with expressions in it."""

MAX_ENTRIES = 200
"""How many entries `for_each` goes through at most."""

MAX_LOOPED = 1_000
"""How many entries all the loops of a request go through: its history holds so many and no more."""


class TaskWork(Model):
    """Work for a human: taken by one of those asked, and completed with evidence.

    Attributes:
        title: what is to be done, in a line.
        instructions: how.
        assign: who is asked.
        due: how soon it should be done; then the operators are told, and the task stays open.
        evidence: what has to be filled in to complete it; later steps use it as ``results.<step>.<field>``.
    """

    do: Literal["task"]
    title: Text
    instructions: Text = ""
    assign: Annotated[tuple[ApproverRule, ...], Constrained(min_length=1)]
    due: Duration | None = None
    evidence: tuple[Field, ...] = ()

    @model_validator(mode="after")
    def _assignment_can_be_read(self) -> TaskWork:
        check_rules(self.assign, "assign")
        for at, field in enumerate(self.evidence):
            if field.id in ("by", "skipped"):
                message = f"{field.id!r} is what the platform says of every step; give the field another id"
                raise Misplaced(message, ("evidence", at, "id"))
        return self


class GrantWork(Model):
    """Put a person into a directory group, and see that they are in it."""

    do: Literal["grant"]
    group: Text
    to: Text = "{{ beneficiary.login }}"


class RevokeWork(Model):
    """Take a person out of a directory group, and see that they are gone."""

    do: Literal["revoke"]
    group: Text
    to: Text = "{{ beneficiary.login }}"


class CallWork(Model):
    """Run a registered action; `input` is what its input model asks for."""

    do: Literal["call"]
    action: Annotated[
        str,
        Constrained(
            pattern=r"^[a-z][a-z0-9-]*\.[a-z][a-z0-9_]*$",
            description="a system and a verb, for example directory.create_group",
        ),
    ]
    input: dict[str, Data] = {}


class HttpWork(Model):
    """Send one HTTP request; the answer is ``results.<step>.status`` and ``.body``.

    Attributes:
        credential: name of a credential that the worker knows; never the secret itself.
        expect: the statuses that mean success.
        idempotent: whether the target heeds the Idempotency-Key header, so that a POST or PATCH may be repeated after
            an unknown outcome; without it an operator is asked.
    """

    do: Literal["http"]
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    url: Text
    headers: dict[str, Text] = {}
    body: Data = None
    credential: Slug | None = None
    expect: tuple[Annotated[int, Constrained(ge=100, le=599)], ...] = (200, 201, 202, 204)
    idempotent: bool = False

    @property
    def repeatable(self) -> bool:
        """Whether it may be sent again after an unknown outcome (RFC 9110, section 9.2.2)."""
        return self.idempotent or self.method in ("GET", "PUT", "DELETE")


class NotifyWork(Model):
    """Write to somebody: requester, beneficiary, or the people that an expression names."""

    do: Literal["notify"]
    to: Annotated[tuple[Text, ...], Constrained(min_length=1)]
    subject: Text
    text: Text


class _Step(Model):
    """What all steps have.

    Attributes:
        id: results of the step are known by it; unique in the item.
        name: what people read while it runs.
        when: left out unless this holds.
    """

    id: Slug
    name: str = ""
    when: When = True


Undo = Annotated[TaskWork | GrantWork | RevokeWork | CallWork | HttpWork | NotifyWork, Constrained(discriminator="do")]
"""How a step is taken back: work of its own, which may use the step's result as ``result``."""


class Retry(Model):
    """How often a system is asked again that fails for a while; then an operator is asked.

    Attributes:
        attempts: how often at most, the first time included.
        pause: before the second attempt; each further pause is twice as long.
        longest_pause: how long a pause becomes at most.
    """

    attempts: Annotated[int, Constrained(ge=1, le=1_000)] | None = None
    pause: Duration = timedelta(seconds=1)
    longest_pause: Duration = timedelta(minutes=5)


class _Effect(_Step):
    """A step that changes something.

    Attributes:
        undo: how to take it back if the request ends badly later; grant and revoke know by themselves.
        irreversible: why it cannot be taken back; said to people before they order.
        timeout: how long it is tried before an operator is asked.
    """

    undo: Undo | None = None
    irreversible: str = ""
    timeout: Duration | None = None

    @model_validator(mode="after")
    def _undo_or_not(self) -> _Effect:
        if self.undo and self.irreversible:
            raise ValueError("a step cannot both be taken back and be irreversible; remove 'undo' or 'irreversible'")
        return self


class TaskStep(TaskWork, _Effect):
    """See `TaskWork`; after `timeout` an operator is asked how to go on."""


class _Tried(_Effect):
    """An effect on a system.

    Attributes:
        retry: how often it is tried, if not again and again until `timeout`.
    """

    retry: Retry | None = None


class GrantStep(GrantWork, _Tried):
    """See `GrantWork`."""


class RevokeStep(RevokeWork, _Tried):
    """See `RevokeWork`."""


class CallStep(CallWork, _Tried):
    """See `CallWork`; what may not simply be repeated is tried once, whatever `retry` says."""


class HttpStep(HttpWork, _Tried):
    """See `HttpWork`; what may not simply be repeated is tried once, whatever `retry` says."""


class NotifyStep(NotifyWork, _Step):
    """See `NotifyWork`."""


class WaitStep(_Step):
    """Let time go by, or wait for an event that an operator or a system reports.

    Attributes:
        duration: how long.
        until: a date or a moment, as an expression.
        event: the name of an event; its data is ``results.<step>``.
        timeout: how long an event is waited for.
        at_deadline: what happens when no event came in time.
    """

    do: Literal["wait"]
    duration: Duration | None = None
    until: Text | None = None
    event: Slug | None = None
    timeout: Duration | None = None
    at_deadline: Literal["operator", "continue", "cancel"] = "operator"

    @model_validator(mode="after")
    def _one_thing(self) -> WaitStep:
        if sum(what is not None for what in (self.duration, self.until, self.event)) != 1:
            raise ValueError("a wait waits for one thing; write one of 'duration', 'until' and 'event'")
        return self


class ApproveStep(_Step):
    """Have somebody decide in the middle of the fulfilment; a refusal ends the request and undoes what was done.

    The name of its stage may hold ``{{ … }}``, so that approvals of one loop can be told apart.
    """

    do: Literal["approve"]
    stage: Stage

    @model_validator(mode="after")
    def _name_can_be_read(self) -> ApproveStep:
        try:
            check(self.stage.name)
        except ValueError as error:
            raise Misplaced(str(error), ("stage", "name")) from None
        return self

    @model_validator(mode="after")
    def _stands_alone(self) -> ApproveStep:
        if self.stage.after is not None:
            raise Misplaced("the stage of a step begins when the step does; remove 'after'", ("stage", "after"))
        return self


class RequestStep(_Step):
    """Order another item as a child of this request; its outcome is ``results.<step>.outcome``.

    Attributes:
        item: id of the item; its newest published version is ordered.
        beneficiary: login of the person it is for.
        wait: whether the next step begins only after it was closed; if so it must be fulfilled.
        undo: what to do if this request ends badly after that one was fulfilled.
        irreversible: why nothing can be done then.
    """

    do: Literal["request"]
    item: Slug
    answers: dict[str, Data] = {}
    beneficiary: Text = "{{ beneficiary.login }}"
    wait: bool = True
    undo: Undo | None = None
    irreversible: str = ""


class ParallelStep(_Step):
    """Run several branches at the same time; goes on when all of them are through."""

    do: Literal["parallel"]
    branches: Annotated[dict[Slug, Annotated[tuple[Step, ...], Constrained(min_length=1)]], Constrained(min_length=2)]


class ForEachStep(_Step):
    """Run steps once for each entry of a list; ``results.<step>`` is the list of their results.

    Attributes:
        each: the list.
        variable: what the steps call an entry.
        at_once: how many entries are worked on at the same time.
    """

    do: Literal["for_each"]
    each: Text
    variable: Slug = "each"
    at_once: Annotated[int, Constrained(ge=1, le=20)] = 1
    steps: Annotated[tuple[Step, ...], Constrained(min_length=1)]


Effect = TaskStep | GrantStep | RevokeStep | CallStep | HttpStep
Work = TaskWork | GrantWork | RevokeWork | CallWork | HttpWork | NotifyWork
Step = Annotated[
    TaskStep
    | GrantStep
    | RevokeStep
    | CallStep
    | HttpStep
    | NotifyStep
    | WaitStep
    | ApproveStep
    | RequestStep
    | ParallelStep
    | ForEachStep,
    Constrained(discriminator="do"),
]

ParallelStep.model_rebuild()
ForEachStep.model_rebuild()


def walk(steps: tuple[Step, ...], place: tuple[Any, ...] = ("steps",)) -> Iterator[tuple[tuple[Any, ...], Step]]:
    """Yield every step with its place in the item, those inside others after the one around them."""
    for at, step in enumerate(steps):
        here = (*place, at)
        yield here, step
        if isinstance(step, ParallelStep):
            for name, branch in step.branches.items():
                yield from walk(branch, (*here, "branches", name))
        elif isinstance(step, ForEachStep):
            yield from walk(step.steps, (*here, "steps"))


def stages(steps: tuple[Step, ...]) -> Iterator[Stage]:
    """Yield the approval stages in the middle of the work."""
    return (step.stage for _, step in walk(steps) if isinstance(step, ApproveStep))
