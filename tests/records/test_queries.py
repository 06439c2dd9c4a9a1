from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from support.builders import NOON, a_new_order, a_person, an_item
from support.story import Story, a_task

from catalog.ballot import Verdict
from catalog.journal import Kind
from catalog.people import Profile
from catalog.request import Amendment, Assignee, Cost, Outcome, Projection, Status, Task
from records.register import Inbox, InboxQuery, Page, Place, Register, RequestView, TaskView


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


def inbox(register: Register, person: str, **other: Any) -> Inbox:
    return register.tasks(InboxQuery(person_id=f"id-{person}", **other))


def ids(page: Inbox) -> list[str]:
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
    assert len(inbox(register, "bob", sort="age", after=Place(row=cursor)).items) == 1 - found
    assert len(inbox(register, "bob", state="closed", after=Place(row=cursor)).items) == 0


def test_open_tasks_are_the_approvals_not_voted_on_yet(register: Register) -> None:
    story = take(register, "a")
    tasks = (
        a_task(story.number, 1, "Bob", "Eve"),
        a_task(story.number, 2, voted("Bob"), "Eve"),
        a_task(story.number, 3, "Bob", decided="expired"),
        a_task(story.number, 4, "Eve"),
    )
    with_tasks(register, story, *tasks)
    assert ids(inbox(register, "bob")) == [tasks[0].id]
    assert ids(inbox(register, "eve")) == [tasks[0].id, tasks[1].id, tasks[3].id]


def test_work_to_do_stands_beside_the_approvals(register: Register) -> None:
    story = take(register, "a")
    work = a_task(story.number, 1, "Bob", "Eve", kind="fulfilment", choices=("done",))
    done = a_task(story.number, 2, "Bob", kind="fulfilment", choices=("done",), decided="done")
    with_tasks(register, story, work, done, a_task(story.number, 3, "Bob"))
    assert ids(inbox(register, "bob")) == [work.id, f"{story.number}.3"]
    assert ids(inbox(register, "eve")) == [work.id]
    assert ids(inbox(register, "bob", state="closed")) == [done.id]


def test_operator_tasks_are_shown_to_operators_only_and_while_open(register: Register) -> None:
    story = take(register, "a")
    waiting = a_task(story.number, 1, "Bob", kind="operator", choices=("retry",))
    done = a_task(story.number, 2, kind="operator", choices=("retry",), decided="retry")
    with_tasks(register, story, waiting, done, a_task(story.number, 3, "Bob"))
    assert ids(inbox(register, "eve", operator=True)) == [waiting.id]
    assert ids(inbox(register, "bob", operator=True)) == [waiting.id, f"{story.number}.3"]
    assert ids(inbox(register, "bob", operator=True, whose="mine")) == [waiting.id, f"{story.number}.3"]
    assert ids(inbox(register, "bob", operator=True, whose="delegated")) == []
    for who_is_no_operator in ("id-eve", "id-bob"):
        assert waiting.id not in ids(register.tasks(InboxQuery(person_id=who_is_no_operator)))


def test_closed_tasks_are_those_the_person_was_asked_to_decide(register: Register) -> None:
    story = take(register, "a")
    closed = a_task(story.number, 1, voted("Bob"), "Eve", decided="approve")
    with_tasks(register, story, closed, a_task(story.number, 2, "Bob"))
    for person_id in ("id-bob", "id-eve"):
        assert ids(register.tasks(InboxQuery(person_id=person_id, state="closed"))) == [closed.id]
    assert ids(inbox(register, "ada", operator=True, state="closed")) == []


def test_who_is_no_longer_asked_has_nothing_to_decide(register: Register) -> None:
    story = take(register, "a")
    with_tasks(register, story, a_task(story.number, 1, "Bob"))
    with_tasks(register, story, a_task(story.number, 1, "Eve"))
    assert ids(inbox(register, "bob")) == []
    assert ids(inbox(register, "eve")) == [f"{story.number}.1"]


def test_a_task_keeps_its_place_when_it_changes(register: Register) -> None:
    stories = [take(register, key) for key in "ab"]
    for story in stories:
        with_tasks(register, story, a_task(story.number, 1, "Bob"))
    with_tasks(register, stories[0], a_task(stories[0].number, 1, "Bob", voted("Eve")))
    assert ids(inbox(register, "bob")) == ["REQ-1001.1", "REQ-1002.1"]


def test_pages_of_tasks_fit_together_while_new_ones_arrive(register: Register) -> None:
    for n in range(3):
        story = take(register, f"old-{n}")
        with_tasks(register, story, a_task(story.number, 1, "Bob"))
    first = inbox(register, "bob", limit=2)
    story = take(register, "new")
    with_tasks(register, story, a_task(story.number, 1, "Bob"))
    second = inbox(register, "bob", limit=2, after=first.next)
    assert (ids(first), ids(second)) == (["REQ-1001.1", "REQ-1002.1"], ["REQ-1003.1", "REQ-1004.1"])
    assert second.next is None


# ---------------------------------------------------------------- the inbox (W2)

HOUR = timedelta(hours=1)


def waiting(
    register: Register, key: str, due: int | None, *assignees: str | Assignee, item: str = "wiki-editor"
) -> str:
    """Put a task before people that is due so many hours after noon; return its id."""
    new = a_new_order(key, item=an_item(id=item))
    story = Story(register.take(new).order.number)
    task = a_task(story.number, 1, *(assignees or ("Bob",)), due_at=None if due is None else NOON + due * HOUR)
    with_tasks(register, story, task)
    return task.id


def every_page(register: Register, person: str, **other: Any) -> list[str]:
    found: list[str] = []
    page = inbox(register, person, limit=2, **other)
    while page.next:
        found += ids(page)
        page = inbox(register, person, limit=2, after=page.next, **other)
    return found + ids(page)


def test_w2_what_is_due_first_comes_first_and_what_is_never_due_last(register: Register) -> None:
    never, late, soon, also_late = (waiting(register, str(n), due) for n, due in enumerate((None, 9, 1, 9)))
    assert every_page(register, "bob") == [soon, late, also_late, never]
    assert every_page(register, "bob", sort="age") == [never, late, soon, also_late]


def test_w2_tasks_are_sorted_by_item_and_of_each_the_oldest_first(register: Register) -> None:
    found = [waiting(register, str(n), n, item=item) for n, item in enumerate(("vpn", "laptop", "vpn", "badge"))]
    assert every_page(register, "bob", sort="item") == [found[3], found[1], found[0], found[2]]


def test_w2_a_page_goes_on_where_the_last_one_ended_though_its_last_task_has_another_deadline_now(
    register: Register,
) -> None:
    first, second, third = (waiting(register, str(n), n) for n in range(3))
    page = inbox(register, "bob", limit=2)
    story = Story(second.partition(".")[0])
    story.batch(Kind.STAGE_OPENED)  # the journal goes on after what `waiting` wrote
    later = a_task(story.number, 1, "Bob", due_at=NOON + 9 * HOUR)
    register.record(story.batch(Kind.ESCALATED, tasks=(later,)))
    assert (ids(page), ids(inbox(register, "bob", after=page.next))) == ([first, second], [third, second])


def test_w2_what_is_overdue_can_be_seen_alone(register: Register) -> None:
    past, _, _ = (waiting(register, str(n), due) for n, due in enumerate((1, 3, None)))
    assert ids(inbox(register, "bob", overdue_at=NOON + 2 * HOUR)) == [past]


def test_w2_what_is_ones_own_and_what_was_delegated_can_be_told_apart(register: Register) -> None:
    eve, bob = a_person("Eve").ref(), a_person("Bob").ref()
    own = waiting(register, "a", 1)
    stands_in = waiting(register, "b", 2, "Eve", Assignee(person=bob, own=False, on_behalf_of=(eve,)))
    both = waiting(register, "c", 3, Assignee(person=bob, on_behalf_of=(eve,)))
    escalated = waiting(register, "d", 4, Assignee(person=bob, own=False, escalated=True))
    assert ids(inbox(register, "bob", whose="mine")) == [own, both, escalated]
    assert ids(inbox(register, "bob", whose="delegated")) == [stands_in]
    assert ids(inbox(register, "bob")) == [own, stands_in, both, escalated]


def costing(register: Register, key: str, amount: str, currency: str = "EUR") -> Story:
    """Put a task before Bob about an order that costs so much once."""
    cost = Cost(one_off=Decimal(amount), currency=currency)
    story = Story(register.take(a_new_order(key, cost=cost)).order.number)
    with_tasks(register, story, a_task(story.number, 1, "Bob"))
    return story


def test_w2_tasks_are_sorted_by_cost_currency_by_currency_the_dearest_first(register: Register) -> None:
    amounts = ("9.99", "0", "10", "1" + "0" * 30, "9.995")
    cheap, free, dear, endless, as_cheap = (
        f"{costing(register, f'k{n}', amount).number}.1" for n, amount in enumerate(amounts)
    )
    abroad = f"{costing(register, 'abroad', '1', 'CHF').number}.1"
    assert every_page(register, "bob", sort="cost") == [abroad, endless, dear, cheap, as_cheap, free]


def test_w2_an_order_that_is_changed_is_sorted_by_what_it_costs_now(register: Register) -> None:
    changed, other = costing(register, "a", "1"), costing(register, "b", "3")
    change(register, changed, "more")  # now 5 EUR
    assert every_page(register, "bob", sort="cost") == [f"{changed.number}.1", f"{other.number}.1"]


def test_w2_what_one_of_a_group_has_taken_waits_for_the_group_no_longer(register: Register) -> None:
    story = take(register, "a")
    work = {"kind": "fulfilment", "choices": ("done",)}
    task = a_task(story.number, 1, "Bob", "Eve", **work)
    with_tasks(register, story, task)
    assert [ids(inbox(register, who, whose="group")) for who in ("bob", "eve")] == [[task.id], [task.id]]
    with_tasks(register, story, task.model_copy(update={"claimed_by": a_person("Eve").ref()}))
    assert [ids(inbox(register, who, whose="group")) for who in ("bob", "eve")] == [[], []]
    with_tasks(register, story, task)
    with_tasks(register, story, a_task(story.number, 1, "Bob", **work))
    assert ids(inbox(register, "bob", whose="group")) == []


def test_any_place_a_client_sends_is_answered(register: Register) -> None:
    task = waiting(register, "a", 1)
    for key in ("", "x", "9" * 40, "0001-01-01T00:00:00+14:00"):
        assert ids(inbox(register, "bob", after=Place(row=0, key=key))) == [task], key


# ---------------------------------------------------------------- what an order has become


def amended(number: str, why: str, seq: int = 2) -> Projection:
    amendment = Amendment(answers={"why": why}, cost=Cost(one_off=Decimal(5), currency="EUR"))
    return Projection(number=number, seq=seq, status=Status.APPROVAL, amendment=amendment, updated_at=NOON)


def change(register: Register, story: Story, why: str) -> None:
    batch = story.batch(Kind.AMENDED)
    projection = amended(story.number, why, batch.projection.seq)
    register.record(batch.model_copy(update={"projection": projection, "whole": False}))


def test_a22_a_request_shows_what_its_order_has_become(register: Register) -> None:
    story = take(register, "a")
    with_tasks(register, story, a_task(story.number, 1, "Bob"))
    change(register, story, "less")
    view = register.request(story.number)
    assert view is not None
    assert view.order.answers == {"why": "less"}
    assert view.order.cost == Cost(one_off=Decimal(5), currency="EUR")
    assert inbox(register, "bob").items[0].request == view
    assert register.taken("id-ada", "a", "sha256:body") != view.order  # as it was placed


def holding(register: Register, key: str, why: str) -> Story:
    item = an_item(distinct_by=("why",))
    new = a_new_order(key, item=item, answers={"why": why})
    return Story(register.take(new.model_copy(update={"duplicate_key": new.stands_for})).order.number)


def key_for(why: str) -> str:
    found = a_new_order(item=an_item(distinct_by=("why",)), answers={"why": why}).stands_for
    assert found is not None
    return found


def test_a22_a_request_that_was_changed_stands_for_what_it_has_become(register: Register) -> None:
    story = holding(register, "a", "paint")
    change(register, story, "glue")
    assert register.open_duplicate(key_for("glue")) == story.number
    assert register.open_duplicate(key_for("paint")) is None


def test_a22_of_two_requests_for_the_same_the_one_that_was_first_keeps_it(register: Register) -> None:
    story, other = holding(register, "a", "paint"), holding(register, "b", "glue")
    change(register, story, "glue")
    assert register.open_duplicate(key_for("glue")) == other.number
    assert register.open_duplicate(key_for("paint")) is None
    change(register, story, "tape")
    assert register.open_duplicate(key_for("tape")) == story.number


# ---------------------------------------------------------------- the background of a decision (A19)


def of_department(name: str, department: str = "IT") -> dict[str, Any]:
    return {"beneficiary": a_person(name).ref(), "beneficiary_profile": Profile(department=department)}


def fulfilled(register: Register, key: str, **order: Any) -> str:
    story = Story(register.take(a_new_order(key, **order)).order.number)
    register.record(story.batch(Kind.OPENED))
    register.record(story.batch(Kind.CLOSED, status=Status.CLOSED))
    return story.number


def test_a19_the_background_tells_of_colleagues_of_earlier_requests_and_of_earlier_votes(register: Register) -> None:
    before = fulfilled(register, "a", **of_department("Ada"))
    for key, who, department in (("b", "Ben", "IT"), ("c", "Ben", "IT"), ("d", "Cleo", "IT"), ("e", "Dan", "Sales")):
        fulfilled(register, key, **of_department(who, department))
    story = Story(register.take(a_new_order("f", **of_department("Ada"))).order.number)
    register.record(story.batch(Kind.OPENED, Kind.VOTE, Kind.COMMENT, Kind.ADVICE_GIVEN))
    view = register.request(story.number)
    assert view is not None
    found = register.background(view)
    assert found.colleagues == 2
    assert [(one.number, one.outcome) for one in found.earlier] == [(before, Outcome.FULFILLED)]
    assert [entry.kind for entry in found.entries] == [Kind.VOTE, Kind.ADVICE_GIVEN]


def test_a19_at_most_five_earlier_requests_are_told_the_newest_first(register: Register) -> None:
    found = [take(register, str(n)).number for n in range(7)]
    view = register.request(found[-1])
    assert view is not None
    background = register.background(view)
    assert [one.number for one in background.earlier] == list(reversed(found[1:6]))
    assert background.colleagues is None
