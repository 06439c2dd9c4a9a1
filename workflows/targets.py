"""Targets: what a request looks up and changes outside, tried for as long as it takes, and taken back if need be.

A target that fails for good opens an operator task instead of failing the request. What was done is on record from
the intent to what was seen; only what is, or may be, this request's doing is ever taken back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Generic, NamedTuple, TypeVar
from urllib.parse import urlsplit

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from workflows.messages import ORDERS_QUEUE
from workflows.operators import Operators, OperatorSaid
from workflows.options import ACTION, CAREFULLY, DIRECTORY
from workflows.patience import Patience
from workflows.record import Record

with workflow.unsafe.imports_passed_through():
    from activities.actions import queue_of
    from activities.identity import Identity
    from activities.ordering import ChildOrder, Ordering, Placed
    from catalog.journal import Kind
    from catalog.model import Model
    from catalog.request import Status, Waiting, WaitKind
    from catalog.steps import Retry
    from catalog.text import capital, one_line

A = TypeVar("A")
R = TypeVar("R")


@dataclass(frozen=True)
class Call(Generic[R]):
    """One thing to do outside.

    Attributes:
        what: in words, ``Add Ada Byron to vpn-users``.
        system: which system, in words, ``the directory``: everybody who sees the request reads it.
        start: begins an attempt; the engine repeats it while it fails for a while only.
        within: how long that goes on before an operator is asked.
        key: what tells it from others that do the same.
        then: what comes after it, as a sentence, where more is known of that than that the request goes on.
    """

    what: str
    system: str
    start: Callable[[], workflow.ActivityHandle[R]]
    within: timedelta
    key: str = ""
    then: str = ""


class Tries(NamedTuple):
    """How long and how often something is tried, where that differs from what is usual."""

    within: timedelta | None = None
    retry: Retry | None = None


USUAL = Tries()
DIRECTORY_CALLED = "the directory"
UNDONE = "Whatever else was done is taken back, then the request ends."
"""What comes after something that takes a step back."""
_THEN = {
    "frame.look-up": "The request goes on with the answer.",
    "frame.effect": "The request goes on.",
    "frame.undo": UNDONE,
}
"""What comes after a call, by the rule that it is made by, where nothing more is known."""


def on_directory(activity: Callable[[Identity, A], R], argument: A, what: str, tries: Tries = USUAL) -> Call[R]:
    """Return the call of one of the directory's activities."""
    options = DIRECTORY.copy()
    if tries.within:
        options["schedule_to_close_timeout"] = tries.within
    if tries.retry:
        options["retry_policy"] = _policy(tries.retry)
    return Call(
        what=what,
        system=DIRECTORY_CALLED,
        start=lambda: workflow.start_activity_method(activity, argument, summary=what, **options),
        within=options["schedule_to_close_timeout"],
    )


def on_system(
    action: str, argument: dict[str, Any], what: str, tries: Tries = USUAL, *, idempotent: bool = True
) -> Call[dict[str, Any]]:
    """Return the call of a registered action."""
    system, options = action.partition(".")[0], ACTION.copy()
    if tries.within:
        options["schedule_to_close_timeout"] = tries.within
    if tries.retry:
        options["retry_policy"] = _policy(tries.retry)
    if not idempotent:  # whether to try again after an unknown outcome is for a human to say
        options["retry_policy"] = replace(options["retry_policy"], non_retryable_error_types=CAREFULLY)
    return Call(
        what=what,
        system=_called(system, argument),
        start=lambda: workflow.start_activity(
            action, argument, result_type=dict[str, Any], summary=what, task_queue=queue_of(system), **options
        ),
        within=options["schedule_to_close_timeout"],
    )


def _called(system: str, argument: dict[str, Any]) -> str:
    """Return what people call a system; of an address only its host, for the rest may be a secret."""
    if system == "directory":
        return DIRECTORY_CALLED
    if system != "http":
        return f"the system “{system}”"
    try:
        host = urlsplit(str(argument["url"])).hostname
    except ValueError:  # what sends it says so
        host = None
    return f"the web service at {one_line(host)}" if host else "a web service"


def _policy(retry: Retry) -> RetryPolicy:
    return RetryPolicy(
        initial_interval=retry.pause,
        backoff_coefficient=2,
        maximum_interval=max(retry.pause, retry.longest_pause),
        maximum_attempts=retry.attempts or 0,
    )


def on_orders(child: ChildOrder, what: str) -> Call[Placed]:
    """Return the call that puts another order on record."""
    return Call(
        what=what,
        system="the register of requests",
        start=lambda: workflow.start_activity_method(
            Ordering.place, child, summary=what, task_queue=ORDERS_QUEUE, **ACTION
        ),
        within=ACTION["schedule_to_close_timeout"],
    )


class Targets:
    """Everything one request does outside."""

    def __init__(self, record: Record, patience: Patience, operators: Operators) -> None:
        self._record = record
        self._patience = patience
        self._operators = operators
        self._may_be_ours: dict[str, bool] = {}
        self._flushing: asyncio.Future[None] | None = None  # held so that it is not collected while it runs
        self.begun = False

    async def look_up(self, call: Call[R], *, cancellable: bool = True) -> R:
        """Return what a system says, asking as often as it takes.

        Raises:
            Ended: the request was called off, by its people or by an operator.
        """
        while True:
            result = await self._attempt(call, rule="frame.look-up", cancellable=cancellable)
            if not isinstance(result, ActivityError):
                if cancellable:
                    self._patience.stop_if_called_off()  # before anybody is asked to decide
                return result
            self._note_failure(call, result, cancellable=cancellable)
            choices = ("retry", "cancel") if cancellable else ("retry",)
            await self._operators.ask(call.what, _cause(call, result)[1], choices, cancellable=cancellable)

    async def effect(self, call: Call[R]) -> R | OperatorSaid:
        """Change a target and return what was seen of it, or what the operator said who went on without it.

        Raises:
            Ended: the request was called off, by its people or by an operator.
        """
        ours, key = False, call.key or call.what
        while True:
            self._patience.stop_if_called_off()
            self.begun = True
            self._record.note(Kind.EFFECT_INTENDED, {"effect": call.what}, status=Status.FULFILMENT)
            self._may_be_ours[key] = True  # until an answer says otherwise
            result = await self._attempt(call, rule="frame.effect")
            ours = self._may_be_ours[key] = ours or _is_ours(result)
            if not isinstance(result, ActivityError):
                self._record.note(Kind.EFFECT_OBSERVED, {"effect": call.what, **_facts(result)})
                self._patience.stop_if_called_off()
                return result
            self._note_failure(call, result)
            said = await self._operators.ask(call.what, _cause(call, result)[1], ("retry", "skip", "cancel"))
            if said.choice == "skip":
                return said

    async def undo(self, call: Call[Any], *, of: str | None) -> None:
        """Take the effect `of` back, however long that takes, if it may be there because of this request.

        What others gave is left alone. Only an operator leaves something of ours behind, with a reason.
        """
        if of is not None and not self.may_be_ours(of):
            return
        while True:
            self._record.note(Kind.UNDO_INTENDED, {"effect": call.what}, status=Status.ROLLBACK)
            result = await self._attempt(call, rule="frame.undo", cancellable=False)
            if not isinstance(result, ActivityError):
                self._record.note(Kind.UNDO_OBSERVED, {"effect": call.what, **_facts(result)})
                return
            self._note_failure(call, result, cancellable=False)
            problem = _cause(call, result)[1]
            said = await self._operators.ask(call.what, problem, ("retry", "skip"), cancellable=False)
            if said.choice == "skip":
                return

    def may_be_ours(self, effect: str) -> bool:
        """Return whether an effect may be there because of this request."""
        return self._may_be_ours.get(effect, False)

    async def _attempt(self, call: Call[R], *, rule: str, cancellable: bool = True) -> R | ActivityError:
        """Run an activity, on record as waiting for it; return its failure once it has failed for good.

        When the request is called off, the attempt under way is awaited first, so that undoing cannot overtake it.
        """
        key = self._explain(call, rule)
        running = call.start()
        self._record.attempting += 1
        self._flush_meanwhile()
        cancelled: asyncio.CancelledError | None = None
        try:
            await workflow.wait_condition(
                lambda: running.done() or (cancellable and self._patience.called_off is not None)
            )
        except asyncio.CancelledError as cancel:
            cancelled = cancel
        if not running.done():
            running.cancel()
        try:
            result: R | ActivityError = await running
        except ActivityError as failure:
            result = failure
        self._record.attempting -= 1
        self._record.waited_for(key)
        if cancelled:
            raise cancelled
        return result

    def _note_failure(self, call: Call[Any], failure: ActivityError, *, cancellable: bool = True) -> None:
        """Put a failure on record, unless it only failed because the request was called off.

        What exactly went wrong stands in the operators' task: it may name servers and accounts.
        """
        if cancellable:
            self._patience.stop_if_called_off()
        self._record.note(Kind.EFFECT_FAILED, {"effect": call.what, "fault": _cause(call, failure)[0]})

    def _explain(self, call: Call[Any], rule: str) -> str:
        """State that a system is waited for."""
        waiting = Waiting(
            kind=WaitKind.SYSTEM,
            what=f"{call.what}. While {call.system} does not answer, it is tried again.",
            whom=call.system,
            since=workflow.now(),
            until=workflow.now() + call.within,
            rule=rule,
            at_deadline="An operator is asked how to go on.",
            then=call.then or _THEN[rule],
        )
        return self._record.waits_for(waiting)

    def _flush_meanwhile(self) -> None:
        """Begin to write what was noted while an attempt runs, so that an outage shows in the register."""
        # While it is checking, the register says by itself that people are looked up: nothing to write yet.
        if self._record.status is not Status.CHECKING:
            self._flushing = asyncio.ensure_future(self._record.flush())


def _facts(result: Any) -> dict[str, Any]:
    """Return what of an answer goes on record: of an observation all, of anything else only what was observed."""
    if isinstance(result, Model):
        return result.model_dump(mode="json")
    return {key: result[key] for key in ("present", "changed", "ours", "where", "at", "status") if key in result}


def _cause(call: Call[Any], failure: ActivityError) -> tuple[str, str]:
    """Return the fault and what went wrong in the connector's own words; the failure around it says neither."""
    cause = failure.cause
    if isinstance(cause, ApplicationError):
        return cause.type or "", cause.message
    return "timeout", f"{capital(call.system)} did not answer in time ({cause or failure})."


def _is_ours(result: Any) -> bool:
    """Return whether a change may be there because of this attempt; without an answer, it may."""
    if isinstance(result, ActivityError):
        cause = result.cause
        return bool(cause.details[0]) if isinstance(cause, ApplicationError) and cause.details else True
    if isinstance(result, dict):
        return bool(result.get("ours", True))
    return bool(getattr(result, "ours", True))
