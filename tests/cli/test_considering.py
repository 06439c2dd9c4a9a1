"""`commissary task` and `request amend`: what people do about decisions, and what they see of them."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from support.api_world import ApiWorld
from support.builders import NOON, a_new_order, a_person, a_stage, an_item
from support.story import Story, a_task
from support.terminal import Commissary
from support.waiting import eventually

from activities.errors import Transient
from catalog.item import CatalogItem
from catalog.journal import Kind
from catalog.request import Assignee, Batch, Projection, Status, Task, Waiting, WaitKind
from workflows.messages import Amend, Consider, Decide

FORM = [
    {"id": "why", "type": "text", "label": "Why"},
    {"id": "days", "type": "integer", "label": "Days", "required": False},
]


def days_item() -> CatalogItem:
    """Return an item whose manager may grant fewer days."""
    stage = a_stage(may_reduce=("days",)).model_dump()
    plain = an_item().model_dump() | {"id": "desk", "form": FORM, "duplicates": "allow", "approvals": [stage]}
    return CatalogItem.model_validate(plain)


@pytest.fixture
def number(world: ApiWorld, commissary: Commissary) -> str:
    """A request of Ada's that waits for Mara."""
    world.shelve(days_item())
    said = commissary("Ada Byron", "request", "order", "desk", "-a", "why=work", "-a", "days=10", "--json")
    found: str = json.loads(said.text)["number"]
    eventually(lambda: world.status(found) is Status.APPROVAL)
    return found


def shown(commissary: Commissary, who: str, *words: str) -> str:
    """Return what a command shows, without the frames around it."""
    return " ".join(commissary(who, *words).text.translate(dict.fromkeys(map(ord, "│╭╮╰╯─"), " ")).split())


def sent(world: ApiWorld) -> Any:
    return world.engine.commands[-1]


@pytest.mark.parametrize(
    ("words", "expected", "said"),
    [
        (["ask", "For how long?"], ("ask", "For how long?", None), "asked for information"),
        (["consult", "ben", "Usual?"], ("consult", "Usual?", "ben"), "advice of Ben Bright"),
        (["add", "ben", "-r", "costly"], ("add", "costly", "ben"), "wants Ben Bright to approve"),
        (["reassign", "--to", "ben"], ("reassign", "", "ben"), "handed stage 'Manager' to Ben"),
        (["remind"], ("remind", "", None), "reminded"),
        (["withdraw", "-r", "wrong"], ("withdraw", "wrong", None), "took back their decision"),
    ],
)
def test_what_is_done_about_a_decision(
    world: ApiWorld, commissary: Commissary, number: str, *, words: list[str], expected: tuple[Any, ...], said: str
) -> None:
    act, *rest = words
    found = commissary("Ada Byron" if act == "remind" else "Mara Lind", "task", act, f"{number}.1", *rest)
    assert found.code == 0, found.text
    assert said in found.text
    assert f"{number}: approval." in found.text
    command = sent(world)
    assert isinstance(command, Consider)
    assert (command.act, command.text, command.person.login if command.person else None) == expected


def test_an_operator_says_whose_decision_is_handed_on(world: ApiWorld, commissary: Commissary, number: str) -> None:
    said = commissary("Otto Operator", "task", "reassign", f"{number}.1", "--to", "ben")
    assert (said.code, "Say whose decision is handed on" in said.text) == (1, True)
    assert commissary("Otto Operator", "task", "reassign", f"{number}.1", "--to", "ben", "--from", "mara").code == 0
    assert sent(world).seat == "id-mara"


def test_a_question_is_answered(world: ApiWorld, commissary: Commissary, number: str) -> None:
    run = world.engine._runs[number]
    task = f"{number}.2"
    run.tasks[task] = Task(
        id=task,
        kind="information",
        title="Mara Lind asks about Wiki editor",
        stage="manager",
        instructions="For how long?",
        assignees=(Assignee(person=a_person().ref()),),
        choices=("answer",),
        subject="",
        opened_at=NOON,
    )
    commissary("Ada Byron", "request", "comment", number, "hello")  # the register comes to know of the task
    seen = shown(commissary, "Ada Byron", "request", "show", number)
    assert f'answer commissary task answer {task} "ANSWER"' in seen
    assert f"{task} information" in commissary("Ada Byron", "task", "list").text
    assert "gave the information" in commissary("Ada Byron", "task", "answer", task, "A week").text
    assert (sent(world).act, sent(world).text) == ("answer", "A week")


def test_an_order_is_changed(world: ApiWorld, commissary: Commissary, number: str) -> None:
    said = commissary("Ada Byron", "request", "amend", number, "-a", "days=5", "-r", "less will do")
    assert "Ada Byron changed what was ordered" in said.text
    command = sent(world)
    assert isinstance(command, Amend)
    assert (command.amendment.answers, command.reason) == ({"why": "work", "days": 5}, "less will do")
    assert "Days 5" in commissary("Ada Byron", "request", "show", number).text
    assert commissary("Ada Byron", "request", "amend", number, "-a", "days=").code == 0
    assert sent(world).amendment.answers == {"why": "work"}
    said = commissary("Ada Byron", "request", "amend", number, "-a", "why=work")
    assert (said.code, "says this already" in said.text) == (1, True)
    said = commissary("Ada Byron", "request", "amend", number, "-a", "size=5")
    assert (said.code, "• size: The form asks no such thing" in said.text) == (1, True)


def test_less_is_approved(world: ApiWorld, commissary: Commissary, number: str) -> None:
    seen = shown(commissary, "Mara Lind", "task", "show", f"{number}.1")
    assert "By approving you may make smaller, with -a Answer Type Question days integer Days" in seen
    said = commissary("Mara Lind", "task", "decide", f"{number}.1", "approve", "-a", "days=11")
    assert (said.code, "• days: Days: this can only be less than 10." in said.text) == (1, True)
    assert commissary("Mara Lind", "task", "decide", f"{number}.1", "approve", "-a", "days=5").code == 0
    command = sent(world)
    assert isinstance(command, Decide)
    assert command.amendment
    assert command.amendment.answers["days"] == 5


def test_a17_several_are_decided_in_one_command_and_what_failed_is_told(
    world: ApiWorld, commissary: Commissary, number: str
) -> None:
    commissary("Ada Byron", "request", "order", "desk", "-a", "why=more")
    other = f"REQ-{int(number.removeprefix('REQ-')) + 1}"
    eventually(lambda: world.status(other) is Status.APPROVAL)
    tasks = (f"{number}.1", f"{other}.1")
    assert commissary("Mara Lind", "task", "decide", *tasks, "approve", "-a", "days=1").code == 1
    said = commissary("Mara Lind", "task", "decide", *tasks, "REQ-9.1", "approve", "-r", "fine")
    assert said.code == 1
    for task in tasks:
        assert f"{task}: Mara Lind approved" in said.text
    assert "1 of 3 could not be decided: • REQ-9.1: There is no such task." in said.text
    assert [world.status(one) for one in (number, other)] == [Status.CLOSED, Status.CLOSED]
    assert commissary("Mara Lind", "task", "decide", "approve").code == 2


# ---------------------------------------------------------------- what is seen


def waits(world: ApiWorld, **wait: Any) -> str:
    """Have a request wait like that for Mara; return its number."""
    story = Story(world.register.take(a_new_order(started=True)).order.number)
    task = a_task(story.number, 1, "Mara Lind", stage="manager", due_at=NOON)
    batch: Batch = story.batch(Kind.STAGE_OPENED)
    known: dict[str, Any] = {
        "what": "Line manager: a decision is needed",
        "since": NOON,
        "rule": "approver.manager",
        "task": task.id,
    }
    waiting = Waiting(kind=WaitKind.PEOPLE, who=(a_person("Mara Lind").ref(),), **known | wait)
    now = Projection(
        number=story.number,
        seq=batch.projection.seq,
        status=Status.APPROVAL,
        waiting=(waiting,),
        tasks=(task,),
        updated_at=NOON,
    )
    world.register.record(batch.model_copy(update={"projection": now}))
    return story.number


def test_w1_a_wait_is_explained_in_words_with_what_one_can_do(world: ApiWorld, commissary: Commissary) -> None:
    number = waits(
        world,
        on_behalf_of={a_person("Mara Lind").id: (a_person("Rolf Chief").ref(), a_person("Olga Owner").ref())},
        until=NOON + timedelta(days=36_000),
        calendar="Germany",
        at_deadline="It goes to the owner of the item instead for 2 days.",
        then="Next decision: Security.",
    )
    text = shown(commissary, "Ada Byron", "request", "show", number)
    for part in (
        "Line manager: a decision is needed",
        "who Mara Lind (also for Rolf Chief, Olga Owner)",
        "in the working time of Germany",
        "if nothing happens It goes to the owner of the item instead for 2 days.",
        "after that Next decision: Security.",
        f"You can remind them commissary task remind {number}.1",
        f"change what was ordered commissary request amend {number} -a FIELD=VALUE",
        f"call it off commissary request cancel {number}",
    ):
        assert part in text, part
    text = shown(commissary, "Mara Lind", "request", "show", number)
    assert f"decide commissary task decide {number}.1 approve|reject" in text
    assert f"hand it on commissary task reassign {number}.1 --to LOGIN" in text
    assert "--from" not in text
    assert f"commissary task reassign {number}.1 --to LOGIN --from LOGIN" in (
        shown(commissary, "Otto Operator", "request", "show", number)
    )


def test_w2_the_list_says_what_is_overdue_and_why_it_is_yours(world: ApiWorld, commissary: Commissary) -> None:
    number = waits(world)
    story = Story(world.register.take(a_new_order("other", started=True)).order.number)
    eve, mara = a_person("Eve").ref(), a_person("Mara Lind").ref()
    task = a_task(story.number, 1, Assignee(person=mara, own=False, on_behalf_of=(eve,)))
    world.register.record(story.batch(Kind.STAGE_OPENED, tasks=(task,)))
    text = commissary("Mara Lind", "task", "list").text
    assert text.index(f"{number}.1") < text.index(task.id)
    assert "overdue," in text
    assert "for Eve" in text
    assert task.id not in commissary("Mara Lind", "task", "list", "--overdue").text
    assert f"{number}.1" not in commissary("Mara Lind", "task", "list", "--whose", "delegated").text
    assert number in commissary("Mara Lind", "task", "list", "--whose", "mine", "--sort", "cost").text
    assert number not in commissary("Mara Lind", "task", "list", "--whose", "group").text
    assert commissary("Mara Lind", "task", "list", "--sort", "size").code == 2
    seen = shown(commissary, "Mara Lind", "task", "show", task.id)
    assert "Asked Mara Lind (for Eve) You for Eve" in seen


def test_a8_who_decides_in_their_own_right_too_is_shown_to_do_so_besides(
    world: ApiWorld, commissary: Commissary
) -> None:
    eve, mara, otto = (a_person(name).ref() for name in ("Eve", "Mara Lind", "Otto Operator"))
    number = world.register.take(a_new_order("both", started=True)).order.number
    both = {"on_behalf_of": (eve,)}
    asked = (Assignee(person=mara, **both), Assignee(person=otto, own=False, escalated=True, **both))
    task = a_task(number, 1, *asked)
    batch = Story(number).batch(Kind.STAGE_OPENED, tasks=(task,))
    waiting = Waiting(
        kind=WaitKind.PEOPLE,
        what="Line manager: a decision is needed",
        who=(mara, otto),
        on_behalf_of={one.id: (eve,) for one in (mara, otto)},
        since=NOON,
        rule="approver.manager",
        task=task.id,
    )
    now = batch.projection.model_copy(update={"waiting": (waiting,)})
    world.register.record(batch.model_copy(update={"projection": now}))
    who = "Mara Lind (also for Eve), Otto Operator (also for Eve)"
    assert f"who {who}" in shown(commissary, "Ada Byron", "request", "show", number)
    assert f"Asked {who} You also for Eve" in shown(commissary, "Mara Lind", "task", "show", task.id)
    assert "You escalated to you, also for Eve" in shown(commissary, "Otto Operator", "task", "show", task.id)
    assert "also for Eve" in commissary("Mara Lind", "task", "list").text


def test_a19_a_task_shows_what_is_known(world: ApiWorld, commissary: Commissary) -> None:
    first = waits(world)
    story = Story(first)
    story.batch(Kind.STAGE_OPENED)
    world.register.record(story.batch(Kind.CLOSED, status=Status.CLOSED))
    story = Story(world.register.take(a_new_order("again", started=True)).order.number)
    task = a_task(story.number, 1, "Mara Lind", stage="manager")
    world.register.record(story.batch(Kind.AMENDED, Kind.VOTE, tasks=(task,), data={"reason": "too much"}))
    seen = shown(commissary, "Mara Lind", "task", "show", task.id)
    for part in ("What is known", "changed once since it was ordered", f"before {first},", "'too much'"):
        assert part in seen, part


def test_a19_a_task_shows_what_access_it_would_change_until_it_is_decided(
    world: ApiWorld, commissary: Commissary, number: str
) -> None:
    show = partial(shown, commissary, "Mara Lind", "task", "show", f"{number}.1")
    assert "Access, now and afterwards now Ada Byron is in no group joins wiki-editors" in show()
    world.directory.fail_next(Transient("connection refused"))
    seen = show()
    assert "It cannot be had at the moment. The directory does not answer" in seen
    assert f"commissary task decide {number}.1" in seen
    commissary("Mara Lind", "task", "decide", f"{number}.1", "approve")
    eventually(lambda: "Ended approve" in show())
    assert "Access, now" not in show()
