"""What the entries of a journal mean to a clock."""

from __future__ import annotations

from typing import Any

import pytest
from support.builders import NOON, a_person, an_actor

from catalog.journal import Chain, Entry, Kind
from catalog.sla_events import Happened, happened


def entry(kind: Kind, data: dict[str, Any] | None = None, *, by: str = "", moves: tuple[str, str] = ("", "")) -> Entry:
    actor = an_actor(by) if by else None
    return Chain("REQ-1").append(kind, NOON, actor=actor, data=data or {}, from_status=moves[0], to_status=moves[1])


MARA, BEN = ({"id": f"id-{name.lower()}", "name": name, "login": name.lower()} for name in ("Mara", "Ben"))
STAGE = {"stage": "manager", "name": "Manager"}

READ: list[tuple[Entry, list[dict[str, str]]]] = [
    (entry(Kind.OPENED, by="Ada"), [{"what": "ordered", "by": "Ada"}]),
    (
        entry(Kind.STAGE_OPENED, {**STAGE, "approvers": [MARA, BEN, "odd", {}]}),
        [
            {"what": "stage-opened", "stage": "manager"},
            {"what": "asked", "stage": "manager", "person": "id-mara", "by": "Mara"},
            {"what": "asked", "stage": "manager", "person": "id-ben", "by": "Ben"},
        ],
    ),
    (entry(Kind.STAGE_OPENED, {"approvers": "odd"}), [{"what": "stage-opened"}]),
    (
        entry(Kind.APPROVERS_CHANGED, {**STAGE, "asked": [BEN], "gone": [MARA, "Cleo"]}),
        [
            {"what": "relieved", "stage": "manager", "person": "id-mara", "by": "Mara"},
            {"what": "asked", "stage": "manager", "person": "id-ben", "by": "Ben"},
        ],
    ),
    (
        entry(Kind.ESCALATED, {**STAGE, "people": [BEN]}),
        [{"what": "asked", "stage": "manager", "person": "id-ben", "by": "Ben"}],
    ),
    (
        entry(Kind.APPROVER_ADDED, {**STAGE, "person": BEN}, by="Mara"),
        [{"what": "asked", "stage": "manager", "person": "id-ben", "by": "Ben"}],
    ),
    (
        entry(Kind.HANDED_ON, {**STAGE, "seat": "id-mara", "person": BEN}, by="Mara"),
        [
            {"what": "relieved", "stage": "manager", "person": "id-mara"},
            {"what": "asked", "stage": "manager", "person": "id-ben", "by": "Ben"},
        ],
    ),
    (
        entry(Kind.INFO_ASKED, {**STAGE, "text": "Why?"}, by="Mara"),
        [{"what": "information-requested", "stage": "manager", "person": "id-mara", "by": "Mara"}],
    ),
    (entry(Kind.INFO_ASKED, STAGE), [{"what": "information-requested", "stage": "manager"}]),
    (
        entry(Kind.INFO_GIVEN, {**STAGE, "text": "So"}, by="Ada"),
        [{"what": "information-given", "stage": "manager", "by": "Ada"}],
    ),
    (entry(Kind.INFO_MISSED, STAGE), [{"what": "information-missed", "stage": "manager"}]),
    (
        entry(Kind.VOTE_WITHDRAWN, STAGE, by="Mara"),
        [{"what": "vote-withdrawn", "stage": "manager", "person": "id-mara", "by": "Mara"}],
    ),
    (
        entry(Kind.VOTE_FALLEN, {**STAGE, "voter": MARA}),
        [{"what": "vote-withdrawn", "stage": "manager", "person": "id-mara", "by": "Mara"}],
    ),
    (entry(Kind.AMENDED, by="Ada"), [{"what": "amended", "by": "Ada"}]),
    (
        entry(Kind.VOTE, {**STAGE, "choice": "approve"}, by="Mara"),
        [{"what": "decided", "stage": "manager", "person": "id-mara", "status": "approve", "by": "Mara"}],
    ),
    (
        entry(Kind.VOTE, {**STAGE, "choice": "approve", "voter": MARA}),
        [{"what": "decided", "stage": "manager", "person": "id-mara", "status": "approve", "by": "Mara"}],
    ),
    (entry(Kind.VOTE, STAGE), []),
    (
        entry(Kind.STAGE_CLOSED, {**STAGE, "status": "approved"}),
        [{"what": "stage-closed", "stage": "manager", "status": "approved"}],
    ),
    (
        entry(Kind.TASK_OPENED, {"title": "Label"}, moves=("approval", "fulfilment")),
        [{"what": "fulfilment-began"}, {"what": "task-opened"}],
    ),
    (entry(Kind.TASK_CLAIMED, by="Ben"), [{"what": "task-claimed", "by": "Ben"}]),
    (entry(Kind.TASK_COMPLETED, by="Ben"), [{"what": "task-completed", "by": "Ben"}]),
    (entry(Kind.WAIT_BEGUN, {"what": "Delivery"}), [{"what": "waiting-for-others", "about": "Delivery"}]),
    (entry(Kind.WAIT_OVER, {"what": 7}), [{"what": "waiting-over"}]),
    (entry(Kind.EVENT_REPORTED, {"event": "shipped"}), [{"what": "reported", "status": "shipped"}]),
    (entry(Kind.OPERATOR_ASKED, moves=("fulfilment", "attention")), [{"what": "attention"}]),
    (
        entry(Kind.OPERATOR_DECIDED, moves=("attention", "fulfilment")),
        [{"what": "attention-over"}, {"what": "fulfilment-began"}],
    ),
    (entry(Kind.OPERATOR_ASKED), []),
    (entry(Kind.CANCEL_REQUESTED, by="Ada"), [{"what": "cancel-requested", "by": "Ada"}]),
    (
        entry(Kind.CLOSED, {"outcome": "fulfilled"}),
        [{"what": "fulfilled"}, {"what": "closed", "status": "fulfilled"}],
    ),
    (entry(Kind.CLOSED, {"outcome": "rejected"}), [{"what": "closed", "status": "rejected"}]),
    (entry(Kind.COMMENT, {"text": "Hm"}, by="Ada"), []),
]


@pytest.mark.parametrize(("given", "events"), READ)
def test_s1_an_entry_of_the_journal_says_what_happened(given: Entry, events: list[dict[str, str]]) -> None:
    assert happened(given) == tuple(Happened(at=NOON, seq=1, **event) for event in events)


@pytest.mark.parametrize("kind", Kind)
def test_an_entry_without_data_is_still_read(kind: Kind) -> None:
    assert all(event.at == NOON for event in happened(entry(kind)))


def test_who_stands_in_for_somebody_decides_for_both() -> None:
    vote = entry(Kind.VOTE, {**STAGE, "choice": "reject"}, by="Mara")
    vote = vote.model_copy(update={"on_behalf_of": a_person("Ben Okri").ref()})
    assert [(event.person, event.by) for event in happened(vote)] == [("id-ben", "Mara"), ("id-mara", "Mara")]
