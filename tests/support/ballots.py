"""Approvals as they may come to be: stages, people and events that hypothesis draws, to see what always holds.

What is drawn from is made once and kept: to make it anew for each of many thousand stories takes longer than to draw.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cache
from itertools import combinations
from typing import Any, NamedTuple

from hypothesis import strategies as st
from support.builders import NOON, a_person, a_stage, approvals_of

from catalog.approval import apply
from catalog.ballot import (
    Advise,
    Amend,
    Answer,
    Approvals,
    Ask,
    Cancel,
    Cast,
    Change,
    Consult,
    Escalate,
    Event,
    Hand,
    Join,
    Nudge,
    Open,
    Resolve,
    StageEvent,
    StageState,
    StageStatus,
    Supersede,
    Tick,
    Verdict,
    Withdraw,
)
from catalog.calendar import Calendar
from catalog.delegation import Deputy
from catalog.hours import WEEKDAYS, Segment
from catalog.people import Person, PersonRef
from catalog.plan import PlannedStage
from catalog.slate import Seat, Slate
from catalog.stages import AllOf, AnyOf, Asked, ByManager, Requirement, SomeOf, Stage, leaves

ADA, TIM, BEN, CLEO, DANA, EVE, FAY, GUS = PEOPLE = tuple(
    a_person(name) for name in ("Ada", "Tim", "Ben", "Cleo", "Dana", "Eve", "Fay", "Gus")
)
"""Ada orders for Tim; all may be named."""

STAGES = ("first", "second", "third")
SUBJECTS = ("sha256:1", "sha256:2")

people = st.sampled_from(PEOPLE)
refs = people.map(Person.ref)
verdicts = st.sampled_from((*(Verdict.APPROVE,) * 4, Verdict.REJECT))

OFFICE = Calendar(id="office", name="Office", week={day: (Segment(8 * 60, 18 * 60),) for day in WEEKDAYS[:5]})
"""When a stage is decided that is decided in working time only."""

QUORUMS = ("any", "all", "all", "responded", 1, 2, 3, 3, "34%", "60%", "100%")
MANAGER = (ByManager(rule="manager"),)


@cache
def asked(*, weighed: bool = True, vetoes: bool = True) -> st.SearchStrategy[Asked]:
    """Draw a group of people that is asked."""
    veto = st.booleans() if vetoes else st.just(value=False)
    counted = st.builds(Asked, approvers=st.just(MANAGER), quorum=st.sampled_from(QUORUMS), veto=veto)
    heavy = st.builds(Asked, approvers=st.just(MANAGER), weight=st.integers(1, 6), veto=veto)
    return counted | heavy if weighed else counted


@cache
def requirements(*, weighed: bool = True, vetoes: bool = True, most: int = 4) -> st.SearchStrategy[Requirement]:
    """Draw an approval expression of so many groups at most."""

    def trees(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        some = st.lists(parts, min_size=1, max_size=3).map(tuple)
        so_many = some.flatmap(lambda of: st.builds(SomeOf, at_least=st.integers(1, len(of)), of=st.just(of)))
        return st.builds(AllOf, all=some) | st.builds(AnyOf, any=some) | so_many

    drawn: st.SearchStrategy[Any] = st.recursive(asked(weighed=weighed, vetoes=vetoes), trees, max_leaves=most)
    return drawn.filter(lambda requirement: len([*leaves(requirement)]) <= most)


@cache
def escalations() -> st.SearchStrategy[tuple[dict[str, Any], ...]]:
    """Draw up to two levels."""
    level = st.fixed_dictionaries(
        {"to": st.just(MANAGER), "how": st.sampled_from(("add", "replace")), "decide_within": st.just("2 days")}
    )
    return st.lists(level, max_size=2).map(tuple)


@cache
def terms() -> st.SearchStrategy[dict[str, Any]]:
    """Draw what an author may write into a stage beside who must approve."""
    return st.fixed_dictionaries(
        {
            "deny": st.none() | st.integers(1, 3),
            "own": st.sampled_from(((), (), ("requester",), ("requester", "beneficiary"))),
            "escalate": escalations(),
            "at_deadline": st.sampled_from(("expire", "reject", "approve", "skip")),
            "when_nobody": st.sampled_from(("operator", "operator", "reject", "approve")),
            "unanswered": st.sampled_from(("cancel", "return")),
            "revalidate": st.booleans(),
            "remind": st.none() | st.just({"after": "1 day", "every": "1 day", "at_most": 3}),
            "notice": st.none() | st.just("1 day"),
            "after": st.sampled_from((None, None, ())),
            "acts_in": st.sampled_from((None, None, None, OFFICE.id)),
            "decide_within": st.sampled_from(("10 days", "10 days", "2 working days")),
        }
    )


@st.composite
def stages(draw: st.DrawFn, name: str) -> Stage:
    """Draw a stage with anything an author may write into it."""
    distinct = draw(st.booleans())
    return Stage.model_validate(
        a_stage(id=name, name=name).model_dump(exclude={"approvers"})
        | {"decide": draw(requirements(weighed=not distinct)), "distinct": distinct}
        | draw(terms())
    )


NEVER, SOON, LATER = None, NOON + timedelta(hours=15), NOON + timedelta(days=3)
"""When the time of somebody who stands in for another may be over."""

DEPUTIES = tuple(
    tuple(Deputy(person=one.ref(), via=(f"d{at}",), until=until) for at, one in enumerate(chain))
    for chain, until in (
        *[((), NEVER)] * 3,
        *(((one,), NEVER) for one in PEOPLE),
        *(((one,), SOON) for one in PEOPLE[1:]),
        *(((EVE, DANA), LATER), ((DANA, EVE), NEVER), ((TIM, CLEO), NEVER), ((EVE, ADA), NEVER)),
    )
)


@cache
def seats(groups: int) -> st.SearchStrategy[Seat]:
    """Draw a seat in one or more of so many groups."""
    every = [dict.fromkeys(chosen, 1) for size in range(groups) for chosen in combinations(range(groups), size + 1)]
    heavy = [dict.fromkeys(places, 3) for places in every]
    return st.builds(
        Seat,
        person=st.sampled_from((*PEOPLE, *PEOPLE[2:])).map(Person.ref),
        groups=st.sampled_from([every[-1], *every, *heavy]),
        deputies=st.sampled_from(DEPUTIES),
    )


@cache
def slates(groups: int = 3) -> st.SearchStrategy[Slate]:
    """Draw a slate; somebody may stand on it twice, or in a group that there is not."""
    some = st.lists(seats(groups), min_size=3, max_size=6).map(lambda drawn: Slate(seats=tuple(drawn), **WORKING_TIME))
    return st.integers(0, 5).flatmap(lambda drawn: some if drawn else st.just(Slate()))


WORKING_TIME: dict[str, Any] = {
    "calendars": {OFFICE.id: OFFICE},
    "hours": {person.id: OFFICE.id for person in (BEN, CLEO)},
}
"""Some work in the office."""

OTHERS = tuple(
    Slate(seats=tuple(Seat(person=one.ref(), deputies=chain) for one in PEOPLE), **WORKING_TIME)
    for chain in dict.fromkeys(DEPUTIES)
)
"""Those whom no rule names, if each of them has the same people to stand in for them."""


def gone(stage: StageState) -> st.SearchStrategy[tuple[str, ...]]:
    """Draw who of those whom no rule names is no longer there."""
    others = tuple(person.id for person in stage.others())
    return st.sampled_from(((), (), others, *((one,) for one in others)))


Happening = tuple[timedelta, Event]
"""How much time passes, and what happens then."""


class Story(NamedTuple):
    """What may happen to a request: its stages, and events with the time that passes before each."""

    stages: tuple[Stage, ...]
    events: Sequence[Happening]


@st.composite
def stories(draw: st.DrawFn, most: int = 20) -> Story:
    """Draw what may happen to a request: mostly what its state allows, and now and then anything."""
    planned = tuple(draw(stages(name)) for name in STAGES[: draw(st.integers(1, 3))])
    state, at = approvals_of(*planned, beneficiary=TIM), NOON
    told: list[Happening] = []
    ended = 0
    while len(told) < most and ended <= len(planned):
        ended += state.outcome is not StageStatus.WAITING  # a little more happens after the end
        passes, event = draw(happenings(state, planned, at))
        at += passes
        told.append((passes, event))
        answer = apply(state, event, at)
        state = answer.state if isinstance(answer, Change) else state
    return Story(planned, told)


@st.composite
def happenings(draw: st.DrawFn, state: Approvals, planned: tuple[Stage, ...], at: datetime) -> tuple[timedelta, Event]:
    """Draw an event that this state may be in for, and how much time passes before it."""
    soon = timedelta(hours=draw(st.sampled_from((0, 0, 1, 20))))
    ready = [*state.ready()]
    if ready and draw(st.integers(0, 9)) < 8:
        stage = draw(st.sampled_from(ready))
        return soon, Open(stage=stage.stage.id, slate=draw(slates(len(stage.stage.groups))))
    if draw(st.integers(0, 24)) == 0:
        everything: tuple[st.SearchStrategy[Event], ...] = (
            amendments(planned),
            st.sampled_from((Cancel(), Supersede())),
        )
        return soon, draw(everything[draw(st.sampled_from((0, 0, 0, 0, 1)))])
    open_ = [one for one in state.stages if one.status is StageStatus.OPEN]
    if not open_ or draw(st.integers(0, 19)) == 0:
        return soon, draw(on_stage(draw(st.sampled_from([StageState(stage=planned[-1]), *state.stages]))))
    stage = draw(st.sampled_from(open_))
    if stage.due_at is None:
        return soon, Escalate(stage=stage.stage.id, slate=draw(slates(1)))
    if stage.next_at and draw(st.integers(0, 5)) == 0:
        return max(stage.next_at - at, timedelta(0)), Tick(stage=stage.stage.id)
    others = stage.others()
    if others and draw(st.integers(0, 3)) == 0:  # seldom enough by itself, and they are looked up in a way of their own
        return soon, MAKE["resolve"](draw, stage, others[0])
    return soon, draw(on_stage(stage))


def newcomers(stage: StageState) -> st.SearchStrategy[PersonRef]:
    """Draw anybody, but mostly somebody who is not asked yet."""
    asked = {*stage.may_act(), *(seat.person.id for seat in stage.slate.seats)}
    every = [person.ref() for person in PEOPLE]
    return st.sampled_from([one for one in every if one.id not in asked] * 4 + every)


found_beside = st.sampled_from((Slate(), *OTHERS))

MAKE: dict[str, Callable[[st.DrawFn, StageState, PersonRef], StageEvent]] = {
    "cast": lambda draw, stage, by: Cast(
        stage=stage.stage.id,
        voter=by,
        verdict=draw(verdicts),
        subject=draw(st.sampled_from((None, None, stage.subject, stage.subject, "sha256:0"))),
    ),
    "withdraw": lambda _, stage, by: Withdraw(stage=stage.stage.id, voter=by),
    "resolve": lambda draw, stage, _: Resolve(
        stage=stage.stage.id,
        slate=draw(slates(len(stage.stage.groups))),
        above=draw(slates(1)) if stage.escalated else None,
        others=draw(found_beside),
        gone=draw(gone(stage)),
    ),
    "hand": lambda draw, stage, by: Hand(
        stage=stage.stage.id,
        by=by,
        seat=draw(st.sampled_from([by.id, *(seat.person.id for seat in stage.slate.seats)])),
        to=draw(newcomers(stage)),
        operator=draw(st.booleans()),
    ),
    "join": lambda draw, stage, by: Join(stage=stage.stage.id, by=by, person=draw(newcomers(stage))),
    "ask": lambda _, stage, by: Ask(stage=stage.stage.id, by=by, text="?"),
    "answer": lambda draw, stage, _: Answer(stage=stage.stage.id, by=draw(refs)),
    "consult": lambda draw, stage, by: Consult(stage=stage.stage.id, by=by, person=draw(refs), question="?"),
    "advise": lambda draw, stage, _: Advise(stage=stage.stage.id, by=draw(refs), text="!"),
    "nudge": lambda draw, stage, _: Nudge(stage=stage.stage.id, by=draw(refs), operator=draw(st.booleans())),
    "open": lambda draw, stage, _: Open(stage=stage.stage.id, slate=draw(slates())),
    "escalate": lambda draw, stage, _: Escalate(stage=stage.stage.id, slate=draw(slates(1))),
    "tick": lambda _, stage, __: Tick(stage=stage.stage.id),
}
KINDS = ("cast",) * 10 + ("resolve", "withdraw", "hand", "join") * 2 + tuple(MAKE)


@st.composite
def on_stage(draw: st.DrawFn, stage: StageState) -> StageEvent:
    """Draw an event on one stage, mostly by whoever may act on it."""
    able = [*stage.may_act().values(), *(vote.voter for vote in stage.votes)]
    by = draw(st.sampled_from(able * 3 + [one.ref() for one in PEOPLE]))
    return MAKE[draw(st.sampled_from(KINDS))](draw, stage, by)


def amendments(planned: tuple[Stage, ...]) -> st.SearchStrategy[Amend]:
    """Draw that what is decided on changes for some of these stages, or that some are not needed any more.

    A stage whose approver changes it is needed in any case, and no rule approves it: see `plan.plan`.
    """

    def amend(needed: list[bool], autos: list[str], subjects: list[str], by_stage: str) -> Amend:
        plans = (
            PlannedStage(stage=stage) if stage.id == by_stage else PlannedStage(stage=stage, needed=wanted, auto=auto)
            for stage, wanted, auto in zip(planned, needed, autos, strict=True)
        )
        names = (stage.id for stage in planned)
        return Amend(planned=tuple(plans), subjects=dict(zip(names, subjects, strict=True)), by_stage=by_stage)

    def each(drawn: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.lists(drawn, min_size=len(planned), max_size=len(planned))

    return st.builds(
        amend,
        each(st.sampled_from((True, True, True, True, False))),
        each(st.sampled_from(("", "", "", "", "auto.cheap"))),
        each(st.sampled_from((*SUBJECTS[:1] * 2, SUBJECTS[1]))),
        st.sampled_from(("", *STAGES)),
    )
