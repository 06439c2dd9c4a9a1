"""Builders of catalog values for tests: each gives a plausible value; a test names only what it is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from catalog.approval import apply, begin
from catalog.ballot import Approvals, Cast, Change, Event, Open, Refusal, StageState, Verdict
from catalog.fields import TextField
from catalog.item import CatalogItem, Entitlement, Sla
from catalog.model import digest
from catalog.people import Actor, Person
from catalog.plan import plan
from catalog.request import Order
from catalog.slate import Parties, Seat, Slate
from catalog.stages import ByManager, Stage
from records.values import NewOrder

NOON = datetime(2025, 3, 3, 12, 0, 0, 123456, tzinfo=UTC)
"""A Monday; with microseconds, so that losing them shows."""


def a_person(name: str = "Ada Byron", **other: Any) -> Person:
    """Return an active person; their id and login follow from the first name."""
    login = name.split(maxsplit=1)[0].lower()
    return Person(**{"id": f"id-{login}", "login": login, "name": name, "mail": f"{login}@example.org"} | other)


def an_actor(name: str = "Ada Byron", *, operator: bool = False) -> Actor:
    """Return that person acting through the API."""
    return Actor(person=a_person(name).ref(), operator=operator)


def a_stage(**other: Any) -> Stage:
    """Return an approval stage: the manager decides."""
    return Stage(**{"id": "manager", "name": "Manager", "approvers": (ByManager(rule="manager"),)} | other)


def an_item(**other: Any) -> CatalogItem:
    """Return an item that gives access to the group ``wiki-editors`` after the manager's approval."""
    plain = {
        "id": "wiki-editor",
        "version": "1.0.0",
        "name": "Wiki editor",
        "description": "Edit the company wiki.",
        "category": "access",
        "owner": "ada",
        "form": (TextField(id="why", type="text", label="Why"),),
        "approvals": (a_stage(),),
        "workflow": "AccessRequest",
        "entitlement": Entitlement(group="wiki-editors"),
        "sla": Sla(target=timedelta(days=5)),
    }
    return CatalogItem(**plain | other)


def a_steps_item(*steps: dict[str, Any], **other: Any) -> CatalogItem:
    """Return an item made of steps, without approvals."""
    plain = an_item().model_dump(exclude={"workflow", "entitlement", "approvals"}) | {"approvals": ()}
    return CatalogItem.model_validate(plain | {"steps": steps} | other, extra="forbid")


def an_order(number: str = "REQ-1001", **other: Any) -> Order:
    """Return an order by Ada for herself, accepted at `NOON`."""
    item = other.get("item", an_item())
    plain = {
        "number": number,
        "item": item,
        "item_digest": digest(item),
        "answers": {"why": "I keep the handbook."},
        "requester": a_person().ref(),
        "beneficiary": a_person().ref(),
        "accepted_at": NOON,
    }
    return Order(**plain | other)


def a_new_order(key: str = "key-1", **other: Any) -> NewOrder:
    """Return an order by Ada for herself, ready to be taken; `key` is the client's idempotency key."""
    order = an_order(**{name: value for name, value in other.items() if name in Order.model_fields})
    return NewOrder(**{**dict(order), "number": "", "idempotency_key": key, "body_digest": "sha256:body"} | other)


def a_slate(*people: Person | Seat, **other: Any) -> Slate:
    """Return a slate with a seat for each of these people; `other` is what else it says."""
    seats = (one if isinstance(one, Seat) else Seat(person=one.ref()) for one in people)
    return Slate(**{"seats": tuple(seats), "rule": "approver.manager"} | other)


def approvals_of(*stages: Stage, beneficiary: Person | None = None, **subjects: str) -> Approvals:
    """Return approvals of Ada's request that have not begun; what is decided on is ``sha256:1`` unless it is given."""
    ada = a_person().id
    parties = Parties(requester_id=ada, beneficiary_id=beneficiary.id if beneficiary else ada)
    return begin(plan(stages, {}), parties, {stage.id: subjects.get(stage.id, "sha256:1") for stage in stages})


def changed(state: Approvals, event: Event, at: datetime = NOON) -> Change:
    """Return what an event changes; it counts."""
    change = apply(state, event, at)
    assert isinstance(change, Change), change
    return change


def refused(state: Approvals, event: Event, at: datetime = NOON) -> Refusal:
    """Return why an event does not count."""
    refusal = apply(state, event, at)
    assert isinstance(refusal, Refusal), refusal
    return refusal


def after(state: Approvals, *events: Event, at: datetime = NOON) -> Approvals:
    """Return the state after events that all count."""
    for event in events:
        state = changed(state, event, at).state
    return state


def stage_of(state: Approvals, stage_id: str = "manager") -> StageState:
    """Return a stage that is there."""
    found = state.stage(stage_id)
    assert found is not None
    return found


def opening(*people: Person | Seat, stage: str = "manager", **other: Any) -> Open:
    """Return that a stage begins with these people."""
    return Open(stage=stage, slate=a_slate(*people, **other))


def cast(voter: Person, verdict: Verdict = Verdict.APPROVE, stage: str = "manager", **other: Any) -> Cast:
    """Return somebody's vote."""
    return Cast(stage=stage, voter=voter.ref(), verdict=verdict, **other)
