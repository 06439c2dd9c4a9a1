"""Items made of steps: the interpreter on the real engine, with the memory directory."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support.builders import NOON, a_person, a_steps_item, an_actor, an_item
from support.world import Request, World, refusal

from activities.errors import Transient
from catalog import form, names
from catalog.access import Membership
from catalog.journal import Kind
from catalog.request import Outcome, Status, WaitKind

READERS = {"id": "read", "do": "grant", "group": "wiki-readers"}
GUARDS = [{"rule": "group", "group": "guards"}]


async def place(world: World, *steps: dict[str, Any], answers: dict[str, Any] | None = None, **item: Any) -> Request:
    return await world.place(item=a_steps_item(*steps, **item), answers=answers or {"why": "Handbook"})


def reads(world: World) -> bool:
    return world.is_member(group="wiki-readers")


async def test_a_grant_is_seen_in_the_directory(world: World) -> None:
    request = await place(world, READERS)
    assert (await request.closes()).outcome is Outcome.FULFILLED
    assert reads(world)
    assert request.last(Kind.EFFECT_OBSERVED).data["present"] is True


async def test_a_step_whose_condition_does_not_hold_is_left_out(world: World) -> None:
    request = await place(world, READERS | {"when": "form.why == 'other'"})
    assert (await request.closes()).outcome is Outcome.FULFILLED
    assert not reads(world)
    assert request.last(Kind.STEP_SKIPPED).data["step"] == "read"


async def test_the_name_of_a_group_comes_from_an_answer(world: World) -> None:
    request = await place(world, READERS | {"group": "wiki-{{ form.why }}"}, answers={"why": "readers"})
    await request.closes()
    assert reads(world)


async def test_approvals_come_before_the_first_step(world: World) -> None:
    stage = an_item().approvals[0].model_dump()
    request = await place(world, READERS, approvals=[stage])
    await request.waits_for_people()
    assert not reads(world)
    await request.decide("Mara Lind")
    await request.closes()
    assert reads(world)


async def test_work_is_taken_by_one_of_those_asked_and_completed_with_evidence(world: World) -> None:
    asset = {"id": "tag", "type": "text", "label": "Asset tag"}
    task = {"id": "label", "do": "task", "title": "Label it", "assign": GUARDS, "evidence": [asset], "due": "2 days"}
    told = {
        "id": "tell",
        "do": "notify",
        "to": ["requester"],
        "subject": "Tag {{ results.label.tag }}",
        "text": "Done by {{ results.label.by.name }}",
    }
    request = await place(world, task | {"irreversible": "A label stays."}, told)
    shown = await request.waits_for(WaitKind.TASK)
    assert {person.login for person in shown.waiting[0].who} == {"mara", "grace"}
    await request.work("Grace Guard", "claim", task=1)
    assert [person.login for person in request.now.waiting[0].who] == ["grace"]
    assert await refusal(request.work("Mara Lind", "complete", task=1)) == "already-decided"
    await request.work("Grace Guard", "release", task=1)
    await request.work("Mara Lind", "complete", task=1, tag="A-17")
    assert (await request.closes()).outcome is Outcome.FULFILLED
    message = next(one for one in world.journal.notices(request.number) if one.template == "message")
    assert (message.data["subject"], message.data["text"]) == ("Tag A-17", "Done by Mara Lind")


async def test_work_is_for_those_asked_only(world: World) -> None:
    task = {"id": "do", "do": "task", "title": "Do it", "assign": GUARDS, "irreversible": "No."}
    request = await place(world, task)
    await request.waits_for(WaitKind.TASK)
    assert await refusal(request.work("Rolf Chief", "complete", task=1)) == "not-approver"
    assert await refusal(request.decide("Grace Guard", task=1)) == "unknown-choice"


async def test_overdue_work_is_told_to_the_operators_and_stays_open(world: World) -> None:
    task = {"id": "do", "do": "task", "title": "Do it", "assign": GUARDS, "due": "2 days", "irreversible": "No."}
    request = await place(world, task)
    await request.waits_for(WaitKind.TASK)
    await request.passes(timedelta(days=2, minutes=1))
    await request.reaches(lambda _: Kind.TASK_OVERDUE in request.kinds)
    await request.waits_for(WaitKind.TASK)
    await request.work("Grace Guard", "complete", task=1)
    assert (await request.closes()).outcome is Outcome.FULFILLED


async def test_work_that_cannot_be_done_goes_to_an_operator_who_can_put_it_up_again(world: World) -> None:
    task = {"id": "do", "do": "task", "title": "Do it", "assign": GUARDS, "irreversible": "No."}
    request = await place(world, task)
    await request.waits_for(WaitKind.TASK)
    assert await refusal(request.work("Grace Guard", "decline", task=1)) == "reason-needed"
    await request.work("Grace Guard", "decline", task=1, reason="No labels left")
    shown = await request.waits_for_operator()
    assert "No labels left" in (shown.tasks[1].problem or "")
    await request.operate("retry", task=2)
    await request.waits_for(WaitKind.TASK)
    await request.work("Grace Guard", "complete", task=3)
    assert (await request.closes()).outcome is Outcome.FULFILLED


async def test_work_for_nobody_goes_to_an_operator(world: World) -> None:
    nobody = [{"rule": "group", "group": "wiki-readers"}]
    request = await place(world, {"id": "do", "do": "task", "title": "Do it", "assign": nobody, "irreversible": "No."})
    await request.waits_for_operator()
    await request.operate("skip", task=1)
    assert (await request.closes()).outcome is Outcome.FULFILLED


async def test_a_wait_lets_exactly_that_time_go_by(world: World) -> None:
    request = await place(world, {"id": "pause", "do": "wait", "duration": "3 days"}, READERS)
    shown = await request.waits_for(WaitKind.TIME)
    assert shown.waiting[0].until == request.last(Kind.WAIT_BEGUN).at + timedelta(days=3)
    await request.passes(timedelta(days=2, hours=23))
    assert not reads(world)
    await request.passes(timedelta(hours=1, minutes=1))
    await request.closes()
    assert reads(world)


async def test_an_event_goes_on_with_its_data(world: World) -> None:
    event = {"id": "came", "do": "wait", "event": "delivered", "timeout": "10 days"}
    request = await place(world, event, READERS | {"when": "results.came.place == 'desk'"})
    await request.waits_for(WaitKind.EVENT)
    assert await refusal(request.report("stolen")) == "unknown-choice"
    await request.report("delivered", place="desk")
    await request.closes()
    assert reads(world)


@pytest.mark.parametrize(
    ("policy", "outcome", "given"), [("continue", Outcome.FULFILLED, True), ("cancel", Outcome.EXPIRED, False)]
)
async def test_an_event_that_does_not_come_ends_as_the_author_says(
    world: World, policy: str, outcome: Outcome, given: bool
) -> None:
    event = {"id": "came", "do": "wait", "event": "delivered", "timeout": "10 days", "at_deadline": policy}
    request = await place(world, event, READERS)
    await request.waits_for(WaitKind.EVENT)
    await request.passes(timedelta(days=10, minutes=1))
    assert (await request.closes()).outcome is outcome
    assert reads(world) is given


async def test_called_off_in_the_middle_everything_done_is_taken_back(world: World) -> None:
    request = await place(world, READERS, {"id": "pause", "do": "wait", "duration": "3 days"})
    await request.waits_for(WaitKind.TIME)
    assert reads(world)
    await request.cancel()
    assert (await request.closes()).outcome is Outcome.CANCELLED
    assert not reads(world)


async def test_what_somebody_had_before_is_not_taken_back(world: World) -> None:
    world.directory.ensure_member(Membership(person_id="id-ada", group="wiki-readers"))
    request = await place(world, READERS, {"id": "pause", "do": "wait", "duration": "3 days"})
    await request.waits_for(WaitKind.TIME)
    await request.cancel()
    await request.closes()
    assert reads(world)


async def test_a_refusal_in_the_middle_ends_the_request_and_undoes(world: World) -> None:
    stage = an_item().approvals[0].model_dump() | {"id": "second"}
    request = await place(world, READERS, {"id": "ask", "do": "approve", "stage": stage})
    await request.waits_for_people()
    assert reads(world)
    await request.decide("Mara Lind", "reject", "no")
    assert (await request.closes()).outcome is Outcome.REJECTED
    assert not reads(world)


async def test_what_cannot_be_taken_back_is_put_before_an_operator(world: World) -> None:
    task = {"id": "do", "do": "task", "title": "Engrave it", "assign": GUARDS, "irreversible": "Engraved is engraved."}
    request = await place(world, task, {"id": "pause", "do": "wait", "duration": "3 days"})
    await request.waits_for(WaitKind.TASK)
    await request.work("Grace Guard", "complete", task=1)
    await request.waits_for(WaitKind.TIME)
    await request.cancel()
    shown = await request.waits_for_operator()
    assert "Engraved is engraved." in (shown.tasks[-1].problem or "")
    await request.operate("skip", task=2)
    assert (await request.closes()).outcome is Outcome.CANCELLED


async def test_a_task_is_taken_back_by_the_task_that_its_author_names(world: World) -> None:
    undo = {"do": "task", "title": "Take back {{ result.tag }}", "assign": GUARDS}
    evidence = [{"id": "tag", "type": "text", "label": "Tag"}]
    task = {"id": "do", "do": "task", "title": "Hand out", "assign": GUARDS, "undo": undo, "evidence": evidence}
    request = await place(world, task, {"id": "pause", "do": "wait", "duration": "3 days"})
    await request.waits_for(WaitKind.TASK)
    await request.work("Grace Guard", "complete", task=1, tag="A-17")
    await request.waits_for(WaitKind.TIME)
    await request.cancel()
    shown = await request.waits_for(WaitKind.TASK)
    assert shown.tasks[-1].title == "Take back A-17"
    await request.work("Mara Lind", "complete", task=2)
    assert (await request.closes()).outcome is Outcome.CANCELLED


async def test_branches_run_side_by_side_and_each_says_what_it_waits_for(world: World) -> None:
    def task(name: str) -> dict[str, Any]:
        return {"id": name, "do": "task", "title": name, "assign": GUARDS, "irreversible": "No."}

    both = {"id": "both", "do": "parallel", "branches": {"left": [task("left")], "right": [task("right"), READERS]}}
    request = await place(world, both)
    await request.waits_for(WaitKind.TASK, 2)
    await request.work("Grace Guard", "complete", task=request.titled("right"))
    await request.reaches(lambda _: reads(world))
    assert request.now.status is Status.FULFILMENT
    await request.work("Mara Lind", "complete", task=request.titled("left"))
    assert (await request.closes()).outcome is Outcome.FULFILLED


async def test_one_branch_that_ends_the_request_stops_the_others(world: World) -> None:
    stage = an_item().approvals[0].model_dump() | {"id": "second"}
    task = {"id": "left", "do": "task", "title": "left", "assign": GUARDS, "irreversible": "No."}
    both = {
        "id": "both",
        "do": "parallel",
        "branches": {"left": [READERS, task], "right": [{"id": "ask", "do": "approve", "stage": stage}]},
    }
    request = await place(world, both)
    await request.waits_for(WaitKind.TASK)
    await request.waits_for(WaitKind.PEOPLE)
    await request.decide("Mara Lind", "reject", "no", task=request.titled("Manager"))
    assert (await request.closes()).outcome is Outcome.REJECTED
    assert not reads(world)
    assert next(one for one in request.now.tasks if one.kind == "fulfilment").decided == "cancelled"


async def test_an_operator_asked_in_one_branch_does_not_hold_up_the_other(world: World) -> None:
    lost = {"id": "lost", "do": "grant", "group": "no-such-group"}
    task = {"id": "left", "do": "task", "title": "left", "assign": GUARDS, "irreversible": "No."}
    both = {"id": "both", "do": "parallel", "branches": {"left": [task], "right": [lost]}}
    request = await place(world, both)
    await request.waits_for(WaitKind.OPERATOR)
    shown = await request.waits_for(WaitKind.TASK)
    assert shown.status is Status.ATTENTION
    await request.work("Mara Lind", "complete", task=request.titled("left"))
    await request.operate("skip", task=request.titled("no-such-group"))
    assert (await request.closes()).outcome is Outcome.FULFILLED


async def test_for_each_goes_through_a_list_and_collects_results(world: World) -> None:
    fields = [{"id": "groups", "type": "multi_choice", "label": "Which", "choices": ["wiki-readers", "wiki-editors"]}]
    each = {
        "id": "all",
        "do": "for_each",
        "each": "{{ form.groups }}",
        "variable": "group",
        "steps": [{"id": "give", "do": "grant", "group": "{{ group }}"}],
    }
    told = {"id": "tell", "do": "notify", "to": ["requester"], "subject": "x", "text": "{{ results.all | length }}"}
    answers = {"groups": ["wiki-readers", "wiki-editors"]}
    request = await place(world, each, told, form=fields, answers=answers)
    await request.closes()
    assert reads(world)
    assert world.is_member()
    message = next(one for one in world.journal.notices(request.number) if one.template == "message")
    assert message.data["text"] == "2"


async def test_an_expression_that_fails_is_put_before_an_operator(world: World) -> None:
    request = await place(world, READERS | {"when": "results.never.was"})
    shown = await request.waits_for_operator()
    assert "The item is at fault" in (shown.tasks[0].problem or "")
    await request.operate("skip", task=1)
    assert (await request.closes()).outcome is Outcome.FULFILLED
    assert not reads(world)


async def test_another_item_is_ordered_as_a_child_and_awaited(world: World) -> None:
    world.items["reader"] = a_steps_item(READERS, id="reader", form=[])
    order = {"id": "first", "do": "request", "item": "reader"}
    told = {"id": "tell", "do": "notify", "to": ["requester"], "subject": "x", "text": "{{ results.first.outcome }}"}
    request = await place(world, order, told)
    assert (await request.closes()).outcome is Outcome.FULFILLED
    assert reads(world)
    assert request.last(Kind.REQUEST_CLOSED).data["outcome"] == "fulfilled"


async def test_a_child_that_is_refused_is_put_before_an_operator(world: World) -> None:
    request = await place(world, {"id": "first", "do": "request", "item": "nothing"})
    shown = await request.waits_for_operator()
    assert "no item" in (shown.tasks[0].problem or "")
    await request.operate("cancel", task=1)
    assert (await request.closes()).outcome is Outcome.CANCELLED


async def test_called_off_while_a_child_is_open_the_child_is_called_off_too(world: World) -> None:
    pause = {"id": "pause", "do": "wait", "duration": "3 days"}
    world.items["reader"] = a_steps_item(READERS, pause, id="reader", form=[])
    request = await place(world, {"id": "first", "do": "request", "item": "reader"})
    await request.waits_for(WaitKind.REQUESTS)
    child = world.child(request, "first.1")
    await child.waits_for(WaitKind.TIME)
    await request.cancel()
    assert (await request.closes()).outcome is Outcome.CANCELLED
    assert (await child.closes()).outcome is Outcome.CANCELLED
    assert not reads(world)


async def test_a_request_whose_policy_says_so_cannot_be_cancelled_once_it_has_begun(world: World) -> None:
    pause = {"id": "pause", "do": "wait", "duration": "3 days"}
    request = await place(world, READERS, pause, cancel={"until": "fulfilment"})
    await request.waits_for(WaitKind.TIME)
    assert await refusal(request.cancel()) == "closed"
    await request.passes(timedelta(days=3, minutes=1))
    assert (await request.closes()).outcome is Outcome.FULFILLED


async def test_an_operator_can_give_back_what_somebody_on_leave_has_taken(world: World) -> None:
    request = await place(world, {"id": "do", "do": "task", "title": "Do it", "assign": GUARDS, "irreversible": "No."})
    await request.waits_for(WaitKind.TASK)
    await request.work("Grace Guard", "claim", task=1)
    await request.work(an_actor("Otto Operator", operator=True), "release", task=1)
    await request.work("Mara Lind", "complete", task=1)
    assert (await request.closes()).outcome is Outcome.FULFILLED


async def test_an_author_says_how_often_a_system_is_tried(world: World) -> None:
    world.directory.fail_next(Transient("busy"), times=5, on="ensure_member")
    request = await place(world, READERS | {"retry": {"attempts": 2, "pause": "1 s"}})
    shown = await request.waits_for_operator()
    assert "busy" in (shown.tasks[0].problem or "")
    await request.operate("skip", task=1)
    await request.closes()
    assert not reads(world)


async def test_who_could_do_overdue_work_is_looked_up_again(world: World) -> None:
    task = {"id": "do", "do": "task", "title": "Do it", "assign": GUARDS, "due": "2 days", "irreversible": "No."}
    request = await place(world, task)
    await request.waits_for(WaitKind.TASK)
    await request.work("Grace Guard", "claim", task=1)
    world.directory.put_person(a_person("Grace Guard", active=False))
    world.directory.ensure_member(Membership(person_id="id-rolf", group="guards"))
    await request.passes(timedelta(days=2, minutes=1))
    await request.reaches(lambda _: Kind.TASK_REASSIGNED in request.kinds)
    shown = await request.waits_for(WaitKind.TASK)
    assert {person.login for person in shown.waiting[0].who} == {"mara", "rolf"}
    told = [one.to.login for one in world.journal.notices(request.number) if one.template == "work-needed"]
    assert sorted(told) == ["grace", "mara", "rolf"]
    await request.work("Rolf Chief", "complete", task=1)
    assert (await request.closes()).outcome is Outcome.FULFILLED


async def test_overdue_work_that_nobody_could_do_any_more_goes_to_an_operator(world: World) -> None:
    alone = [{"rule": "person", "person": "grace"}]
    task = {"id": "do", "do": "task", "title": "Do it", "assign": alone, "due": "2 days", "irreversible": "No."}
    request = await place(world, task)
    await request.waits_for(WaitKind.TASK)
    world.directory.put_person(a_person("Grace Guard", active=False))
    await request.passes(timedelta(days=2, minutes=1))
    shown = await request.waits_for_operator()
    assert "Nobody who could do this is there any more" in (shown.tasks[-1].problem or "")
    await request.operate("skip", task=2)
    assert (await request.closes()).outcome is Outcome.FULFILLED


async def test_what_can_be_undone_is_undone_before_an_operator_sees_to_the_rest(world: World) -> None:
    task = {"id": "do", "do": "task", "title": "Engrave it", "assign": GUARDS, "irreversible": "Engraved is engraved."}
    request = await place(world, READERS, task, {"id": "pause", "do": "wait", "duration": "3 days"})
    await request.waits_for(WaitKind.TASK)
    await request.work("Grace Guard", "complete", task=1)
    await request.waits_for(WaitKind.TIME)
    await request.cancel()
    await request.waits_for_operator()
    assert not reads(world)
    await request.operate("skip", task=2)
    assert (await request.closes()).outcome is Outcome.CANCELLED


async def test_an_item_that_was_ordered_is_followed_by_its_undo(world: World) -> None:
    world.items["reader"] = a_steps_item(READERS, id="reader", form=[])
    undo = {"do": "revoke", "group": "wiki-readers"}
    order = {"id": "first", "do": "request", "item": "reader", "undo": undo}
    request = await place(world, order, {"id": "pause", "do": "wait", "duration": "3 days"})
    await request.waits_for(WaitKind.TIME)
    assert reads(world)
    await request.cancel()
    assert (await request.closes()).outcome is Outcome.CANCELLED
    assert not reads(world)


WHO = [{"id": "who", "type": "text", "label": "Who"}]


@pytest.mark.parametrize(
    "rule",
    [
        {"rule": "person", "person": "{{ form.who }}"},
        {"rule": "expression", "people": "{{ form.who }}"},
        {"rule": "group", "group": "{{ form.who }}"},
    ],
)
async def test_an_answer_that_looks_like_a_template_is_no_template(world: World, rule: dict[str, str]) -> None:
    stage = an_item().approvals[0].model_dump() | {"approvers": [rule]}
    task = {"id": "do", "do": "task", "title": "Do it", "assign": [rule], "irreversible": "No."}
    request = await place(world, task, approvals=[stage], form=WHO, answers={"who": "{{ x"})
    shown = await request.reaches(lambda p: bool(p.waiting) and p.status in (Status.APPROVAL, Status.ATTENTION))
    assert shown.tasks
    await request.cancel()
    assert (await request.closes()).outcome is Outcome.CANCELLED


async def test_approvals_in_a_loop_are_told_apart(world: World) -> None:
    stage = {"id": "each", "name": "Guards for {{ group }}", "approvers": GUARDS}
    inner = [{"id": "ask", "do": "approve", "stage": stage}, {"id": "give", "do": "grant", "group": "{{ group }}"}]
    both = "{{ ['wiki-editors', 'wiki-readers'] }}"
    each = {"id": "all", "do": "for_each", "each": both, "variable": "group", "at_once": 2, "steps": inner}
    request = await place(world, each)
    shown = await request.waits_for(WaitKind.PEOPLE, 2)
    said = {f"Guards for {group}: a decision is needed" for group in ("wiki-editors", "wiki-readers")}
    assert {waiting.what for waiting in shown.waiting} == said
    editors = request.titled("Guards for wiki-editors:")
    await request.decide("Grace Guard", task=request.titled("Guards for wiki-readers:"))
    await request.reaches(lambda _: reads(world))
    assert not world.is_member()
    await request.decide("Grace Guard", task=editors)
    assert (await request.closes()).outcome is Outcome.FULFILLED
    assert world.is_member()


async def test_a_stage_whose_name_cannot_be_worked_out_is_decided_all_the_same(world: World) -> None:
    stage = {"id": "ask", "name": "Guards for {{ results.never.was }}", "approvers": GUARDS}
    request = await place(world, {"id": "ask", "do": "approve", "stage": stage})
    await request.waits_for_people()
    await request.decide("Grace Guard", task=request.titled("Ask:"))
    assert (await request.closes()).outcome is Outcome.FULFILLED


PERSON = {"id": "id-guard", "login": "guard", "name": "Grace Guard", "mail": "guard@example.org"}
SOME = [
    {"id": "who", "type": "person", "label": "Who"},
    {"id": "note", "type": "text", "label": "Note", "required": False},
    {"id": "words", "type": "text", "label": "Words"},
]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("{{ form.who }}", "Grace Guard"),
        ("{{ form.note }}", "See to it"),
        ("{{ form.note.typo }}", "See to it"),
        ("{{ form.words }}", f"{'x' * 119}…"),
    ],
)
async def test_what_people_are_asked_is_in_words_short_and_never_empty(world: World, written: str, shown: str) -> None:
    undo = {"do": "task", "title": written, "assign": GUARDS, "due": "2 days"}
    work = {"do": "task", "title": written, "assign": GUARDS, "instructions": "For {{ form.who }}", "undo": undo}
    tell = {"do": "notify", "to": ["requester"], "subject": written, "text": "{{ form.who }}", "name": "See to it"}
    stage = {"id": "ask", "name": written, "approvers": GUARDS}
    steps = (work | {"id": "see-to-it"}, tell | {"id": "tell"}, {"id": "see_to_it", "do": "approve", "stage": stage})
    request = await place(world, *steps, form=SOME, answers={"who": PERSON, "words": "x" * 500})
    task = (await request.waits_for(WaitKind.TASK)).tasks[0]
    assert (task.title, task.instructions) == (shown, "For Grace Guard")
    await request.work("Grace Guard", "complete", task=1)
    assert (await request.waits_for_people()).tasks[1].title.startswith(f"{shown}: ")
    notice = next(one for one in world.journal.notices(request.number) if one.template == "message")
    assert (notice.data["subject"], notice.data["text"]) == (shown, "Grace Guard")
    await request.cancel()
    undone = (await request.waits_for(WaitKind.TASK)).tasks[-1]
    assert undone.title == ("Take back: See to it" if shown == "See to it" else shown)
    await request.work("Grace Guard", "complete", task=3)
    assert (await request.closes()).outcome is Outcome.CANCELLED


async def test_evidence_may_depend_on_the_order_on_results_and_on_the_loop_around(world: World) -> None:
    day = {"id": "day", "type": "date", "label": "Day"}
    first = {"id": "first", "do": "task", "title": "First", "assign": GUARDS, "evidence": [day], "irreversible": "No."}
    fields = [
        {"id": "why", "type": "text", "label": "Why", "default": "{{ order.why }} for {{ group }}"},
        {"id": "later", "type": "yes_no", "label": "Later", "visible": "results.first.day > today"},
    ]
    inner = first | {"id": "then", "title": "Then", "evidence": fields}
    each = {"id": "all", "do": "for_each", "each": "{{ ['readers'] }}", "variable": "group", "steps": [inner]}
    request = await place(world, first, each)
    await request.waits_for(WaitKind.TASK)
    await request.work("Grace Guard", "complete", task=request.titled("First"), day="2999-01-01")
    shown = await request.reaches(lambda p: len(p.tasks) == 2)
    asked = shown.tasks[1]
    known = names.of_evidence(request.order, asked, NOON)
    assert asked.known == {"results": {"first": {"day": "2999-01-01"}}, "group": "readers"}
    checked = form.check(asked.evidence, {"later": True}, known)
    assert checked.answers == {"why": "Handbook for readers", "later": True}
    assert [error.code for error in form.check(asked.evidence, {}, known).errors] == ["missing"]


async def test_each_round_of_a_loop_has_an_idempotency_key_of_its_own(world: World) -> None:
    post = {"id": "make", "do": "http", "method": "POST", "url": "https://a.example/{{ each }}", "idempotent": True}
    steps = [post | {"irreversible": "No."}]
    request = await place(world, {"id": "all", "do": "for_each", "each": "{{ ['a', 'b', 'c'] }}", "steps": steps})
    await request.closes()
    assert len({call.idempotency_key for call in world.calls}) == 3


async def test_a_child_that_is_being_placed_when_the_request_is_called_off_is_called_off_too(world: World) -> None:
    pause = {"id": "pause", "do": "wait", "duration": "3 days"}
    world.items["reader"] = a_steps_item(pause, READERS, id="reader", form=[])
    world.slow_intake.clear()
    branches = {"left": [pause | {"id": "rest"}], "right": [{"id": "first", "do": "request", "item": "reader"}]}
    request = await place(world, {"id": "both", "do": "parallel", "branches": branches})
    await request.waits_for(WaitKind.TIME)
    await request.cancel()
    world.slow_intake.set()
    assert (await request.closes()).outcome is Outcome.CANCELLED
    assert (await world.child(request, "first.1").closes()).outcome is Outcome.CANCELLED
    assert not reads(world)


async def test_a_child_that_nobody_waits_for_is_called_off_with_its_parent(world: World) -> None:
    pause = {"id": "pause", "do": "wait", "duration": "3 days"}
    world.items["reader"] = a_steps_item(pause, READERS, id="reader", form=[])
    order = {"id": "first", "do": "request", "item": "reader", "wait": False}
    request = await place(world, order, pause)
    await request.waits_for(WaitKind.TIME)
    await request.cancel()
    assert (await request.closes()).outcome is Outcome.CANCELLED
    assert (await world.child(request, "first.1").closes()).outcome is Outcome.CANCELLED


@pytest.mark.parametrize(
    "step",
    [
        {"id": "w", "do": "wait", "until": "{{ form.who }}"},
        {"id": "g", "do": "grant", "group": "{{ form.who if form.who == 1 else none }}"},
        {
            "id": "n",
            "do": "notify",
            "to": ["{{ {'id': 'x', 'login': 'x', 'name': 'x', 'mail': [1]} }}"],
            "subject": "x",
            "text": "x",
        },
    ],
)
async def test_values_that_nobody_has_thought_of_are_put_before_an_operator(world: World, step: dict[str, Any]) -> None:
    request = await place(world, step, form=WHO, answers={"who": "0001-01-01T00:00:00+14:00"})
    shown = await request.waits_for_operator()
    assert "The item is at fault" in (shown.tasks[0].problem or "")
    await request.operate("skip", task=1)
    assert (await request.closes()).outcome is Outcome.FULFILLED


async def test_two_waits_of_the_same_words_are_both_shown(world: World) -> None:
    waits = {
        "left": [{"id": "one", "do": "wait", "duration": "1 day"}],
        "right": [{"id": "two", "do": "wait", "duration": "5 days"}],
    }
    request = await place(world, {"id": "both", "do": "parallel", "branches": waits})
    await request.waits_for(WaitKind.TIME, 2)
    await request.passes(timedelta(days=1, minutes=1))
    await request.waits_for(WaitKind.TIME, 1)


async def test_work_of_people_counts_as_begun(world: World) -> None:
    task = {"id": "do", "do": "task", "title": "Do it", "assign": GUARDS, "irreversible": "No."}
    pause = {"id": "pause", "do": "wait", "duration": "3 days"}
    request = await place(world, task, pause, cancel={"until": "fulfilment"})
    await request.waits_for(WaitKind.TASK)
    await request.work("Grace Guard", "complete", task=1)
    await request.waits_for(WaitKind.TIME)
    assert await refusal(request.cancel()) == "closed"


async def test_the_loops_of_a_request_are_bounded(world: World) -> None:
    inner = {
        "id": "in",
        "do": "for_each",
        "each": "{{ form.all }}",
        "variable": "x",
        "steps": [READERS | {"when": False}],
    }
    each = {"id": "all", "do": "for_each", "each": "{{ [1, 2, 3, 4, 5, 6] }}", "steps": [inner]}
    choices = [f"c{n}" for n in range(200)]
    fields = [{"id": "all", "type": "multi_choice", "label": "All", "choices": choices}]
    request = await place(world, each, form=fields, answers={"all": choices})
    shown = await request.waits_for_operator()
    assert "1000 entries" in (shown.tasks[0].problem or "")
