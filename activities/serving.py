"""How actions, providers and HTTP become activities: which stand on which task queue, and how long they are open.

Here a registered thing meets the workflow engine; what it does is its own business. One that cannot be opened is
reported and left out: its steps wait and tell so, while everything else goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.actions import Action, queue_of
from activities.authorship import authored
from activities.errors import UnknownOutcome
from activities.heartbeat import heartbeating
from activities.http import Http
from activities.mapping import connector_errors, understood
from activities.plugins import Plugins, Problem, attempt
from activities.ports import Ports
from activities.providers import Choosing, Provider
from catalog.access import Observed
from catalog.choices import Choices, ChoicesQuery

Activity = Callable[..., Any]


class ChoiceLists:
    """The providers' activity."""

    def __init__(self, choosing: Choosing) -> None:
        self._choosing = choosing

    @activity.defn(name="choices.list", no_thread_cancel_exception=True)
    @connector_errors
    def choices(self, query: ChoicesQuery) -> Choices:
        """Return what a provider answers."""
        return self._choosing.choices(query)


@dataclass(frozen=True)
class Served:
    """What a worker can serve: activities by task queue, and what could not be opened.

    Attributes:
        choosing: the providers, for what asks them in the same process.
    """

    choosing: Choosing
    by_queue: dict[str, list[Activity]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


@contextmanager
def serving(plugins: Plugins, ports: Ports) -> Iterator[Served]:
    """Open every action set and provider, and HTTP, while the context is open."""
    providers: dict[str, Provider] = {}
    served = Served(Choosing(providers))
    with ExitStack() as stack:
        for name, actions in plugins.action_sets.items():
            with attempt(served.problems, "commissary.actions", name):
                owner = stack.enter_context(actions.open(ports))
                served.by_queue[queue_of(actions.system)] = [as_activity(one, owner) for one in actions.actions()]
        for name, kind in plugins.provider_kinds.items():
            with attempt(served.problems, "commissary.providers", name):
                providers[name] = stack.enter_context(kind.open(ports))
        served.by_queue[queue_of("choices")] = [ChoiceLists(served.choosing).choices]
        served.by_queue[queue_of("http")] = [Http(ports.http).send]
        yield served


def as_activity(action: Action, owner: object) -> Activity:
    """Return the activity of an action's own name: a JSON object in, what was observed out."""
    method: Callable[[Any], Observed] = getattr(owner, action.method)

    @activity.defn(name=action.spec.id, no_thread_cancel_exception=True)
    @heartbeating
    @connector_errors
    def run(given: dict[str, Any]) -> Any:
        taken = understood(action.input, given, action.spec.id)
        try:
            return authored(lambda: method(taken)) if action.spec.changes else method(taken)
        except UnknownOutcome as error:
            if action.spec.idempotent:
                raise
            # Whether to do it a second time is for a human to say.
            raise ApplicationError(str(error), error.ours, type=error.fault, non_retryable=True) from error

    return run
