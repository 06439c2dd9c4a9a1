"""Meddling: systems that are down or refuse, as scenarios have it, between the engine and every activity.

Times are those of the request's own clock. What an outage means to a request is the workflows' business.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from catalog.errors import Fault

_JOURNAL = "journal.record"
"""What a request writes down is left alone, and is nothing to tell of."""
_A_MOMENT = timedelta(seconds=1)
"""How long after its end an outage is over for sure: clocks are not exact to the millisecond."""
_BEFORE_THE_END = timedelta(minutes=1)
"""How long before an activity is given up it is tried for the last time."""


class Outage(NamedTuple):
    """A system that does not answer from `begins` until `ends`."""

    system: str
    begins: datetime
    ends: datetime


class Attempt(NamedTuple):
    """One attempt of an activity, and how it ended."""

    at: datetime
    request: str
    activity: str
    attempt: int
    ended: str


@dataclass
class Troubles:
    """What is wrong with the systems of one scenario, and every attempt that was made on them.

    Attributes:
        refusals: by system, how many of the next writes it refuses.
    """

    outages: tuple[Outage, ...]
    refusals: dict[str, int] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)

    def outage(self, system: str, at: datetime) -> Outage | None:
        """Return the outage that lasts longest, if the system is down."""
        those = [one for one in self.outages if one.system == system and one.begins <= at < one.ends]
        return max(those, key=lambda one: one.ends, default=None)

    def refuses(self, system: str) -> bool:
        """Return whether the system refuses the write that is made now; counts it."""
        left = self.refusals.get(system, 0)
        self.refusals[system] = max(left - 1, 0)
        return left > 0


class Meddling(Interceptor):
    """See the module."""

    def __init__(self, troubles: Callable[[str], Troubles], writes: Container[str]) -> None:
        """`troubles` are those of a workflow's scenario; `writes` are the activities that change something."""
        self._troubles, self._writes = troubles, writes

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002  the SDK's
        """See the SDK."""
        return _Between(next, self._troubles, self._writes)


class _Between(ActivityInboundInterceptor):
    def __init__(
        self, following: ActivityInboundInterceptor, troubles: Callable[[str], Troubles], writes: Container[str]
    ) -> None:
        super().__init__(following)
        self._of, self._writes = troubles, writes

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002  the SDK's name
        """Carry an activity out, unless its system is in trouble."""
        info = activity.info()
        if info.workflow_id is None or info.activity_type == _JOURNAL:
            return await super().execute_activity(input)
        troubles = self._of(info.workflow_id)
        ended = "done"
        try:
            self._interfere(troubles, input, info)
            return await super().execute_activity(input)
        except ApplicationError as error:
            ended = error.message
            raise
        finally:
            at, number = info.started_time, info.workflow_id
            troubles.attempts.append(Attempt(at, number, info.activity_type, info.attempt, ended))

    def _interfere(self, troubles: Troubles, given: ExecuteActivityInput, info: activity.Info) -> None:
        system = system_of(info.activity_type)
        outage = troubles.outage(system, info.started_time)
        if outage:
            # Tried again when it is over instead of every 30 seconds: the same to the request, and much quicker. (The
            # engine also tries it whenever a leap of the clock lands.)
            pause = min(outage.ends + _A_MOMENT, _last_try(info)) - info.started_time
            raise ApplicationError(
                f"the {system} does not answer",
                False,
                type=Fault.TRANSIENT,
                next_retry_delay=pause if pause > timedelta(0) else None,
            )
        if self._changes(info.activity_type, given) and troubles.refuses(system):
            raise ApplicationError(f"the {system} refuses this", False, type=Fault.REJECTED, non_retryable=True)

    def _changes(self, name: str, given: ExecuteActivityInput) -> bool:
        if name == "http.send":
            return bool(given.args[0].get("method", "GET") != "GET")
        return name in self._writes


def system_of(activity_type: str) -> str:
    """Return the system that an activity is about."""
    system = activity_type.partition(".")[0]
    return "directory" if system in ("identity", "roster") else system


def _last_try(info: activity.Info) -> datetime:
    given_up = info.schedule_to_close_timeout or timedelta(days=1)
    return info.scheduled_time + given_up - _BEFORE_THE_END
