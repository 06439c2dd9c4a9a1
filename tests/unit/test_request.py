"""An order: what its readers see of it; and a batch: what of the tasks that stand it changes."""

from __future__ import annotations

from decimal import Decimal

import pytest
from support.builders import NOON, a_person, a_stage, an_item, an_order
from support.story import Story, a_task

from catalog.delegation import Matter
from catalog.fields import DurationField, TextField, YesNoField
from catalog.journal import Kind
from catalog.request import Amendment, Batch, Cost, OrderLine, Waiting, WaitKind

FORM = (
    TextField(id="why", type="text", label="Why?"),
    YesNoField(id="own", type="yes_no", label="Own device?"),
    TextField(id="note", type="text", label="Anything else?", required=False),
    DurationField(id="term", type="duration", label="How long?"),
)


def test_answers_are_shown_with_their_labels_in_the_order_of_the_form() -> None:
    order = an_order(item=an_item(form=FORM), answers={"term": "P21D", "own": False, "why": "for work"})
    assert order.shown_answers() == [["Why?", "for work"], ["Own device?", "no"], ["How long?", "21 days"]]


@pytest.mark.parametrize("kind", WaitKind)
def test_w1_a_wait_says_who_or_what_ends_it_where_no_people_are_named(kind: WaitKind) -> None:
    wait = Waiting(kind=kind, what="It waits", since=NOON, rule="r")
    assert wait.by_whom()
    assert wait.model_copy(update={"whom": "the directory"}).by_whom() == "the directory"
    assert not wait.model_copy(update={"who": (a_person().ref(),)}).by_whom()


def test_the_promise_counts_from_the_order() -> None:
    order = an_order()
    assert order.due_at == order.accepted_at + order.item.sla.target


def test_one_item_for_many_is_decided_for_each_of_them_and_a_bundle_also_as_a_whole() -> None:
    item = an_item()
    one = OrderLine(id="a", item=item.id, version="1.0.0", item_name="A", beneficiary=a_person().ref())
    single, many, bundle = (
        an_order(lines=lines) for lines in ((), (one,), (one.model_copy(update={"item": "other"}),))
    )
    assert (single.stages, many.stages, bundle.stages) == (item.approvals, (), item.approvals)
    assert item.approvals
    assert [order.workflow_type for order in (single, many, bundle)] == [
        "AccessRequest",
        "BundleRequest",
        "BundleRequest",
    ]


def test_whose_request_it_is_and_what_it_is_about() -> None:
    tim = a_person("Tim Hall").ref()
    free = an_order(beneficiary=tim).parties
    assert (free.requester_id, free.beneficiary_id) == ("id-ada", "id-tim")
    assert free.matter == Matter(item="wiki-editor", category="access")
    cost = Cost(one_off=Decimal(20), recurring=Decimal(5), currency="EUR")
    assert an_order(cost=cost).parties.matter.first_year == Decimal(80)
    assert an_order(cost=cost).parties.matter.currency == "EUR"


def a_change(story: Story, *tasks: int, reason: str = "") -> Batch:
    brought = tuple(a_task(story.number, n, "Bob", reason=reason) for n in tasks)
    return story.batch(Kind.OPENED, Kind.COMMENT, tasks=brought).model_copy(update={"whole": False})


def test_a_batch_without_word_of_it_is_whole() -> None:
    released = a_change(Story("REQ-1001"), 1).model_dump(mode="json", exclude={"whole"})
    assert Batch.model_validate(released).whole


def test_changed_tasks_take_their_places_and_new_ones_come_after_them() -> None:
    story = Story("REQ-1001")
    stand = a_change(story, 1, 2, 3).projection.tasks
    batch = a_change(story, 2, 4, reason="changed")
    changed, new = batch.projection.tasks
    assert batch.over(stand).tasks == (stand[0], changed, stand[2], new)
    assert batch.model_copy(update={"whole": True}).over(stand).tasks == (changed, new)


def test_changes_fit_only_onto_the_journal_they_continue() -> None:
    story = Story("REQ-1001")
    first, second = a_change(story), a_change(story)
    standing = {entry.seq: entry.digest for batch in (first, second) for entry in batch.entries}
    assert first.fits({})
    assert second.fits({2: standing[2]})
    assert second.fits(standing)
    assert not second.fits({})
    assert not second.fits({2: "sha256:other"})
    assert not second.fits(standing | {4: "sha256:other"})
    assert second.model_copy(update={"whole": True}).fits({})


def test_the_first_entry_that_stands_with_another_content_is_found() -> None:
    batch = a_change(Story("REQ-1001"))
    assert batch.first_changed({}) is None
    assert batch.first_changed({entry.seq: entry.digest for entry in batch.entries}) is None
    assert batch.first_changed({1: "sha256:other", 2: "sha256:other"}) == 1
    assert batch.first_changed({2: "sha256:other"}) == 2


def test_an_amendment_changes_what_was_answered_and_what_it_costs() -> None:
    before = an_order(item=an_item(form=FORM), answers={"why": "for work"}, cost=Cost(one_off=Decimal(20)))
    change = Amendment(answers={"why": "for fun", "own": True}, cost=Cost(one_off=Decimal(30)))
    now = before.amended(change)
    assert (now.answers, now.cost) == (change.answers, change.cost)
    assert now.number == before.number
    assert before.amended(None) == before
    assert now.changes_since(before) == [["Why?", "for work", "for fun"], ["Own device?", "", "yes"]]
    assert before.changes_since(now) == [["Why?", "for fun", "for work"], ["Own device?", "yes", ""]]


def test_a22_a_stage_that_is_not_concerned_votes_on_the_same_as_before() -> None:
    first, again, longer = (
        an_order(item=an_item(form=FORM), answers={"why": why, "term": term})
        for why, term in (("for work", "P21D"), ("for fun", "P21D"), ("for work", "P90D"))
    )
    whole, term = a_stage(), a_stage(concerns=("term",))
    assert first.subject_of(whole) == first.subject != again.subject_of(whole)
    assert first.subject_of(term) == again.subject_of(term) != longer.subject_of(term)
    dear = first.model_copy(update={"cost": Cost(one_off=Decimal(9000))})
    assert first.subject_of(term) != dear.subject_of(term)


def test_a25_of_a_decided_task_only_that_is_remembered_and_an_open_one_is_kept() -> None:
    open_ = a_task("REQ-1", 1, "Bob")
    assert open_.in_brief() is open_
    decided = open_.model_copy(update={"decided": "approve", "reason": "fine", "closed_at": open_.opened_at})
    brief = decided.in_brief()
    assert (brief.id, brief.title, brief.decided, brief.brief) == (open_.id, open_.title, "approve", True)
    assert (brief.assignees, brief.reason) == ((), "")


@pytest.mark.parametrize("whole", [True, False])
def test_a25_a_task_in_brief_does_not_replace_the_one_that_stands(*, whole: bool) -> None:
    stands = a_task("REQ-1", 1, "Bob").model_copy(update={"decided": "approve"})
    new = a_task("REQ-1", 2, "Eve")
    batch = Story("REQ-1").batch(Kind.OPENED, tasks=(stands.in_brief(), new)).model_copy(update={"whole": whole})
    assert batch.over([stands]).tasks == (stands, new)
    assert batch.over([]).tasks == (stands.in_brief(), new)
