"""Judging: what a scenario expects, held against what came of it; each difference is a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from catalog import duration
from catalog.journal import Kind
from catalog.request import Notice, Projection, Waiting
from catalog.scenario import Expected
from catalog.scenario_events import Sees
from catalog.sketch import at
from catalog.text import moment
from cli.kit.simulation.measuring import is_about, measured
from cli.kit.simulation.world import RefusedOrder, Running, World


def what_it_waits_for(world: World) -> str:
    """Return what the request waits for, and what operators are asked to see to; or that it has ended."""
    shown = world.shown(world.requests[0]) if world.requests else None
    if shown is None:
        return "nothing was written of the request yet"
    if shown.outcome:
        return f"the request is closed: {shown.outcome}"
    waits = [waiting_in_words(waiting) for waiting in shown.waiting]
    said = f"the request waits: {'; also: '.join(waits)}" if waits else f"the request is in {shown.status}"
    return "; ".join([said, *_problems(world)])


def _problems(world: World) -> Iterator[str]:
    """Yield what operators are asked to see to, in the request and those that it placed."""
    for running in world.requests:
        shown = world.shown(running)
        for task in shown.tasks if shown else ():
            if task.kind == "operator" and task.decided is None:
                yield f"the problem: {(task.problem or '').rstrip('.')}"


def waiting_in_words(waiting: Waiting) -> str:
    """Return what is waited for, until when, and what happens then."""
    who = f" ({', '.join(person.name for person in waiting.who)})" if waiting.who else ""
    until = f", until {moment(waiting.until.isoformat())}" if waiting.until else ""
    then = f" ({waiting.at_deadline.rstrip('.')})" if waiting.until and waiting.at_deadline else ""
    return f"{waiting.what.rstrip('.')}{who}{until}{then}"


def seen(event: Sees, world: World, those: list[Running], now: datetime) -> list[str]:
    """Return what should be otherwise at this moment."""
    world.post.deliver(now)
    mailed = _so_far("mailed", event.mailed, world.post.sent)
    return [*_seen(event, world, those), *mailed, *measured(event, world, those[0], now)]


def _seen(event: Sees, world: World, those: list[Running]) -> Iterator[str]:
    shown = world.shown(those[0])
    if shown is None:
        yield "nothing was written of the request yet"
        return
    if event.status and shown.status is not event.status:
        yield f"expected the status {event.status}; it is {shown.status}"
    if event.kind and event.kind not in {waiting.kind for waiting in shown.waiting}:
        yield f"expected it to wait for {event.kind}; {what_it_waits_for(world)}"
    if event.waits_for is not None:
        awaited = {person.login for waiting in shown.waiting for person in waiting.who}
        kinds = {str(waiting.kind) for waiting in shown.waiting}
        missing = [one for one in event.waits_for if one not in awaited | kinds]
        if missing or (not event.waits_for and shown.waiting):
            names = ", ".join(event.waits_for) or "nothing"
            yield f"expected it to wait for {names}; {what_it_waits_for(world)}"
    yield from _waiting(event, shown, world)
    if event.asked is not None:
        asked = {one.person.login for running in those for one in world.asked(running)}
        if asked != {*event.asked}:
            yield f"expected {_listed(event.asked)} to be asked; those asked are: {_listed(sorted(asked))}"
    yield from _so_far("told", event.told, _notices(world))
    yield from _membership(event.has, event.lacks, world)


def _waiting(event: Sees, shown: Projection, world: World) -> Iterator[str]:
    """Yield what should be otherwise about until when is waited, and what is said of it."""
    if event.until is not None:
        until = at(event.until, world.story.scenario.began)
        if not any(is_about(waiting.until - until) for waiting in shown.waiting if waiting.until):
            yield f"expected it to wait until {moment(until.isoformat())}; {what_it_waits_for(world)}"
    if event.calendar is not None and event.calendar not in {waiting.calendar for waiting in shown.waiting}:
        named = _listed(sorted({waiting.calendar or "clock time" for waiting in shown.waiting}))
        yield f"expected its time to be counted in {event.calendar}; it is in: {named}"
    said = [f"{one.what} {one.at_deadline} {one.then}" for one in shown.waiting]
    if event.says and not any(event.says.casefold() in one.casefold() for one in said):
        yield f"expected it to say {event.says!r}; it says: {'; also: '.join(said) or 'nothing'}"


def _so_far(how: str, expected: Mapping[str, Iterable[str]], notices: Iterable[Notice]) -> Iterator[str]:
    """Yield who has not been told, or mailed, exactly that."""
    said = [(notice.to.login, str(notice.template)) for notice in notices]
    for login, templates in expected.items():
        got = [template for recipient, template in said if recipient == login]
        if got != [*templates]:
            wanted, found = (_listed(those, "nothing") for those in (templates, got))
            yield f"expected {login} to have been {how} {wanted}; they were {how}: {found}"


def _listed(names: Iterable[str], otherwise: str = "nobody") -> str:
    return ", ".join(names) or otherwise


def unmet(expected: Expected, world: World, began: datetime) -> list[str]:
    """Return everything that was expected of the story and is not so."""
    return [
        *_ending(expected, world, began),
        *_votes(expected, world),
        *_effects(expected, world),
        *_told(expected, world),
    ]


def unmet_by_refusal(expected: Expected, refused: RefusedOrder) -> list[str]:
    """Return what was expected and is not so, of an order that was not taken."""
    if not expected.refused:
        return [f"the order was refused: {refused}"]
    missing = [name for name in expected.refused if name not in refused.names]
    found = ", ".join(sorted(refused.names))
    sentences = [f"expected the order to be refused by {name}; it was by: {found}" for name in missing]
    if expected.reason and expected.reason.casefold() not in str(refused).casefold():
        sentences.append(f"expected {expected.reason!r} in the reason; it is: {refused}")
    return sentences


def _ending(expected: Expected, world: World, began: datetime) -> Iterator[str]:
    if expected.refused:
        yield f"expected the order to be refused by {', '.join(expected.refused)}; it was taken"
        return
    shown = world.shown(world.requests[0])
    outcome, reason = (shown.outcome, shown.reason) if shown else (None, "")
    if outcome != expected.outcome:
        wanted = f"expected it to end as {expected.outcome}" if expected.outcome else "expected it to be open still"
        if outcome is None:
            yield f"{wanted}; nothing happens any more: {what_it_waits_for(world)}"
        else:
            yield f"{wanted}; it ended as {outcome}: {reason}"
    if expected.reason.casefold() not in reason.casefold():
        yield f"expected {expected.reason!r} in the reason; it is: {reason or '–'}"
    if shown and shown.closed_at:
        yield from _lasting(expected, shown.closed_at - began)


def _lasting(expected: Expected, lasted: timedelta) -> Iterator[str]:
    # To the minute, as scenarios tell time: what happens by itself comes some hundredths of a second late.
    lasted -= timedelta(seconds=lasted.total_seconds() % 60)
    if expected.within is not None and lasted > expected.within:
        yield f"expected the end within {duration.words(expected.within)}; it came after {duration.words(lasted)}"
    if expected.not_before is not None and lasted < expected.not_before:
        yield f"expected no end before {duration.words(expected.not_before)}; it came after {duration.words(lasted)}"


def _votes(expected: Expected, world: World) -> Iterator[str]:
    """Yield which votes are not as expected; of several by one person, the last counts."""
    voted: dict[str, str] = {}
    instead: dict[str, list[str]] = {}
    for entry in world.entries():
        if entry.kind is Kind.VOTE and entry.actor:
            voted[entry.actor.login] = str(entry.data["choice"])
            behalf = [str(person["login"]) for person in entry.data.get("on_behalf_of", ())]
            instead.setdefault(entry.actor.login, []).extend(behalf)
    for login, choice in expected.voted.items():
        if voted.get(login) != choice:
            yield f"expected {login} to {choice}; their vote: {voted.get(login, 'none')}"
    for login, whose in expected.on_behalf.items():
        if whose not in instead.get(login, ()):
            yield f"expected {login} to decide for {whose}; they decided for: {_listed(instead.get(login, ()))}"


def _effects(expected: Expected, world: World) -> Iterator[str]:
    yield from _membership(expected.has, expected.lacks, world)
    if expected.writes is not None and world.staff.writes != expected.writes:
        yield f"expected {expected.writes} changes in the directory; there were {world.staff.writes}"
    entries = world.entries()
    yield from _in_order("the journal", [str(entry.kind) for entry in entries], map(str, expected.journal))
    yield from _in_order("the rules", [entry.rule for entry in entries if entry.rule], expected.rules)
    yield from _in_order("the calls", world.pretender.calls, expected.called)


def _membership(
    has: Mapping[str, tuple[str, ...]], lacks: Mapping[str, tuple[str, ...]], world: World
) -> Iterator[str]:
    for group, people in has.items():
        yield from (
            f"expected {one} in {group}; the group has: {_members(world, group)}"
            for one in people
            if one not in world.staff.members(group)
        )
    for group, people in lacks.items():
        yield from (
            f"expected {one} not in {group}; the group has: {_members(world, group)}"
            for one in people
            if one in world.staff.members(group)
        )


def _members(world: World, group: str) -> str:
    return ", ".join(sorted(world.staff.members(group))) or "–"


def _in_order(what: str, found: list[str], wanted: Iterable[str]) -> Iterator[str]:
    """Yield a sentence for the first of those wanted that does not come where it should."""
    ahead = list(found)
    for one in wanted:
        place = next((at for at, other in enumerate(ahead) if other.startswith(one)), None)
        if place is None:
            yield f"expected {one!r} in {what}, in that order; there stands: {', '.join(found) or '–'}"
            return
        ahead = ahead[place + 1 :]


def _notices(world: World) -> list[Notice]:
    """Return the messages that people are owed, request by request, as they came."""
    return [notice for running in world.requests for notice in world.journal.notices(running.number)]


def _told(expected: Expected, world: World) -> Iterator[str]:
    notices = _notices(world)
    for login, templates in expected.told.items():
        got = Counter(str(notice.template) for notice in notices if notice.to.login == login)
        for template in (Counter(map(str, templates)) - got).elements():
            told = ", ".join(got.elements()) or "nothing"
            yield f"expected {login} to be told {template!r}; they were told: {told}"
    for login in expected.not_told:
        got = Counter(str(notice.template) for notice in notices if notice.to.login == login)
        if got:
            yield f"expected {login} to be told nothing; they were told: {', '.join(got.elements())}"
