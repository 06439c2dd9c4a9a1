from __future__ import annotations

import pytest
from support.builders import NOON, a_new_order, a_person
from support.story import Story, a_task

from catalog.approval import Verdict
from catalog.journal import Kind
from catalog.request import Assignee, Status, Task
from records.register import Page, Register, RequestView, TaskView


def take(register: Register, key: str, requester: str = "Ada Byron", beneficiary: str | None = None) -> Story:
    return Story(
        register.take(
            a_new_order(key, requester=a_person(requester).ref(), beneficiary=a_person(beneficiary or requester).ref())
        ).order.number
    )


def voted(name: str) -> Assignee:
    return Assignee(person=a_person(name).ref(), verdict=Verdict.APPROVE, at=NOON)


def with_tasks(register: Register, story: Story, *tasks: Task) -> None:
    register.record(story.batch(Kind.STAGE_OPENED, tasks=tasks))


def numbers(page: Page[RequestView]) -> list[str]:
    return [view.order.number for view in page.items]


def ids(page: Page[TaskView]) -> list[str]:
    return [view.task.id for view in page.items]


NOT_NUMBERS = [
    "", "REQ-", "REQ-x", "REQ-0", "REQ-01001", "req-1001", " REQ-1001", "REQ-1001\n", "REQ-１００１", "REQ--1001",
    "REQ-1001\x00", "REQ-9223372036854775808", "REQ-" + "9" * 5000, "1001",
    "REQ-1001' OR 1=1 --", "\ud800",
]  # fmt: skip


def test_an_unknown_or_malformed_number_finds_nothing(register: Register) -> None:
    take(register, "a")
    for number in (*NOT_NUMBERS, "REQ-1001.1", "REQ-1002", "REQ-9223372036854775807"):
        assert register.request(number) is None, number
        assert not register.is_party(number, "id-ada"), number
        assert not register.journal(number), number


def test_an_unknown_or_malformed_task_id_finds_nothing(register: Register) -> None:
    story = take(register, "a")
    with_tasks(register, story, a_task(story.number, 1, "Bob"))
    for task_id in (*NOT_NUMBERS, "REQ-1001", "REQ-1001.2", "REQ-1001.01", "REQ-1001.1\x00", "REQ-1001.1\n"):
        assert register.task(task_id) is None, task_id


def test_a_task_comes_with_its_request(register: Register) -> None:
    story = take(register, "a")
    task = a_task(story.number, 1, "Bob", voted("Eve"))
    with_tasks(register, story, task)
    assert register.task(task.id) == TaskView(task=task, request=register.request(story.number))


def test_party_is_who_ordered_who_receives_and_who_was_ever_asked(register: Register) -> None:
    story = take(register, "a", "Ada", "Ben")
    with_tasks(register, story, a_task(story.number, 1, "Bob"))
    with_tasks(register, story, a_task(story.number, 1, "Eve"))
    parties = {name: register.is_party(story.number, f"id-{name}") for name in ("ada", "ben", "bob", "eve", "mallory")}
    assert parties == {"ada": True, "ben": True, "bob": True, "eve": True, "mallory": False}


def test_being_party_to_one_request_says_nothing_of_another(register: Register) -> None:
    first, second = take(register, "a"), take(register, "b", "Ben")
    with_tasks(register, first, a_task(first.number, 1, "Bob"))
    assert not register.is_party(second.number, "id-bob")
    assert not register.is_party(second.number, "id-ada")


def test_requests_are_those_of_the_viewer_newest_first(register: Register) -> None:
    mine, given, foreign = take(register, "a"), take(register, "b", "Ben", "Ada"), take(register, "c", "Ben")
    assert numbers(register.requests(viewer="id-ada")) == [given.number, mine.number]
    assert numbers(register.requests(viewer="id-ben")) == [foreign.number, given.number]
    assert numbers(register.requests(viewer=None)) == [foreign.number, given.number, mine.number]
    assert numbers(register.requests(viewer="id-nobody")) == []


def test_requests_are_listed_by_open_and_closed(register: Register) -> None:
    open_one, closed_one = take(register, "a"), take(register, "b")
    register.record(closed_one.batch(Kind.CLOSED, status=Status.CLOSED))
    assert numbers(register.requests(viewer="id-ada", state="open")) == [open_one.number]
    assert numbers(register.requests(viewer=None, state="closed")) == [closed_one.number]


def test_top_level_requests_are_those_without_a_parent(register: Register) -> None:
    parent = take(register, "a")
    child = register.take(a_new_order("b", parent=parent.number)).order
    assert numbers(register.requests(viewer="id-ada")) == [child.number, parent.number]
    assert numbers(register.requests(viewer="id-ada", top_level=True)) == [parent.number]


def test_pages_of_requests_fit_together_while_new_ones_arrive(register: Register) -> None:
    for n in range(5):
        take(register, f"old-{n}")
    first = register.requests(viewer="id-ada", limit=2)
    take(register, "new")
    second = register.requests(viewer="id-ada", limit=2, after=first.next)
    third = register.requests(viewer="id-ada", limit=2, after=second.next)
    assert [numbers(page) for page in (first, second, third)] == [
        ["REQ-1005", "REQ-1004"],
        ["REQ-1003", "REQ-1002"],
        ["REQ-1001"],
    ]
    assert third.next is None


def test_a_page_that_is_just_full_is_the_last_one(register: Register) -> None:
    take(register, "a")
    take(register, "b")
    assert register.requests(viewer=None, limit=2).next is None


@pytest.mark.parametrize(("cursor", "found"), [(0, 0), (-(10**30), 0), (10**30, 1), (2**63, 1)])
def test_any_cursor_a_client_sends_is_answered(register: Register, cursor: int, found: int) -> None:
    story = take(register, "a")
    with_tasks(register, story, a_task(story.number, 1, "Bob"))
    assert len(register.requests(viewer=None, after=cursor).items) == found
    assert len(register.tasks(person_id="id-bob", operator=False, after=cursor).items) == found


def test_open_tasks_are_the_approvals_not_voted_on_yet(register: Register) -> None:
    story = take(register, "a")
    tasks = (
        a_task(story.number, 1, "Bob", "Eve"),
        a_task(story.number, 2, voted("Bob"), "Eve"),
        a_task(story.number, 3, "Bob", decided="expired"),
        a_task(story.number, 4, "Eve"),
    )
    with_tasks(register, story, *tasks)
    assert ids(register.tasks(person_id="id-bob", operator=False)) == [tasks[0].id]
    assert ids(register.tasks(person_id="id-eve", operator=False)) == [tasks[3].id, tasks[1].id, tasks[0].id]


def test_work_to_do_stands_beside_the_approvals(register: Register) -> None:
    story = take(register, "a")
    work = a_task(story.number, 1, "Bob", "Eve", kind="fulfilment", choices=("done",))
    done = a_task(story.number, 2, "Bob", kind="fulfilment", choices=("done",), decided="done")
    with_tasks(register, story, work, done, a_task(story.number, 3, "Bob"))
    assert ids(register.tasks(person_id="id-bob", operator=False)) == [f"{story.number}.3", work.id]
    assert ids(register.tasks(person_id="id-eve", operator=False)) == [work.id]
    assert ids(register.tasks(person_id="id-bob", operator=False, state="closed")) == [done.id]


def test_operator_tasks_are_shown_to_operators_only_and_while_open(register: Register) -> None:
    story = take(register, "a")
    waiting = a_task(story.number, 1, "Bob", kind="operator", choices=("retry",))
    done = a_task(story.number, 2, kind="operator", choices=("retry",), decided="retry")
    with_tasks(register, story, waiting, done, a_task(story.number, 3, "Bob"))
    assert ids(register.tasks(person_id="id-eve", operator=True)) == [waiting.id]
    assert ids(register.tasks(person_id="id-bob", operator=True)) == [f"{story.number}.3", waiting.id]
    for who_is_no_operator in ("id-eve", "id-bob"):
        assert waiting.id not in ids(register.tasks(person_id=who_is_no_operator, operator=False))


def test_closed_tasks_are_those_the_person_was_asked_to_decide(register: Register) -> None:
    story = take(register, "a")
    closed = a_task(story.number, 1, voted("Bob"), "Eve", decided="approve")
    with_tasks(register, story, closed, a_task(story.number, 2, "Bob"))
    for person_id in ("id-bob", "id-eve"):
        assert ids(register.tasks(person_id=person_id, operator=False, state="closed")) == [closed.id]
    assert ids(register.tasks(person_id="id-ada", operator=True, state="closed")) == []


def test_who_is_no_longer_asked_has_nothing_to_decide(register: Register) -> None:
    story = take(register, "a")
    with_tasks(register, story, a_task(story.number, 1, "Bob"))
    with_tasks(register, story, a_task(story.number, 1, "Eve"))
    assert ids(register.tasks(person_id="id-bob", operator=False)) == []
    assert ids(register.tasks(person_id="id-eve", operator=False)) == [f"{story.number}.1"]


def test_a_task_keeps_its_place_when_it_changes(register: Register) -> None:
    stories = [take(register, key) for key in "ab"]
    for story in stories:
        with_tasks(register, story, a_task(story.number, 1, "Bob"))
    with_tasks(register, stories[0], a_task(stories[0].number, 1, "Bob", voted("Eve")))
    assert ids(register.tasks(person_id="id-bob", operator=False)) == ["REQ-1002.1", "REQ-1001.1"]


def test_pages_of_tasks_fit_together_while_new_ones_arrive(register: Register) -> None:
    for n in range(3):
        story = take(register, f"old-{n}")
        with_tasks(register, story, a_task(story.number, 1, "Bob"))
    first = register.tasks(person_id="id-bob", operator=False, limit=2)
    story = take(register, "new")
    with_tasks(register, story, a_task(story.number, 1, "Bob"))
    second = register.tasks(person_id="id-bob", operator=False, limit=2, after=first.next)
    assert (ids(first), ids(second)) == (["REQ-1003.1", "REQ-1002.1"], ["REQ-1001.1"])
    assert second.next is None
