"""The life of an approval: what it needs, what time brings, questions to who ordered, and changes of the order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support.asking import CHIEF, GUARDS, asking
from support.builders import a_stage, an_item
from support.world import World, refusal, reminded_later

from activities.errors import Rejected
from catalog.journal import Kind
from catalog.request import Outcome, WaitKind
from catalog.stages import AllOf, Asked, ByItemOwner, ByPerson, Escalation, Reminders
from catalog.timeline import describe

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


async def test_a2_what_an_expression_needs_is_told_in_the_wait_the_task_and_on_record(world: World) -> None:
    both = AllOf(all=(Asked(approvers=(GUARDS,)), Asked(approvers=(CHIEF,))))
    request = await world.place(item=asking(approvers=(), decide=both))
    shown = await request.waits_for_people()
    needs = "Both of these must approve: one of the group guards; Rolf Chief."
    assert shown.waiting[0].what == f"Manager: {needs[0].lower()}{needs[1:-1]}"
    assert (shown.tasks[0].quorum, shown.tasks[0].needs) == (None, needs)
    assert describe(request.last(Kind.STAGE_OPENED)).endswith(f". {needs[:-1]}")
    await request.decide("Rolf Chief")
    assert request.now.waiting[0].what.endswith("one of the group guards; Rolf Chief (has approved)")
    await request.decide("Grace Guard")
    assert (await request.closes()).outcome is Outcome.FULFILLED
    assert request.last(Kind.STAGE_CLOSED).rule == "approval.expression"


class TestTime:
    """Reminders, escalation, and what silence means (A12, A13, A14)."""

    LADDER = asking(
        decide_within=timedelta(days=4),
        remind=Reminders(after=DAY, every=DAY, at_most=2),
        escalate=(Escalation(to=(CHIEF,), notice=timedelta(hours=12), decide_within=timedelta(days=2)),),
    )

    async def test_a12_a13_people_are_reminded_warned_and_then_somebody_else_may_decide_too(self, world: World) -> None:
        request = await world.place(item=self.LADDER)
        (waiting,) = (await request.waits_for_people()).waiting
        assert waiting.at_deadline == "It goes to Rolf Chief as well for 2 days (announced 12 hours before)."
        await request.passes(DAY + HOUR)
        await request.sees(Kind.APPROVERS_REMINDED, 1)
        await request.passes(DAY)
        await request.sees(Kind.APPROVERS_REMINDED, 2)
        await request.passes(DAY + 12 * HOUR)
        await request.sees(Kind.DEADLINE_NEAR)
        assert request.kinds.count(Kind.APPROVERS_REMINDED) == 2
        await request.passes(12 * HOUR)
        escalated = await request.sees(Kind.ESCALATED)
        assert [one["login"] for one in escalated.data["people"]] == ["rolf"]
        assert (request.told("reminder"), request.told("deadline-near")) == (["mara", "mara"], ["mara"])
        assert request.told("approval-needed") == ["mara", "rolf"]
        assert sorted(request.asked()) == ["mara", "rolf"]
        await request.decide("Rolf Chief")
        assert (await request.closes()).outcome is Outcome.FULFILLED

    async def test_a13_those_who_were_silent_may_be_replaced(self, world: World) -> None:
        level = Escalation(to=(CHIEF,), how="replace", decide_within=DAY)
        request = await world.place(item=asking(decide_within=DAY, escalate=(level,)))
        await request.waits_for_people()
        await request.passes(DAY + HOUR)
        await request.sees(Kind.ESCALATED)
        assert request.asked() == ["rolf"]
        assert await refusal(request.decide("Mara Lind")) == "no-longer-asked"
        await request.passes(DAY + HOUR)
        assert (await request.closes()).outcome is Outcome.EXPIRED

    async def test_a13_a_level_with_nobody_passes_to_the_end(self, world: World) -> None:
        level = Escalation(to=(ByPerson(rule="person", person="ada"),), decide_within=DAY)
        request = await world.place(item=asking(decide_within=DAY, escalate=(level,)))
        await request.waits_for_people()
        await request.passes(DAY + HOUR)
        assert (await request.closes()).outcome is Outcome.EXPIRED

    async def test_a14_a_refusal_by_silence_names_nobody_who_approved(self, world: World) -> None:
        item = asking(approvers=(GUARDS,), quorum="all", decide_within=DAY, at_deadline="reject")
        request = await world.place(item=item)
        await request.waits_for_people()
        await request.decide("Grace Guard", reason="fine with me")
        await request.passes(DAY + HOUR)
        assert (await request.closes()).reason == "Stage 'Manager' was rejected: not enough people decided in time."
        assert request.last(Kind.CLOSED).rule == "approval.rejected-by-silence"

    @pytest.mark.parametrize(
        ("at_deadline", "outcome", "rule"),
        [
            ("reject", Outcome.REJECTED, "approval.rejected-by-silence"),
            ("approve", Outcome.FULFILLED, "approval.approved-by-silence"),
            ("skip", Outcome.FULFILLED, "approval.skipped-by-silence"),
        ],
    )
    async def test_a14_silence_means_what_the_item_says(
        self, world: World, at_deadline: str, outcome: Outcome, rule: str
    ) -> None:
        request = await world.place(item=asking(decide_within=DAY, at_deadline=at_deadline))
        await request.waits_for_people()
        await request.passes(DAY + HOUR)
        assert (await request.closes()).outcome is outcome
        assert request.last(Kind.STAGE_CLOSED).rule == rule

    async def test_who_waits_may_remind_once_a_day(self, world: World) -> None:
        request = await world.place()
        await request.waits_for_people()
        await request.consider("Ada Byron", "remind")
        assert request.told("reminder") == ["mara"]
        assert await refusal(request.consider("Ada Byron", "remind")) == "not-now"
        assert await refusal(request.consider("Grace Guard", "remind")) == "not-approver"
        await request.passes(DAY + HOUR)
        await request.consider("Ada Byron", "remind")
        assert request.told("reminder") == ["mara", "mara"]

    async def test_a12_who_is_reminded_out_of_hours_is_told_when_these_begin(self, world: World) -> None:
        request = await reminded_later(world)
        asked = request.last(Kind.APPROVERS_REMINDED)
        assert [person["login"] for person in asked.data["later"][0]["people"]] == ["mara"]
        assert ("people" in asked.data, request.told("reminder")) == (False, [])
        await request.passes(4 * HOUR)
        reminded = await request.sees(Kind.APPROVERS_REMINDED, 2)
        assert [person["login"] for person in reminded.data["people"]] == ["mara"]
        assert request.told("reminder") == ["mara"]


class TestQuestions:
    """An approver asks, and time stands still for them (A10)."""

    ITEM = asking(decide_within=timedelta(days=2), answer_within=timedelta(days=3))

    async def test_a10_the_approvers_time_stands_still_until_the_answer(self, world: World) -> None:
        request = await world.place(item=self.ITEM)
        await request.waits_for_people()
        await request.passes(DAY)
        await request.consider("Mara Lind", "ask", "What for?")
        (waiting,) = request.now.waiting
        assert (waiting.kind, [person.login for person in waiting.who]) == (WaitKind.INFORMATION, ["ada"])
        assert waiting.at_deadline == "The request is cancelled."
        assert request.told("question") == ["ada"]
        await request.passes(2 * DAY)
        await request.sees(Kind.INFO_LATE)
        await request.consider("Ada Byron", "answer", "For the handbook.", task=2)
        assert request.told("answered") == ["mara"]
        (waiting,) = request.now.waiting
        assert waiting.kind is WaitKind.PEOPLE
        left = (waiting.until or waiting.since) - request.entries[-1].at
        assert timedelta(hours=23) < left <= DAY
        await request.decide("Mara Lind")
        assert (await request.closes()).outcome is Outcome.FULFILLED

    async def test_a10_without_an_answer_the_request_ends(self, world: World) -> None:
        request = await world.place(item=self.ITEM)
        await request.waits_for_people()
        await request.consider("Mara Lind", "ask", "What for?")
        await request.passes(timedelta(days=3, hours=1))
        closure = await request.closes()
        assert closure.outcome is Outcome.CANCELLED
        assert "was not answered" in closure.reason

    async def test_a10_or_it_goes_back_to_who_asked(self, world: World) -> None:
        item = asking(decide_within=timedelta(days=2), answer_within=DAY, unanswered="return")
        request = await world.place(item=item)
        await request.waits_for_people()
        await request.consider("Mara Lind", "ask", "What for?")
        await request.passes(DAY + HOUR)
        await request.sees(Kind.INFO_MISSED)
        assert request.now.waiting[0].kind is WaitKind.PEOPLE
        assert request.now.tasks[1].decided == "cancelled"
        await request.decide("Mara Lind")
        assert (await request.closes()).outcome is Outcome.FULFILLED

    async def test_a10_who_asked_may_decide_without_waiting(self, world: World) -> None:
        request = await world.place(item=self.ITEM)
        await request.waits_for_people()
        await request.consider("Mara Lind", "ask", "What for?")
        await request.decide("Mara Lind")
        assert (await request.closes()).outcome is Outcome.FULFILLED


class TestAmendment:
    """What was ordered changes while people decide (A22)."""

    async def test_a22_who_has_approved_is_asked_again(self, world: World) -> None:
        item = an_item(
            approvals=(a_stage(), a_stage(id="owner", name="Owner", approvers=(ByItemOwner(rule="item_owner"),)))
        )
        item = item.model_copy(update={"owner": "olga"})
        request = await world.place(item=item)
        await request.waits_for_people()
        await request.decide("Mara Lind")
        await request.reaches(lambda p: len(p.tasks) == 2)
        entry = await request.amend(why="I keep two handbooks.")
        assert entry.data["changed"] == [["Why", "I keep the handbook.", "I keep two handbooks."]]
        await request.reaches(lambda p: len(p.tasks) == 3)
        assert request.kinds.count(Kind.VOTE_FALLEN) == 1
        assert request.last(Kind.VOTE_FALLEN).rule == "approval.amended"
        assert request.now.tasks[1].decided == "superseded"
        assert request.now.amendment is not None
        await request.decide("Mara Lind", task=3)
        await request.reaches(lambda p: len(p.tasks) == 4)
        await request.decide("Olga Owner", task=4)
        assert (await request.closes()).outcome is Outcome.FULFILLED

    async def test_a22_a_vote_of_a_stage_that_is_not_needed_any_more_says_so(self, world: World) -> None:
        owner = a_stage(id="owner", name="Owner", approvers=(ByItemOwner(rule="item_owner"),))
        item = an_item(owner="olga", approvals=(a_stage(when="form.why != 'nothing'"), owner))
        request = await world.place(item=item)
        await request.waits_for_people()
        await request.decide("Mara Lind")
        await request.reaches(lambda p: len(p.tasks) == 2)
        await request.amend(why="nothing")
        await request.reaches(lambda p: len(p.tasks) == 3)
        assert request.last(Kind.VOTE_FALLEN).rule == "approval.not-needed"

    async def test_a22_a_vote_on_what_did_not_change_stays(self, world: World) -> None:
        owner = a_stage(id="owner", name="Owner", approvers=(ByItemOwner(rule="item_owner"),))
        item = an_item(owner="olga", approvals=(a_stage(concerns=()), owner))
        request = await world.place(item=item)
        await request.waits_for_people()
        await request.decide("Mara Lind")
        await request.reaches(lambda p: len(p.tasks) == 2)
        await request.amend(why="I keep two handbooks.")
        await request.reaches(lambda p: len(p.tasks) == 3)
        assert Kind.VOTE_FALLEN not in request.kinds
        await request.decide("Olga Owner", task=3)
        assert (await request.closes()).outcome is Outcome.FULFILLED

    async def test_a22_a_client_that_shows_the_old_order_is_told(self, world: World) -> None:
        request = await world.place()
        seen = (await request.waits_for_people()).tasks[0].subject
        await request.amend(why="something else")
        await request.reaches(lambda p: len(p.tasks) == 2)
        assert await refusal(request.decide("Mara Lind", task=1, subject=seen)) == "closed"
        assert await refusal(request.decide("Mara Lind", task=2, subject=seen)) == "subject-changed"
        await request.decide("Mara Lind", task=2)
        assert (await request.closes()).outcome is Outcome.FULFILLED

    async def test_a22_side_by_side_only_the_stage_it_concerns_is_asked_again(self, world: World) -> None:
        first = a_stage(concerns=())
        second = a_stage(id="guards", name="Guards", approvers=(GUARDS,), after=())
        request = await world.place(item=an_item(approvals=(first, second)))
        await request.waits_for(WaitKind.PEOPLE, 2)
        await request.amend(why="something else")
        await request.reaches(lambda p: len(p.tasks) == 3)
        assert [task.stage for task in request.now.tasks if task.decided == "superseded"] == ["guards"]
        open_ = [task.stage or "" for task in request.now.tasks if not task.decided]
        assert sorted(open_) == ["guards", "manager"]
        await request.decide("Grace Guard", task=request.titled("Guards"))
        await request.decide("Mara Lind", task=request.titled("Manager"))
        assert (await request.closes()).outcome is Outcome.FULFILLED

    async def test_only_who_ordered_it_changes_it_and_not_once_it_is_carried_out(self, world: World) -> None:
        world.directory.fail_next(Rejected("no"), on="ensure_member")
        request = await world.place()
        await request.waits_for_people()
        assert await refusal(request.amend("Mara Lind", why="x")) == "not-allowed"
        await request.decide("Mara Lind")
        await request.waits_for_operator()
        assert await refusal(request.amend(why="x")) == "closed"
        await request.operate("retry", task=2)
        assert (await request.closes()).outcome is Outcome.FULFILLED
