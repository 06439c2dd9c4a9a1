"""Absence: who decides in whose place in a scenario, and how open requests hear that this has changed.

What the API's announcer does in earnest. Which delegations count is `catalog.delegation`'s business.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

from temporalio.service import RPCError, RPCStatusCode

from catalog import delegation
from catalog.delegation import MAX_DEPTH, Delegation, Money, Refusal, Scope
from catalog.scenario import Scenario
from catalog.scenario_events import Delegates, EndsDelegation
from catalog.sketch import DelegationSketch, at
from cli.kit.simulation.world import World
from workflows.messages import LOOK_AGAIN, LookAgain

_BEFORE = timedelta(days=1)
"""How long before the order those delegations were set that stand when it is placed."""


class Absences:
    """The delegations of one scenario."""

    def __init__(self, world: World) -> None:
        """Set those that stand before the order is placed."""
        self._world = world
        self._scenario = world.story.scenario
        self._ids = count(1)
        before = self._scenario.began.astimezone(UTC) - _BEFORE
        self._known.extend(self._made(sketch, before) for sketch in self._scenario.delegations)

    @property
    def _known(self) -> list[Delegation]:
        return self._world.delegations.known

    def set(self, event: Delegates) -> Refusal | Delegation:
        """Set a delegation, if the platform's rules let it be set."""
        made = self._made(event, at(event.at, self._scenario.began))
        refusal = delegation.refuse(made) or delegation.refuse_beside(made, self._known)
        if refusal is None:
            self._known.append(made)
        return refusal or made

    def withdraw(self, event: EndsDelegation) -> tuple[Delegation, ...]:
        """Withdraw what somebody has delegated; return what was in force or to come until then."""
        now = at(event.at, self._scenario.began)
        ended = tuple(
            one
            for one in self._known
            if one.person.login == event.by and event.to in (None, one.delegate.login) and one.over_at > now
        )
        left = [one for one in self._known if one not in ended]
        self._known[:] = [*left, *(one.model_copy(update={"withdrawn_at": now}) for one in ended)]
        return ended

    async def turn(self, moment: datetime) -> None:
        """Tell open requests of the delegations that begin or end by themselves at that moment."""
        for one in self._known:
            if moment in (one.begins, one.over_at):
                await self.announce(one, "begins" if moment == one.begins else "ends")

    async def announce(self, one: Delegation, what: str) -> None:
        """Tell open requests that a delegation has begun or is over: those that wait for somebody it concerns."""
        people = {one.person.id}
        for _ in range(MAX_DEPTH):
            people |= {other.person.id for other in self._known if other.delegate.id in people}
        await self._look_again(LookAgain(people=tuple(sorted(people)), rule=f"delegation.{what}"))

    async def _look_again(self, message: LookAgain) -> None:
        for running in self._world.requests:
            try:
                await running.handle.signal(LOOK_AGAIN, message)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:  # it has ended
                    raise

    def _made(self, sketch: DelegationSketch, set_at: datetime) -> Delegation:
        by, to = (self._world.staff.actor(login).person for login in (sketch.by, sketch.to))
        limit = sketch.up_to and Money(amount=sketch.up_to.amount, currency=sketch.up_to.currency)
        return Delegation(
            id=f"delegation-{next(self._ids)}",
            person=by,
            delegate=to,
            begins=at(sketch.begins, self._scenario.began) if sketch.begins else set_at,
            ends=at(sketch.ends, self._scenario.began),
            scope=Scope(items=sketch.items, categories=sketch.categories, up_to=limit),
            set_by=by,
            created_at=set_at,
        )


def turns(scenario: Scenario) -> Iterator[datetime]:
    """Yield the moments at which a delegation of a scenario begins or ends by itself, while the scenario lasts."""
    began = scenario.began
    events = (event for event in scenario.events if isinstance(event, Delegates))
    for sketch in (*scenario.delegations, *events):
        for moment in filter(None, (sketch.begins, sketch.ends)):
            if began.astimezone(UTC) <= at(moment, began) < began.astimezone(UTC) + scenario.lasts:
                yield at(moment, began)


def said(event: Delegates | EndsDelegation) -> str:
    """Return what somebody arranges, in words."""
    if isinstance(event, EndsDelegation):
        return f"{event.by} takes back what they delegated{f' to {event.to}' if event.to else ''}"
    return f"{event.by} lets {event.to} decide in their place until {event.ends}"
