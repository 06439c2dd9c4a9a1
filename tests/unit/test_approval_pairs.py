"""Every event in every state by every kind of person: what is answered is exactly what stands in the tables here.

Nothing raises, and once the stage has an outcome nothing changes it (feature row A21).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, get_args

import pytest
from support.builders import NOON, a_person, a_slate, a_stage, after, approvals_of, cast, opening, stage_of

from catalog.approval import apply
from catalog.ballot import (
    Advise,
    Amend,
    Answer,
    Approvals,
    Ask,
    Cancel,
    Change,
    Consult,
    Escalate,
    Event,
    Hand,
    Join,
    Nudge,
    Refusal,
    Resolve,
    StageStatus,
    Supersede,
    Tick,
    Verdict,
    Withdraw,
)
from catalog.delegation import Deputy
from catalog.people import Person
from catalog.plan import plan
from catalog.slate import Seat
from catalog.stages import ByManager, Escalation, Stage

TIM, BEN, CLEO, DORA, RUTH, KAI, SAM, NOA, EVE, OLGA, ZOE = (
    a_person(name) for name in ("Tim", "Ben", "Cleo", "Dora", "Ruth", "Kai", "Sam", "Noa", "Eve", "Olga", "Zoe")
)
PEOPLE = {
    "approver": BEN,
    "voter": CLEO,
    "deputy": DORA,
    "removed": RUTH,
    "adviser": KAI,
    "requester": a_person(),
    "beneficiary": TIM,
    "stranger": OLGA,
    "above": SAM,
    "newcomer": NOA,
}
"""Who acts. Two of Ben (with Dora as his deputy), Cleo and Eve must approve what Ada orders for Tim. Ruth was asked and
no longer is, Kai was asked for advice, Sam is escalated to, and Noa got a seat by hand-over or on Cleo's wish."""

M = "manager"
OVER = NOON + timedelta(days=10)
BENS = Seat(person=BEN.ref(), deputies=(Deputy(person=DORA.ref(), via=("d",)),))


def escalation(how: str) -> tuple[Escalation, ...]:
    return (Escalation.model_validate({"to": (ByManager(rule="manager"),), "how": how, "decide_within": "2 days"}),)


def stages(**other: Any) -> tuple[Stage, Stage]:
    first = a_stage(**({"quorum": 2, "escalate": escalation("add"), "unanswered": "return"} | other))
    return first, a_stage(id="last", name="Last")


def opened(**other: Any) -> Approvals:
    return after(
        approvals_of(*stages(**other), beneficiary=TIM),
        opening(BENS, CLEO, RUTH),
        Resolve(stage=M, slate=a_slate(BENS, CLEO, EVE)),
        Consult(stage=M, by=CLEO.ref(), person=KAI.ref(), question="Is it safe?"),
    )


def voted(**other: Any) -> Approvals:
    return after(opened(**other), cast(CLEO))


def over(**other: Any) -> Approvals:
    return after(voted(**other), Tick(stage=M), at=OVER)


def escalated(how: str) -> Approvals:
    return after(over(escalate=escalation(how)), Escalate(stage=M, slate=a_slate(SAM)), at=OVER)


STATES = {
    "waiting": approvals_of(*stages(), beneficiary=TIM),
    "open": opened(),
    "voted": voted(),
    "asked": after(voted(), Ask(stage=M, by=BEN.ref(), text="What for?")),
    "nudged": after(voted(), Nudge(stage=M, by=a_person().ref())),
    "over": over(),
    "raised": escalated("add"),
    "replaced": escalated("replace"),
    "handed": after(voted(), Hand(stage=M, by=BEN.ref(), seat=BEN.id, to=NOA.ref())),
    "joined": after(voted(), Join(stage=M, by=BEN.ref(), person=NOA.ref())),
    "approved": after(voted(), cast(DORA)),
    "rejected": after(voted(), cast(BEN, Verdict.REJECT), cast(EVE, Verdict.REJECT)),
    "expired": over(escalate=()),
    "skipped": over(escalate=(), at_deadline="skip"),
    "cancelled": after(voted(), Cancel()),
    "superseded": after(voted(), Supersede()),
}
ENDED = ("approved", "rejected", "expired", "skipped", "cancelled", "superseded")
AT = {"over": OVER, "raised": OVER, "replaced": OVER}
"""When things happen; else an hour after noon."""
LATE = OVER + timedelta(days=30)
OPEN = ("open", "voted", "asked", "nudged", "over", "raised", "replaced", "handed", "joined")

BY_ANYBODY: dict[str, Callable[[Person], Event]] = {
    "approve": cast,
    "reject": lambda person: cast(person, Verdict.REJECT),
    "outdated": lambda person: cast(person, subject="sha256:0"),
    "withdraw": lambda person: Withdraw(stage=M, voter=person.ref()),
    "hand": lambda person: Hand(stage=M, by=person.ref(), seat=BEN.id, to=ZOE.ref()),
    "hand-own": lambda person: Hand(stage=M, by=person.ref(), seat=person.id, to=ZOE.ref()),
    "operate": lambda person: Hand(stage=M, by=person.ref(), seat=BEN.id, to=ZOE.ref(), operator=True),
    "hand-to": lambda person: Hand(stage=M, by=OLGA.ref(), seat=EVE.id, to=person.ref(), operator=True),
    "join": lambda person: Join(stage=M, by=person.ref(), person=ZOE.ref()),
    "join-in": lambda person: Join(stage=M, by=EVE.ref(), person=person.ref()),
    "consult": lambda person: Consult(stage=M, by=person.ref(), person=ZOE.ref(), question="?"),
    "advise": lambda person: Advise(stage=M, by=person.ref(), text="It is."),
    "ask": lambda person: Ask(stage=M, by=person.ref(), text="?"),
    "answer": lambda person: Answer(stage=M, by=person.ref()),
    "nudge": lambda person: Nudge(stage=M, by=person.ref()),
}


def amended(manager: str, last: str = "sha256:1") -> Amend:
    return Amend(planned=plan(stages(), {}), subjects={M: manager, "last": last})


BY_NOBODY: dict[str, Event] = {
    "open": opening(BEN, CLEO),
    "open-empty": opening(TIM),
    "look-again": Resolve(stage=M, slate=a_slate(BENS, CLEO, EVE)),
    "others": Resolve(stage=M, slate=a_slate(NOA, EVE)),
    "nobody": Resolve(stage=M, slate=a_slate(TIM)),
    "escalate": Escalate(stage=M, slate=a_slate(SAM)),
    "to-nobody": Escalate(stage=M, slate=a_slate(TIM)),
    "tick": Tick(stage=M),
    "late": Tick(stage=M),
    "same": amended("sha256:1"),
    "amend": amended("sha256:2"),
    "drop": Amend(planned=(), subjects={}),
    "cancel": Cancel(),
    "supersede": Supersede(),
    "unknown": Tick(stage="nowhere"),
}

CODES = {
    "own": "self-approval",
    "not": "not-approver",
    "few": "too-few",
    "ex": "no-longer-asked",
    "shut": "stage-closed",
    "soon": "stage-not-open",
    "done": "already-decided",
    "old": "subject-changed",
    "what": "unknown-stage",
    "none": "not-voted",
    "in": "already-asked",
    "ques": "question-open",
    "noq": "no-question",
    "idle": "nothing-due",
    "wait": "not-now",
}
"""How refusals are written below."""

PERSONAL = """
approve  waiting                                              soon  soon soon  soon soon own  own  soon soon  soon
approve  open                                                 V     V    V     ex   not  own  own  not  not   not
approve  voted,asked,nudged,over                              V=yes done V=yes ex   not  own  own  not  not   not
approve  raised                                               V=yes done V=yes ex   not  own  own  not  V=yes not
approve  replaced                                             ex    done ex    ex   not  own  own  not  V=yes not
approve  handed                                               ex    done ex    ex   not  own  own  not  not   V=yes
approve  joined                                               V     done V     ex   not  own  own  not  not   V
approve  ended                                                shut  shut shut  ex   not  own  own  not  not   not
reject   waiting                                              soon  soon soon  soon soon own  own  soon soon  soon
reject   open                                                 V     V    V     ex   not  own  own  not  not   not
reject   voted,asked,nudged,over                              V     done V     ex   not  own  own  not  not   not
reject   raised                                               V     done V     ex   not  own  own  not  V=no  not
reject   replaced                                             ex    done ex    ex   not  own  own  not  V=no  not
reject   handed                                               ex    done ex    ex   not  own  own  not  not   V
reject   joined                                               V     done V     ex   not  own  own  not  not   V=no
reject   ended                                                shut  shut shut  ex   not  own  own  not  not   not
outdated waiting                                              soon  soon soon  soon soon own  own  soon soon  soon
outdated open                                                 old   old  old   ex   not  own  own  not  not   not
outdated voted,asked,nudged,over                              old   done old   ex   not  own  own  not  not   not
outdated raised                                               old   done old   ex   not  own  own  not  old   not
outdated replaced                                             ex    done ex    ex   not  own  own  not  old   not
outdated handed                                               ex    done ex    ex   not  own  own  not  not   old
outdated joined                                               old   done old   ex   not  own  own  not  not   old
outdated ended                                                shut  shut shut  ex   not  own  own  not  not   not
withdraw waiting                                              soon  soon soon  soon soon soon soon soon soon  soon
withdraw open                                                 none  none none  none none none none none none  none
withdraw voted,asked,nudged,over,raised,handed,joined         none  FA   none  none none none none none none  none
withdraw replaced                                             none  F    none  none none none none none none  none
withdraw ended                                                shut  shut shut  shut shut shut shut shut shut  shut
hand     waiting                                              soon  soon soon  soon soon soon soon soon soon  soon
hand     open,voted,asked,nudged,over,joined                  AG    not  not   not  not  own  own  not  not   not
hand     raised                                               AG    not  not   not  not  own  own  not  AG    not
hand     replaced                                             not   not  not   not  not  own  own  not  A     not
hand     handed                                               not   not  not   not  not  own  own  not  not   not
hand     ended                                                shut  shut shut  shut shut shut shut shut shut  shut
hand-own waiting                                              soon  soon soon  soon soon soon soon soon soon  soon
hand-own open                                                 AG    AG   not   not  not  own  own  not  not   not
hand-own voted,asked,nudged,over                              AG    done not   not  not  own  own  not  not   not
hand-own raised                                               AG    done not   not  not  own  own  not  AG    not
hand-own replaced                                             not   not  not   not  not  own  own  not  AG    not
hand-own handed                                               not   done not   not  not  own  own  not  not   AG
hand-own joined                                               AG    done not   not  not  own  own  not  not   AG
hand-own ended                                                shut  shut shut  shut shut shut shut shut shut  shut
operate  waiting                                              soon  soon soon  soon soon soon soon soon soon  soon
operate  open,voted,asked,nudged,over,raised,joined           AG    AG   AG    AG   AG   own  own  AG   AG    AG
operate  replaced                                             A     A    A     A    A    own  own  A    A     A
operate  handed                                               not   not  not   not  not  own  own  not  not   not
operate  ended                                                shut  shut shut  shut shut shut shut shut shut  shut
hand-to  waiting                                              soon  soon soon  soon soon soon soon soon soon  soon
hand-to  open,voted,asked,nudged,over                         in    in   in    AG   AG   own  own  AG   AG    AG
hand-to  raised                                               in    in   in    AG   AG   own  own  AG   in    AG
hand-to  replaced                                             in    in   A     A    A    own  own  A    in    A
hand-to  handed                                               AG    in   AG    AG   AG   own  own  AG   AG    in
hand-to  joined                                               in    in   in    AG   AG   own  own  AG   AG    in
hand-to  ended                                                shut  shut shut  shut shut shut shut shut shut  shut
join     waiting                                              soon  soon soon  soon soon soon soon soon soon  soon
join     open                                                 A     A    A     ex   not  own  own  not  not   not
join     voted,asked,nudged,over                              A     done A     ex   not  own  own  not  not   not
join     raised                                               A     done A     ex   not  own  own  not  A     not
join     replaced                                             ex    done ex    ex   not  own  own  not  A     not
join     handed                                               ex    done ex    ex   not  own  own  not  not   A
join     joined                                               A     done A     ex   not  own  own  not  not   A
join     ended                                                shut  shut shut  shut shut shut shut shut shut  shut
join-in  waiting                                              soon  soon soon  soon soon soon soon soon soon  soon
join-in  open,voted,asked,nudged,over                         in    in   in    A    A    own  own  A    A     A
join-in  raised                                               in    in   in    A    A    own  own  A    in    A
join-in  replaced                                             ex    ex   ex    ex   ex   ex   ex   ex   ex    ex
join-in  handed                                               A     in   A     A    A    own  own  A    A     in
join-in  joined                                               in    in   in    A    A    own  own  A    A     in
join-in  ended                                                shut  shut shut  shut shut shut shut shut shut  shut
consult  waiting                                              soon  soon soon  soon soon soon soon soon soon  soon
consult  open                                                 +     +    +     ex   not  own  own  not  not   not
consult  voted,asked,nudged,over                              +     done +     ex   not  own  own  not  not   not
consult  raised                                               +     done +     ex   not  own  own  not  +     not
consult  replaced                                             ex    done ex    ex   not  own  own  not  +     not
consult  handed                                               ex    done ex    ex   not  own  own  not  not   +
consult  joined                                               +     done +     ex   not  own  own  not  not   +
consult  ended                                                shut  shut shut  shut shut shut shut shut shut  shut
advise   waiting                                              soon  soon soon  soon soon soon soon soon soon  soon
advise   begun                                                noq   noq  noq   noq  +    noq  noq  noq  noq   noq
advise   ended                                                shut  shut shut  shut shut shut shut shut shut  shut
ask      waiting                                              soon  soon soon  soon soon soon soon soon soon  soon
ask      open                                                 +     +    +     ex   not  own  own  not  not   not
ask      voted,nudged,over                                    +     done +     ex   not  own  own  not  not   not
ask      asked                                                ques  done ques  ex   not  own  own  not  not   not
ask      raised                                               +     done +     ex   not  own  own  not  +     not
ask      replaced                                             ex    done ex    ex   not  own  own  not  +     not
ask      handed                                               ex    done ex    ex   not  own  own  not  not   +
ask      joined                                               +     done +     ex   not  own  own  not  not   +
ask      ended                                                shut  shut shut  shut shut shut shut shut shut  shut
answer   waiting                                              soon  soon soon  soon soon soon soon soon soon  soon
answer   open,voted,nudged,over,raised,replaced,handed,joined not   not  not   not  not  noq  noq  not  not   not
answer   asked                                                not   not  not   not  not  +    +    not  not   not
answer   ended                                                shut  shut shut  shut shut shut shut shut shut  shut
nudge    waiting                                              soon  soon soon  soon soon soon soon soon soon  soon
nudge    open,voted,over,raised,replaced,handed,joined        not   not  not   not  not  D    D    not  not   not
nudge    asked                                                not   not  not   not  not  ques ques not  not   not
nudge    nudged                                               not   not  not   not  not  wait wait not  not   not
nudge    ended                                                shut  shut shut  shut shut shut shut shut shut  shut
"""
"""By event and states, what becomes of it if each of `PEOPLE` does it, in their order.

V: the vote counts, F: votes fall, A: somebody is asked, G: somebody no longer is, D: something is due, =: a stage ends
so (yes: approved, no: rejected), +: it counts, and that is all. Else the short name of a refusal. ``begun`` are all
states of an open stage, ``ended`` those of a closed one.
"""

IMPERSONAL = """
open       waiting                                                                      A
open       begun,ended                                                                  soon
open-empty waiting                                                                      few
open-empty begun,ended                                                                  soon
look-again waiting                                                                      soon
look-again begun                                                                        +
look-again ended                                                                        shut
others     waiting                                                                      soon
others     open,voted,asked,nudged,over,raised                                          AG
others     replaced,handed                                                              +
others     joined                                                                       G
others     ended                                                                        shut
nobody     waiting                                                                      soon
nobody     begun                                                                        GD
nobody     ended                                                                        shut
escalate   waiting                                                                      soon
escalate   open,voted,asked,nudged,raised,replaced,handed,joined                        idle
escalate   over                                                                         A
escalate   ended                                                                        shut
to-nobody  waiting                                                                      soon
to-nobody  open,voted,asked,nudged,raised,replaced,handed,joined                        idle
to-nobody  over                                                                         =expired
to-nobody  ended                                                                        shut
tick       waiting                                                                      soon
tick       begun                                                                        idle
tick       ended                                                                        shut
late       waiting                                                                      soon
late       open,voted,asked,nudged,handed,joined                                        D
late       over                                                                         idle
late       raised,replaced                                                              =expired
late       ended                                                                        shut
same       waiting,begun,approved,skipped                                               +
same       rejected,expired,cancelled,superseded                                        shut
amend      waiting                                                                      +
amend      open                                                                         =superseded
amend      voted,asked,nudged,over,raised,replaced,handed,joined                        F=superseded
amend      approved,skipped                                                             F
amend      rejected,expired,cancelled,superseded                                        shut
drop       waiting                                                                      +
drop       open                                                                         =superseded
drop       voted,asked,nudged,over,raised,replaced,handed,joined                        F=superseded
drop       approved,skipped                                                             F
drop       rejected,expired,cancelled,superseded                                        shut
cancel     waiting,begun,approved,skipped                                               =cancelled
cancel     rejected,expired,cancelled,superseded                                        shut
supersede  waiting,begun,approved,skipped                                               =superseded
supersede  rejected,expired,cancelled,superseded                                        shut
unknown    waiting,begun,ended                                                          what
"""
"""What happens by itself."""


def shown(answer: Change | Refusal) -> str:
    """Return an answer as it is written above."""
    if isinstance(answer, Refusal):
        assert answer.message
        return next(short for short, code in CODES.items() if code == answer.code)
    facts = {"V": answer.vote, "F": answer.fallen, "A": answer.asked, "G": answer.gone, "D": answer.due}
    words = {StageStatus.APPROVED: "yes", StageStatus.REJECTED: "no"}
    ends = "".join(f"={words.get(stage.status, stage.status)}" for stage in answer.closed[:1])
    return "".join(letter for letter, fact in facts.items() if fact) + ends or "+"


def rows(table: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield the event, the states and the answers of each line."""
    for line in table.strip().splitlines():
        event, states, *answers = line.split()
        yield event, states.replace("ended", ",".join(ENDED)).replace("begun", ",".join(OPEN)).split(","), answers


def moment(state: str) -> datetime:
    return AT.get(state, NOON) + timedelta(hours=1)


CASES = [
    pytest.param(state, BY_ANYBODY[event](person), moment(state), answer, id=f"{event}-{name}-{state}")
    for event, states, answers in rows(PERSONAL)
    for state in states
    for (name, person), answer in zip(PEOPLE.items(), answers, strict=True)
] + [
    pytest.param(state, BY_NOBODY[event], LATE if event == "late" else moment(state), answer, id=f"{event}-{state}")
    for event, states, (answer,) in rows(IMPERSONAL)
    for state in states
]


@pytest.mark.parametrize(("state", "event", "at", "expected"), CASES)
def test_a21_what_an_event_does_in_a_state_is_what_the_table_says(
    state: str, event: Event, at: datetime, expected: str
) -> None:
    before = STATES[state]
    answer = apply(before, event, at)
    assert shown(answer) == expected
    if state in ENDED and isinstance(answer, Change) and not isinstance(event, Amend):
        assert stage_of(answer.state) == stage_of(before)


def test_the_tables_leave_no_pair_out() -> None:
    for table, events in ((PERSONAL, BY_ANYBODY), (IMPERSONAL, BY_NOBODY)):
        said = [(event, state) for event, states, _ in rows(table) for state in states]
        assert sorted(said) == sorted((event, state) for event in events for state in STATES)


def test_every_kind_of_event_and_of_refusal_has_its_place_in_the_tables() -> None:
    events = {type(make(BEN)) for make in BY_ANYBODY.values()} | {type(event) for event in BY_NOBODY.values()}
    assert events == {*get_args(Event)}
    codes = get_args(Refusal.model_fields["code"].annotation)
    # Of asking too often, `test_a9_advice_and_answers_are_not_asked_without_end` sees: no state above has come so far.
    assert {*CODES.values(), "too-many"} == {*codes}
    assert CODES.keys() == {
        answer for table in (PERSONAL, IMPERSONAL) for _, _, row in rows(table) for answer in row if answer in CODES
    }


@pytest.mark.parametrize("state", ENDED)
def test_a21_a_stage_that_has_ended_changes_by_nothing_but_another_subject(state: str) -> None:
    assert stage_of(STATES[state]).status is StageStatus(state)
    events = [*BY_NOBODY.values(), *(make(person) for make in BY_ANYBODY.values() for person in PEOPLE.values())]
    for event in events:
        answer = apply(STATES[state], event, OVER)
        if isinstance(answer, Change) and not isinstance(event, Amend):
            assert stage_of(answer.state) == stage_of(STATES[state])
            assert isinstance(event, Cancel | Supersede)
