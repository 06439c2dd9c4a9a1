"""How long requests take, as the register has it: what is kept, what counts, and how little is asked (row S8)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text
from support.builders import NOON, a_new_order, a_person, an_item
from support.story import Story, a_task

from catalog.journal import Kind
from catalog.promise import NEWEST, Promise
from catalog.request import Batch, OrderLine, Outcome, Status
from records.register import Register, RequestView
from records.tables import milestones, requests

DAY = timedelta(days=1)


@pytest.fixture
def story(register: Register) -> Story:
    return Story(register.take(a_new_order()).order.number)


def kept(register: Register) -> dict[str, tuple[datetime, datetime | None]]:
    """Return when REQ-1001 reached which milestone, and when it ended."""
    with register.read() as connection:
        rows = connection.execute(select(milestones).where(milestones.c.request_id == 1001)).all()
    return {row.milestone: (row.reached_at, row.ended_at) for row in rows}


def asked(story: Story, stage: str, n: int = 1, *, at: datetime) -> Batch:
    task = a_task(story.number, n, "Bob", stage=stage)
    before = [a_task(story.number, m, "Bob", stage="before", decided="approve") for m in range(1, n)]
    return story.batch(Kind.STAGE_OPENED, at=at, tasks=(*before, task))


def closed(story: Story, outcome: Outcome, *, at: datetime) -> Batch:
    batch = story.batch(Kind.CLOSED, status=Status.CLOSED, at=at)
    return batch.model_copy(update={"projection": batch.projection.model_copy(update={"outcome": outcome})})


def took(register: Register, key: str, *lengths: timedelta, item: str = "wiki-editor", milestone: str) -> None:
    """Put earlier requests on record that took so long, the newest last."""
    with register.write() as connection:
        row = {"order_kind": item, "milestone": milestone, "reached_at": NOON}
        for n, length in enumerate(lengths):
            # As many requests as lengths: what else there is of them does not matter here.
            order = {"requester_id": "id-bob", "beneficiary_id": f"{key}-{n}", "accepted_at": NOON, "status": "closed"}
            documents = {"seq": 0, "order_document": "{}", "projection_document": "{}"}
            made = connection.execute(insert(requests).values(**order, **documents).returning(requests.c.id))
            ended = {"reached_at": NOON + n * DAY, "ended_at": NOON + n * DAY + length}
            connection.execute(insert(milestones).values(**row | ended, request_id=made.scalar_one()))


def view_of(register: Register, number: str) -> RequestView:
    view = register.request(number)
    assert view is not None
    return view


def test_a_request_leaves_when_it_came_to_each_milestone_and_when_it_was_done(register: Register, story: Story) -> None:
    register.record(asked(story, "manager", at=NOON + DAY))
    register.record(asked(story, "owner", 2, at=NOON + 2 * DAY))
    assert kept(register) == {
        "ordered": (NOON, None),
        "approval:manager": (NOON + DAY, None),
        "approval:owner": (NOON + 2 * DAY, None),
    }
    register.record(closed(story, Outcome.FULFILLED, at=NOON + 3 * DAY))
    assert {ended for _, ended in kept(register).values()} == {NOON + 3 * DAY}


def test_a_request_that_is_done_at_once_tells_how_long_it_took_from_its_order(register: Register, story: Story) -> None:
    register.record(closed(story, Outcome.FULFILLED, at=NOON + DAY))
    assert kept(register) == {"ordered": (NOON, NOON + DAY)}


@pytest.mark.parametrize("outcome", [one for one in Outcome if one is not Outcome.FULFILLED])
def test_a_request_that_did_not_bring_what_was_ordered_leaves_nothing(
    register: Register, story: Story, outcome: Outcome
) -> None:
    register.record(asked(story, "manager", at=NOON + DAY))
    register.record(closed(story, outcome, at=NOON + 2 * DAY))
    assert kept(register) == {}


def test_repeating_every_batch_changes_nothing(register: Register, story: Story) -> None:
    batches = [asked(story, "manager", at=NOON + DAY), closed(story, Outcome.FULFILLED, at=NOON + 2 * DAY)]
    for batch in (batches[0], batches[0], *batches, batches[1]):
        register.record(batch)
    assert kept(register) == {"ordered": (NOON, NOON + 2 * DAY), "approval:manager": (NOON + DAY, NOON + 2 * DAY)}


def test_who_comes_back_to_a_milestone_has_been_there_since_the_first_time(register: Register, story: Story) -> None:
    for status, days in ((Status.FULFILMENT, 1), (Status.ATTENTION, 2), (Status.FULFILMENT, 3)):
        register.record(story.batch(Kind.COMMENT, status=status, at=NOON + days * DAY))
    assert kept(register)["fulfilment"] == (NOON + DAY, None)
    assert kept(register)["attention"] == (NOON + 2 * DAY, None)


def test_an_end_that_the_engine_did_not_keep_is_none(register: Register, story: Story) -> None:
    opened = asked(story, "manager", at=NOON + DAY)
    register.record(opened)
    register.record(closed(story, Outcome.FULFILLED, at=NOON + 2 * DAY))
    again = Story(story.number)
    asked(again, "manager", at=NOON + DAY)
    register.record(again.batch(Kind.STAGE_CLOSED, status=Status.FULFILMENT, at=NOON + 3 * DAY, data={"again": True}))
    assert kept(register) == {
        "ordered": (NOON, None),
        "approval:manager": (NOON + DAY, None),
        "fulfilment": (NOON + 3 * DAY, None),
    }


def test_a_milestone_that_the_engine_did_not_keep_is_reached_anew(register: Register, story: Story) -> None:
    register.record(story.batch(Kind.OPENED, status=Status.CHECKING))
    register.record(story.batch(Kind.STAGE_CLOSED, status=Status.FULFILMENT, at=NOON + DAY))
    again = Story(story.number)
    again.batch(Kind.OPENED, status=Status.CHECKING)
    register.record(again.batch(Kind.STAGE_CLOSED, status=Status.FULFILMENT, at=NOON + 2 * DAY))
    assert kept(register) == {"ordered": (NOON, None), "fulfilment": (NOON + 2 * DAY, None)}


def test_an_open_request_is_promised_what_earlier_ones_took_from_where_it_stands(
    register: Register, story: Story
) -> None:
    took(register, "a", *[2 * DAY] * 20, milestone="approval:manager")
    took(register, "b", *[9 * DAY] * 30, milestone="ordered")
    took(register, "c", *[7 * DAY] * 30, milestone="approval:manager", item="badge")
    register.record(asked(story, "manager", at=NOON + DAY))
    (promise,) = register.promises([view_of(register, story.number)], NOON + DAY).values()
    due = NOON.replace(minute=1, second=0, microsecond=0) + 3 * DAY
    assert promise == Promise(p50=due, p90=due, cases=20, basis="history")


def test_what_has_passed_counts_from_when_the_milestone_was_reached(register: Register, story: Story) -> None:
    took(register, "a", *[2 * DAY] * 30, *[9 * DAY] * 21, milestone="approval:manager")
    register.record(asked(story, "manager", at=NOON + DAY))
    found = register.promises([view_of(register, story.number)], NOON + 4 * DAY)[story.number]
    assert (found.cases, found.p50.date()) == (21, (NOON + 10 * DAY).date())


def test_before_anything_is_written_an_order_is_promised_from_its_acceptance(register: Register) -> None:
    took(register, "a", *[2 * DAY] * 20, milestone="ordered")
    view = view_of(register, register.take(a_new_order()).order.number)
    assert register.promises([view], NOON + DAY)[view.order.number].p50.date() == (NOON + 2 * DAY).date()


def test_without_history_the_sla_is_promised(register: Register, story: Story) -> None:
    register.record(asked(story, "manager", at=NOON + DAY))
    found = register.promises([view_of(register, story.number)], NOON + DAY)[story.number]
    assert (found.basis, found.p90.date()) == ("sla", (NOON + 5 * DAY).date())


def test_only_the_newest_count(register: Register, story: Story) -> None:
    took(register, "a", *[DAY] * 50, *[2 * DAY] * NEWEST, milestone="ordered")
    found = register.promises([view_of(register, story.number)], NOON)[story.number]
    assert (found.cases, found.p50.date()) == (NEWEST, (NOON + 2 * DAY).date())


def test_what_is_over_or_being_undone_is_promised_nothing(register: Register, story: Story) -> None:
    register.record(story.batch(Kind.UNDO_INTENDED, status=Status.ROLLBACK))
    assert register.promises([view_of(register, story.number)], NOON) == {}
    register.record(closed(story, Outcome.CANCELLED, at=NOON))
    assert register.promises([view_of(register, story.number)], NOON) == {}
    assert register.promises([], NOON) == {}


def test_a_page_of_requests_is_asked_about_with_one_query(register: Register) -> None:
    took(register, "a", *[2 * DAY] * 20, milestone="ordered")
    took(register, "b", *[3 * DAY] * 20, milestone="ordered", item="badge")
    for n in range(60):
        item = an_item(id=("wiki-editor", "badge", f"item-{n}")[n % 3])
        register.take(a_new_order(f"key-{n}", item=item))
    views = register.requests(viewer="id-ada", limit=60).items
    asked: list[str] = []
    event.listen(register._engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    promises = register.promises(views, NOON)
    assert [sql.lstrip()[:6] for sql in asked if sql.lstrip().startswith("SELECT")] == ["SELECT"]
    assert len(promises) == 60
    by_item = {view.order.item.id: promises[view.order.number] for view in views}
    assert (by_item["wiki-editor"].p50.date(), by_item["badge"].p50.date()) == (
        (NOON + 2 * DAY).date(),
        (NOON + 3 * DAY).date(),
    )
    assert by_item["item-2"].basis == "sla"


def test_before_an_order_is_placed_the_lengths_of_its_kind_are_known(register: Register, story: Story) -> None:
    took(register, "a", DAY, 2 * DAY, milestone="ordered")
    took(register, "b", 3 * DAY, milestone="approval:manager")
    order = view_of(register, story.number).order
    assert register.lengths([order]) == {"wiki-editor": [2 * DAY, DAY]}
    assert register.lengths([order.model_copy(update={"item": an_item(id="badge")})]) == {"badge": []}
    assert register.lengths([]) == {}


def test_an_order_for_several_people_is_no_example_for_one_person(register: Register) -> None:
    people = tuple(
        OrderLine(id=str(n), item="wiki-editor", version="1.0.0", item_name="x", beneficiary=a_person(name).ref())
        for n, name in enumerate(("Ada", "Ben"))
    )
    several = Story(register.take(a_new_order(lines=people)).order.number)
    register.record(closed(several, Outcome.FULFILLED, at=NOON + DAY))
    one = view_of(register, register.take(a_new_order("key-2")).order.number).order
    both = register.lengths([one, view_of(register, several.number).order])
    assert both == {"wiki-editor": [], "wiki-editor/several": [DAY]}


def test_how_long_things_took_stays_when_rows_are_read_raw(register: Register, story: Story) -> None:
    """Moments are kept as the other tables keep them: what a migration wrote compares with what is written now."""
    register.record(closed(story, Outcome.FULFILLED, at=NOON + DAY))
    with register.read() as connection:
        raw: Any = connection.execute(text("SELECT reached_at FROM milestones")).scalar_one()
        as_ordered: Any = connection.execute(text("SELECT accepted_at FROM requests")).scalar_one()
    assert raw == as_ordered
