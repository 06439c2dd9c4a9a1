"""Orders of several things, or for several people: the parent and the requests it places."""

from __future__ import annotations

from typing import Any

from support.builders import a_person, an_item
from support.world import Request, World

from catalog.item import CatalogItem
from catalog.journal import Kind
from catalog.request import OrderLine, Outcome, Status, WaitKind

PAUSE = {"id": "pause", "do": "wait", "duration": "3 days"}


def part(item_id: str, group: str, *more: dict[str, Any], **other: Any) -> CatalogItem:
    plain = an_item().model_dump(exclude={"workflow", "entitlement"})
    steps = [{"id": "give", "do": "grant", "group": group}, *more]
    made = plain | {"id": item_id, "name": item_id, "approvals": (), "form": (), "steps": steps} | other
    return CatalogItem.model_validate(made)


def line(name: str, item: str, who: str = "Ada Byron", **other: Any) -> OrderLine:
    return OrderLine(id=name, item=item, version="1.0.0", item_name=item, beneficiary=a_person(who).ref(), **other)


async def bundle(world: World, *lines: OrderLine, **other: Any) -> Request:
    return await world.place(item=other.pop("item", an_item(approvals=())), lines=lines, **other)


async def test_everybody_gets_a_request_of_their_own(world: World) -> None:
    world.items["reader"] = part("reader", "wiki-readers")
    request = await bundle(world, line("ada", "reader"), line("rolf", "reader", "Rolf Chief"))
    closure = await request.closes()
    assert (closure.outcome, closure.reason) == (Outcome.FULFILLED, "Every part was fulfilled.")
    assert world.is_member("id-ada", "wiki-readers")
    assert world.is_member("id-rolf", "wiki-readers")
    assert len(request.now.tasks) == 0


async def test_a_part_begins_only_when_those_it_needs_are_fulfilled(world: World) -> None:
    world.items |= {"reader": part("reader", "wiki-readers", PAUSE), "editor": part("editor", "wiki-editors")}
    request = await bundle(world, line("editor", "editor", after=("reader",)), line("reader", "reader"))
    (wait,) = (await request.waits_for(WaitKind.REQUESTS)).waiting
    assert wait.then == "Once it is fulfilled, what needs it is ordered: editor for Ada Byron."
    assert (request.number, "editor") not in world.children
    reader = world.child(request, "reader")
    await reader.waits_for(WaitKind.TIME)
    await reader.cancel()
    closure = await request.closes()
    assert closure.outcome is Outcome.UNFULFILLED
    assert "it needs reader" in closure.reason
    assert not world.is_member(group="wiki-editors")


async def test_what_was_fulfilled_and_what_not_is_told_plainly(world: World) -> None:
    world.items["reader"] = part("reader", "wiki-readers")
    request = await bundle(world, line("ada", "reader"), line("rolf", "nothing", "Rolf Chief"))
    closure = await request.closes()
    assert closure.outcome is Outcome.PARTIAL
    assert "1 of 2 parts were fulfilled" in closure.reason
    assert "nothing for Rolf Chief: not ordered" in closure.reason


async def test_calling_off_the_whole_calls_off_every_open_part(world: World) -> None:
    world.items |= {"reader": part("reader", "wiki-readers"), "editor": part("editor", "wiki-editors", PAUSE)}
    lines = (line("reader", "reader"), line("editor", "editor"), line("later", "reader", after=("editor",)))
    request = await bundle(world, *lines)
    await request.reaches(lambda _: (request.number, "editor") in world.children)
    editor = world.child(request, "editor")
    await editor.waits_for(WaitKind.TIME)
    await request.reaches(lambda _: Kind.REQUEST_CLOSED in request.kinds)
    await request.cancel()
    closure = await request.closes()
    assert closure.outcome is Outcome.PARTIAL
    assert (await editor.closes()).outcome is Outcome.CANCELLED
    assert world.is_member(group="wiki-readers")
    assert not world.is_member(group="wiki-editors")
    assert (request.number, "later") not in world.children


async def test_the_parent_of_one_item_for_several_people_asks_nobody_itself(world: World) -> None:
    item = an_item()
    assert item.approvals
    world.items[item.id] = item
    request = await bundle(world, line("ada", item.id), line("rolf", item.id, "Olga Owner"), item=item)
    shown = await request.waits_for(WaitKind.REQUESTS, 2)
    assert {wait.then for wait in shown.waiting} == {"Once every part has ended, this request ends."}
    assert request.now.tasks == ()
    ada = world.child(request, "ada")
    await ada.waits_for_people()
    await ada.decide("Mara Lind")
    await ada.closes()
    await request.waits_for(WaitKind.REQUESTS)
    await request.cancel()
    assert (await request.closes()).outcome is Outcome.PARTIAL


async def test_a_bundles_own_approvals_come_before_its_parts_whose_answers_it_fills(world: World) -> None:
    world.items["reader"] = part("reader", "wiki-readers", form=an_item().form)
    lines = [{"id": "reader", "item": "reader", "answers": {"why": "For {{ form.why }} of {{ requester.name }}"}}]
    plain = an_item().model_dump(exclude={"workflow", "entitlement"})
    item = CatalogItem.model_validate(plain | {"lines": lines})
    request = await bundle(world, line("reader", "reader"), item=item)
    await request.waits_for_people()
    assert world.children == {}
    await request.decide("Mara Lind")
    assert (await request.closes()).outcome is Outcome.FULFILLED
    assert world.children[request.number, "reader"].answers == {"why": "For I keep the handbook. of Ada Byron"}


async def test_an_order_called_off_before_anything_was_placed_is_cancelled(world: World) -> None:
    plain = an_item().model_dump(exclude={"workflow", "entitlement"})
    item = CatalogItem.model_validate(plain | {"lines": [{"id": "reader", "item": "reader"}]})
    request = await bundle(world, line("reader", "reader"), item=item)
    await request.waits_for_people()
    await request.cancel()
    assert (await request.closes()).outcome is Outcome.CANCELLED
    assert request.now.status is Status.CLOSED
    assert world.children == {}


async def test_cancelled_in_the_engine_every_open_part_is_called_off(world: World) -> None:
    world.items["editor"] = part("editor", "wiki-editors", PAUSE)
    request = await bundle(world, line("editor", "editor"))
    await request.waits_for(WaitKind.REQUESTS)
    editor = world.child(request, "editor")
    await editor.waits_for(WaitKind.TIME)
    await request.handle.cancel()
    assert (await request.closes()).outcome is Outcome.CANCELLED
    assert (await editor.closes()).outcome is Outcome.CANCELLED
    assert not world.is_member(group="wiki-editors")
