from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select
from support.builders import NOON, a_new_order, a_person, an_item, an_order
from support.clocked import a_calendar, a_clocked_item
from support.story import Story

from catalog.calendar_file import by_id
from catalog.duration import Working
from catalog.journal import Kind
from catalog.request import Projection, Status, WaitKind
from catalog.sla_history import corrected
from records.register import KeyReused, NewOrder, Register, Taken
from records.tables import intake, requests

LATER = NOON + timedelta(hours=1)


def test_the_first_order_has_the_number_1001_and_the_next_the_one_after(register: Register) -> None:
    assert [register.take(a_new_order(key)).order.number for key in "ab"] == ["REQ-1001", "REQ-1002"]


def test_a_taken_order_waits_for_the_engine_until_it_is_due(register: Register) -> None:
    item = an_item()
    register.take(a_new_order(item=item))
    view = register.request("REQ-1001")
    assert view is not None
    assert view.projection == Projection(
        number="REQ-1001",
        seq=0,
        status=Status.ACCEPTED,
        waiting=view.projection.waiting,
        due_at=NOON + item.sla.target,
        updated_at=NOON,
    )
    (waiting,) = view.projection.waiting
    assert (waiting.kind, waiting.since, waiting.rule) == (WaitKind.ENGINE, NOON, "intake.outbox")


def test_a_taken_order_is_read_back_as_it_was(register: Register) -> None:
    answers = {"why": "Größe ≥ 10 µm, 日本語, 🦊 \\ \" ' \u0000 %s :x", "until": "2025-12-31", "yes": True}
    taken = register.take(a_new_order(answers=answers, channel="cli", beneficiary=a_person("Zoë Ø").ref()))
    view = register.request(taken.order.number)
    assert view is not None
    assert view.order == taken.order
    assert view.order.answers == answers


def test_an_order_that_is_measured_in_working_time_is_read_back_as_it_was(register: Register) -> None:
    item, order = a_clocked_item(), an_order(item=a_clocked_item())
    taken = register.take(
        a_new_order(item=item, terms=corrected(order, item, by_id([a_calendar("office", default=True)])))
    )
    view = register.request(taken.order.number)
    assert view is not None
    assert view.order == taken.order
    assert [clock.target for clock in view.order.terms.clocks] == [Working(days=2)]
    assert view.order.terms.calendars.keys() == {""}


def test_the_same_key_and_body_gives_the_first_order_again(register: Register) -> None:
    first = register.take(a_new_order())
    again = register.take(a_new_order(accepted_at=LATER))
    assert first.fresh
    assert again == Taken(order=first.order, fresh=False)
    assert len(register.requests(viewer=None).items) == 1


def test_the_same_key_with_another_body_is_refused_and_nothing_written(register: Register) -> None:
    register.take(a_new_order())
    with pytest.raises(KeyReused, match="REQ-1001"):
        register.take(a_new_order(body_digest="sha256:other"))
    assert len(register.requests(viewer=None).items) == 1


def test_two_people_may_use_the_same_key(register: Register) -> None:
    register.take(a_new_order())
    assert register.take(a_new_order(requester=a_person("Bob").ref())).fresh


def test_many_threads_with_one_key_make_one_order(connect: Callable[[], Register]) -> None:
    registers = [connect() for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda register: register.take(a_new_order()), registers * 4))
    assert len({one.order.number for one in taken}) == 1
    assert sum(one.fresh for one in taken) == 1
    assert len(registers[0].requests(viewer=None).items) == 1


def test_many_threads_with_a_key_each_make_an_order_each(register: Register) -> None:
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda n: register.take(a_new_order(f"key-{n}")), range(40)))
    assert all(one.fresh for one in taken)
    assert len({one.order.number for one in taken}) == 40


def test_two_processes_with_the_same_keys_make_each_order_once(
    run_twice: Callable[[str], list[list[str]]], register: Register
) -> None:
    program = """
        from support.builders import a_new_order
        for n in range(25):
            taken = register.take(a_new_order(f"key-{n}"))
            print(taken.order.number, int(taken.fresh))
    """
    lines = [[line.split() for line in part] for part in run_twice(program)]
    assert [number for number, _ in lines[0]] == [number for number, _ in lines[1]]
    assert sum(int(fresh) for part in lines for _, fresh in part) == 25
    assert len(register.requests(viewer=None).items) == 25


def test_an_order_that_somebody_else_starts_is_never_unstarted(register: Register) -> None:
    register.take(a_new_order(started=True))
    assert not register.unstarted(before=LATER, limit=10)


def test_an_order_is_kept_with_its_items_id(register: Register) -> None:
    register.take(a_new_order(item=an_item(id="vpn")))
    with register.read() as connection:
        assert connection.scalar(select(requests.c.item_id)) == "vpn"


def test_an_order_is_unstarted_until_its_workflow_is_known_to_have_begun(register: Register) -> None:
    orders = [register.take(a_new_order(key)).order for key in "abc"]
    assert register.unstarted(before=LATER, limit=10) == orders
    assert register.unstarted(before=LATER, limit=2) == orders[:2]
    assert not register.unstarted(before=NOON, limit=10)
    register.mark_started(orders[0].number, LATER)
    assert register.unstarted(before=LATER, limit=10) == orders[1:]


def test_a_workflow_that_writes_has_begun(register: Register) -> None:
    number = register.take(a_new_order()).order.number
    register.record(Story(number).batch(Kind.OPENED))
    assert not register.unstarted(before=LATER, limit=10)


def test_marking_an_unknown_request_as_started_changes_nothing(register: Register) -> None:
    register.take(a_new_order())
    register.mark_started("REQ-9999", LATER)
    register.mark_started("nonsense", LATER)
    assert len(register.unstarted(before=LATER, limit=10)) == 1


def test_orders_are_compared_by_the_instant_whatever_their_zone(register: Register) -> None:
    east = datetime(2025, 3, 3, 20, 0, 0, 1, tzinfo=timezone(timedelta(hours=9)))
    register.take(a_new_order(accepted_at=east))
    instant = datetime(2025, 3, 3, 11, 0, 0, 1, tzinfo=UTC)
    assert not register.unstarted(before=instant, limit=1)
    assert len(register.unstarted(before=instant + timedelta(microseconds=1), limit=1)) == 1


def test_columns_give_instants_in_utc_to_the_microsecond(register: Register) -> None:
    east = datetime(2025, 3, 3, 20, 0, 0, 1, tzinfo=timezone(timedelta(hours=9)))
    register.take(a_new_order(accepted_at=east))
    with register.read() as connection:
        (at, started_at) = connection.execute(
            select(requests.c.accepted_at, intake.c.started_at).select_from(requests.join(intake))
        ).one()
    assert at.isoformat() == "2025-03-03T11:00:00.000001+00:00"
    assert started_at is None


def test_a_time_without_a_zone_is_refused(register: Register) -> None:
    naive: NewOrder = a_new_order(accepted_at=NOON.replace(tzinfo=None))
    with pytest.raises(Exception, match="no time zone"):
        register.take(naive)
    assert not register.requests(viewer=None).items
