"""Pretending: systems that a simulation must not touch answer as the scenario says, and what they were asked is kept.

That is everything outside but the directory: HTTP, the actions and the providers of other packages.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from temporalio import activity

from activities.actions import Action
from activities.errors import NotFound, Rejected
from activities.mapping import connector_errors, understood
from activities.serving import Activity
from catalog.choices import Choice, Choices, ChoicesQuery
from catalog.http import HttpAnswer, HttpCall
from catalog.people import PersonRef
from catalog.scenario import Scenario
from records.register import Register

_WHERE = "simulation"
_ONE_FILE = 10_000
"""How large a file is that somebody attaches, in bytes."""


class Pretender:
    """Answers for the systems of one scenario.

    Attributes:
        calls: what was asked for, in order: ``POST https://…``, ``tickets.open``.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self.calls: list[str] = []

    def send(self, call: HttpCall) -> HttpAnswer:
        """Answer a request as the scenario says; see `activities.ports.HttpSender`."""
        self.calls.append(f"{call.method} {call.url}")
        fitting = (
            reply
            for reply in self._scenario.http
            if call.url.startswith(reply.url) and reply.method in (None, call.method)
        )
        reply = next(fitting, None)
        status, body = (reply.status, reply.body) if reply else (call.expect[0], {})
        if status not in call.expect:
            raise Rejected(f"{call.url} answered {status}: {body}")
        changed = call.method != "GET"
        return HttpAnswer(present=True, changed=changed, at=_now(), where=_WHERE, status=status, body=body)

    def act(self, action: Action) -> dict[str, Any]:
        """Answer a call of an action as the scenario says."""
        self.calls.append(action.spec.id)
        given = self._scenario.actions.get(action.spec.id, {})
        if not action.spec.changes:
            return {"ours": False, **given}
        seen = {"present": True, "changed": True, "ours": True, "at": _now().isoformat(), "where": _WHERE}
        return {**seen, **given}


def pretended(action: Action, here: Callable[[], Pretender]) -> Activity:
    """Return the activity of an action that only pretends; what it is given is checked all the same."""

    @activity.defn(name=action.spec.id, no_thread_cancel_exception=True)
    @connector_errors
    def run(given: dict[str, Any]) -> dict[str, Any]:
        understood(action.input, given, action.spec.id)
        return here().act(action)

    return run


class AnyChoice:
    """A provider that lets everything be chosen."""

    def choices(self, query: ChoicesQuery) -> Choices:
        """See `activities.providers.Provider`."""
        value = query.value or query.search or "anything"
        return Choices(choices=(Choice(value=value, label=value),))


class Safe:
    """The secrets of one scenario, in its register: they are forgotten when their request closes, as always."""

    def __init__(self, register: Register) -> None:
        self._register = register

    def reveal(self, ref: str) -> str:
        """Return the secret that a reference stands for; see `activities.ports.Secrets`."""
        kept = self._register.secret(ref)
        if kept is None:
            raise NotFound("there is no such secret, or it was forgotten when its request closed")
        return kept.decode()


def handed_in(answers: Any, owner: PersonRef, register: Register, at: datetime) -> Any:
    """Return answers with the files and secrets in them handed in, as a client does before it orders."""
    match answers:
        case {"file": str(name)} if len(answers) == 1:
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            return register.keep_file(owner.id, name, kind, bytes(_ONE_FILE), at).id
        case {"secret": str(value)} if len(answers) == 1:
            return {"secret": register.keep_secret(owner.id, value.encode(), at)}
        case dict():
            return {key: handed_in(value, owner, register, at) for key, value in answers.items()}
        case list():
            return [handed_in(value, owner, register, at) for value in answers]
        case _:
            return answers


def _now() -> datetime:
    """Return the time of the request that asks, by its own clock."""
    return activity.info().started_time if activity.in_activity() else datetime.now(UTC)
