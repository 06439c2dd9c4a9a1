"""The register of the first release, with rows in it, becomes one of this release."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta, timezone
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, MetaData, Table, insert, select, text
from support.builders import NOON, a_new_order, a_person, an_item
from support.story import Story, a_notice, a_task

from catalog.journal import Kind, verify
from catalog.model import digest
from catalog.request import Cost, Status
from records import database
from records.register import KeyReused, Register, RegisterUnavailable
from records.tables import milestones, requests
from records.values import cost_rank

RELEASED_DIGEST = "sha256:b4f3c7456fd3e84208edd976131ec698212922e93050b60534b110bd78abafd6"
RELEASED_ORDER = (
    '{"item":{"id":"wiki-editor","version":"1.0.0","name":"Wiki editor","description":"Edit the company wiki.",'
    '"category":"access","owner":"ada","form":[{"id":"why","label":"Why","help":"","required":true,"type":"text",'
    '"max_length":500,"multiline":false}],"approvals":[{"id":"manager","name":"Manager",'
    '"approvers":[{"rule":"manager"}],"quorum":"any","decide_within":"P10D"}],"workflow":"AccessRequest",'
    '"entitlement":{"group":"wiki-editors"},"sla":{"target":"P5D"}},"item_digest":"' + RELEASED_DIGEST + '",'
    '"answers":{"why":"Größe \\u0000 🦊"},'
    '"requester":{"id":"id-ada","login":"ada","name":"Ada Byron","mail":"ada@example.org"},'
    '"beneficiary":{"id":"id-ada","login":"ada","name":"Ada Byron","mail":"ada@example.org"},'
    '"channel":"api","auth":"password","accepted_at":"2025-03-03T12:00:00.123456Z"}'
)
"""An order as the first release wrote it."""


@pytest.fixture
def old(empty_url: str) -> Iterator[Register]:
    """A register on a database whose schema is the first release's."""
    register = Register(empty_url)
    with register.write() as connection:
        config = database._alembic()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    yield register
    register.close()


@pytest.fixture
def filled(old: Register, register: Register) -> Register:
    """The same with rows of every kind: the columns that there were, as this release fills them."""
    _live(register)
    with register.read() as source, old.write() as target:
        for table in _tables(target):
            columns = ", ".join(table.c.keys())
            rows = [dict(row) for row in source.execute(text(f"SELECT {columns} FROM {table.name}")).mappings()]
            assert rows, f"the test leaves {table.name} empty"
            places = ", ".join(f":{column.name}" for column in table.c)
            target.execute(text(f"INSERT INTO {table.name} ({columns}) VALUES ({places})"), rows)
        if target.dialect.name == "postgresql":
            target.execute(text("SELECT setval(pg_get_serial_sequence('requests', 'id'), max(id)) FROM requests"))
    return old


def _live(register: Register) -> None:
    story = Story(register.take(a_new_order()).order.number)
    lost = Story(story.number)
    register.record(lost.batch(Kind.OPENED, Kind.COMMENT, data={"text": "not kept"}))
    task = a_task(story.number, 1, "Bob")
    notices = (a_notice(story.number),)
    data = {"text": "Größe \u0000 🦊"}
    register.record(
        story.batch(
            Kind.OPENED,
            Kind.STAGE_OPENED,
            at=NOON.replace(hour=13),
            tasks=(task,),
            notices=notices,
            command="c-1",
            data=data,
        )
    )
    closed = Story(register.take(a_new_order("key-2", item=an_item(id="vpn"))).order.number)
    register.record(closed.batch(Kind.OPENED, Kind.CLOSED, status=Status.CLOSED))


def _tables(connection: Connection) -> list[Table]:
    """Return the tables that the first release has, those first that others refer to."""
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def _contents(register: Register, columns: dict[str, str] | None = None) -> dict[str, tuple[str, list[Any]]]:
    """Return the columns and rows of each table; of the given ones, if they are given."""
    with register.read() as connection:
        wanted = columns or {table.name: ", ".join(table.c.keys()) for table in _tables(connection)}
        return {
            name: (names, [tuple(row) for row in connection.execute(text(f"SELECT {names} FROM {name} ORDER BY 1, 2"))])
            for name, names in wanted.items()
        }


def test_a_register_of_the_first_release_asks_to_be_migrated(old: Register) -> None:
    with pytest.raises(RegisterUnavailable, match=r"older release \(revision 0001\); run `commissary migrate`"):
        old.check()


def test_migrating_leaves_every_row_as_it_was_byte_for_byte(filled: Register) -> None:
    before = _contents(filled)
    filled.migrate()
    filled.check()
    assert _contents(filled, {name: columns for name, (columns, _) in before.items()}) == before


def test_journals_hold_together_and_go_on_after_migrating(filled: Register, register: Register) -> None:
    filled.migrate()
    for number in ("REQ-1001", "REQ-1002"):
        entries = filled.journal(number)
        assert entries
        assert verify(entries) == []
        assert filled.request(number) == register.request(number)
    with pytest.raises(KeyReused):
        filled.take(a_new_order(body_digest="sha256:other"))
    assert filled.take(a_new_order("key-3")).order.number == "REQ-1003"


def test_migrating_names_the_item_of_each_request_and_gives_it_neither_key_nor_parent(filled: Register) -> None:
    filled.migrate()
    with filled.read() as connection:
        rows = connection.execute(text("SELECT item_id, duplicate_key, parent_id FROM requests ORDER BY id")).all()
    assert [tuple(row) for row in rows] == [("wiki-editor", None, None), ("vpn", None, None)]


def test_an_order_of_the_first_release_is_read_with_the_digest_it_was_given(old: Register) -> None:
    _insert_orders(old, [RELEASED_ORDER])
    old.migrate()
    (view,) = old.requests(viewer="id-ada").items
    assert digest(view.order.item) == view.order.item_digest == RELEASED_DIGEST
    assert view.order.answers == {"why": "Größe \x00 🦊"}
    assert view.order.requester == a_person().ref()
    assert view.order.accepted_at == NOON


def test_migrating_names_the_items_of_more_requests_than_are_read_at_once(old: Register) -> None:
    orders = [json.dumps({"item": {"id": f"item-{n}"}}) for n in range(1_203)]
    _insert_orders(old, orders)
    old.migrate()
    with old.read() as connection:
        rows = connection.execute(text("SELECT order_document, item_id FROM requests ORDER BY id")).all()
    assert [row.order_document for row in rows] == orders
    assert [row.item_id for row in rows] == [f"item-{n}" for n in range(1_203)]


def _insert_orders(register: Register, documents: list[str], states: Sequence[dict[str, Any]] = ()) -> None:
    """Put orders into a register of the first release; all are accepted, unless states are given for them."""
    row = {
        "requester_id": "id-ada",
        "beneficiary_id": "id-ada",
        "accepted_at": NOON.replace(tzinfo=None),
        "status": "accepted",
        "seq": 0,
        "projection_document": json.dumps({"seq": 0, "status": "accepted", "updated_at": NOON.isoformat()}),
    }
    with register.write() as connection:
        table = Table("requests", MetaData(), autoload_with=connection)
        rows = [row | {"order_document": document} for document in documents]
        for added, state in zip(rows, states, strict=False):
            projection = {"seq": 0, "updated_at": NOON.isoformat()} | state
            added |= {"status": state["status"], "projection_document": json.dumps(projection)}
        connection.execute(insert(table), rows)


def test_migrating_keeps_how_long_fulfilled_requests_took_and_when_waits_should_end(old: Register) -> None:
    later, latest = NOON + timedelta(hours=1), NOON + timedelta(days=2)
    closed = {"status": "closed", "closed_at": latest.isoformat(), "waiting": []}
    several = {"item": {"id": "vpn"}, "lines": [{"item": "vpn"}]}
    bundle = {"item": {"id": "vpn"}, "lines": [{"item": "badge"}]}
    untils = [None, latest.isoformat(), later.astimezone(timezone(timedelta(hours=5))).isoformat()]
    _insert_orders(
        old,
        [json.dumps(order) for order in ({"item": {"id": "vpn"}}, bundle, several, bundle, bundle)],
        [
            closed | {"outcome": "fulfilled"},
            closed | {"outcome": "rejected"},
            closed | {"outcome": "fulfilled"},
            {"status": "approval", "waiting": [{"until": until} for until in untils]},
            {"status": "accepted", "waiting": [{"until": None}]},
        ],
    )
    old.migrate()
    with old.read() as connection:
        kept = connection.execute(select(milestones).order_by(milestones.c.request_id)).all()
        waits = connection.scalars(select(requests.c.waits_until).order_by(requests.c.id)).all()
    assert [(row.request_id, row.milestone, row.order_kind) for row in kept] == [
        (1001, "ordered", "vpn"),
        (1003, "ordered", "vpn/several"),
        (1004, "ordered", "vpn"),
        (1005, "ordered", "vpn"),
    ]
    assert {row.reached_at for row in kept} == {NOON}
    assert [row.ended_at for row in kept] == [latest, latest, None, None]
    assert waits == [None, None, None, later, None]


def test_migrating_says_what_open_requests_cost_and_who_is_asked_as_one_of_several(old: Register) -> None:
    cost = {"one_off": "10.50", "recurring": "1", "every": "month", "currency": "EUR"}
    yearly, nothing = cost | {"every": "year"}, cost | {"one_off": "0", "recurring": "0"}
    item: dict[str, Any] = {"item": {"id": "vpn"}}
    orders = [item, item | {"cost": cost}, item | {"cost": nothing}, item | {"cost": nothing}, item | {"cost": cost}]
    states: list[dict[str, Any]] = [{"status": "approval"} for _ in orders]
    states[3] |= {"amendment": {"answers": {}, "cost": yearly}}
    states[4] = {"status": "closed", "outcome": "rejected"}
    _insert_orders(old, [json.dumps(order) for order in orders], states)
    people = [{"person": {"id": name}} for name in ("id-bob", "id-eve")]
    several: dict[str, Any] = {"assignees": people, "quorum": "any", "claimed_by": None}
    for n, task in enumerate((several, several | {"quorum": "all"}, several | {"claimed_by": people[0]["person"]})):
        _insert_task(old, f"REQ-1001.{n}", task)
    _insert_task(old, "REQ-1001.8", {"assignees": people[:1]})
    _insert_task(old, "REQ-1001.9", several, decided="approved")
    old.migrate()
    with old.read() as connection:
        ranks = connection.scalars(select(requests.c.cost_rank).order_by(requests.c.id)).all()
        shared = connection.execute(text("SELECT task FROM task_assignees WHERE shared ORDER BY person_id")).scalars()
        assert list(shared) == ["REQ-1001.0", "REQ-1001.0"]
    costs = [None, *(Cost.model_validate(one) for one in (cost, nothing, yearly)), None]
    assert ranks == [cost_rank(one) for one in costs]


def _insert_task(register: Register, task: str, document: dict[str, Any], *, decided: str | None = None) -> None:
    """Put a task into a register of the first release, before those whom its document names."""
    row = {"request_id": 1001, "task": task, "kind": "approval", "decided": decided, "document": json.dumps(document)}
    with register.write() as connection:
        tables = [Table(name, MetaData(), autoload_with=connection) for name in ("tasks", "task_assignees")]
        connection.execute(insert(tables[0]), row)
        people = [one["person"]["id"] for one in document["assignees"]]
        connection.execute(insert(tables[1]), [{"person_id": one, "task": task, "asked": True} for one in people])


def test_a_migration_that_fails_leaves_the_register_of_the_first_release(old: Register) -> None:
    _insert_orders(old, [RELEASED_ORDER, "no order at all"])
    with pytest.raises(ValueError, match="Expecting value"):
        old.migrate()
    before = _contents(old)
    assert "drafts" not in before
    assert "item_id" not in before["requests"][0]
    with pytest.raises(RegisterUnavailable, match="revision 0001"):
        old.check()
