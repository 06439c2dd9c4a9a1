"""The life of an approval: people go and come back, time passes, questions are asked, the order changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.builders import a_person, a_stage, an_actor, an_item
from support.waiting import until
from support.world import Request, World, refusal, refused, reminded_later

from activities.errors import Rejected
from catalog.access import Membership
from catalog.item import CatalogItem
from catalog.journal import Kind
from catalog.request import Outcome, WaitKind
from catalog.stages import AllOf, Asked, ByGroup, ByItemOwner, ByManager, ByPerson, Escalation, Reminders
from catalog.timeline import describe

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MANAGER = ByManager(rule="manager")
GUARDS = ByGroup(rule="group", group="guards")
CHIEF = ByPerson(rule="person", person="rolf")


def asking(**stage: Any) -> CatalogItem:
    """Return an item with one stage."""
    return an_item(approvals=(a_stage(**stage),))


def now() -> datetime:
    return datetime.now(UTC)


async def look_ups(request: Request) -> int:
    """Return how often the directory has said who decides."""
    events = (await request.handle.fetch_history()).events
    asked = {
        event.event_id
        for event in events
        if event.activity_task_scheduled_event_attributes.activity_type.name == "identity.approvers"
    }
    return sum(event.activity_task_completed_event_attributes.scheduled_event_id in asked for event in events)


async def looks_again(request: Request, *people: str, rule: str) -> None:
    """Have people looked up again, and wait until that is done."""
    before = await look_ups(request)

    async def done() -> bool:
        return await look_ups(request) > before

    await request.look_again(*people, rule=rule)
    await until(done)


class TestDelegation:
    """Somebody decides in another's place (A8)."""

    async def test_a8_who_is_away_is_stood_in_for_and_both_are_told(self, world: World) -> None:
        world.delegates("Mara Lind", "Grace Guard", now() - DAY, now() + DAY)
        request = await world.place()
        (waiting,) = (await request.waits_for_people()).waiting
        assert [person.login for person in waiting.who] == ["grace"]
        assert [[person.login for person in places] for places in waiting.on_behalf_of.values()] == [["mara"]]
        assert request.asked() == ["mara", "grace"]
        assert sorted(request.told("approval-needed")) == ["grace", "mara"]

        vote = await request.decide("Grace Guard")
        assert vote.on_behalf_of is not None
        assert (vote.actor and vote.actor.login, vote.on_behalf_of.login) == ("grace", "mara")
        assert (await request.closes()).outcome is Outcome.FULFILLED

    async def test_a8_who_delegated_may_still_decide_and_the_delegate_is_then_too_late(self, world: World) -> None:
        world.delegates("Mara Lind", "Grace Guard", now() - DAY, now() + DAY)
        request = await world.place(item=asking(quorum="all", approvers=(MANAGER, CHIEF)))
        await request.waits_for_people()
        await request.decide("Mara Lind")
        assert request.asked() == ["rolf"]
        code, said = await refused(request.decide("Grace Guard"))
        assert (code, said.rpartition("; ")[2]) == ("already-decided", "so far: Mara Lind (approve).")
        assert await refusal(request.consider("Grace Guard", "ask", "Why?")) == "already-decided"
        assert await refusal(request.decide("Olga Owner")) == "not-approver"

    async def test_a8_a_delegation_that_begins_covers_what_is_pending(self, world: World) -> None:
        request = await world.place()
        await request.waits_for_people()
        world.delegates("Mara Lind", "Grace Guard", now() - DAY, now() + DAY)
        await request.look_again("Mara Lind", rule="delegation.begins")
        changed = await request.sees(Kind.APPROVERS_CHANGED)
        assert [one["login"] for one in changed.data["asked"]] == ["grace"]
        assert request.told("approval-needed") == ["mara", "grace"]
        await request.decide("Grace Guard")
        assert (await request.closes()).outcome is Outcome.FULFILLED

    async def test_a8_who_has_voted_for_themselves_is_asked_again_in_the_place_of_another(self, world: World) -> None:
        request = await world.place(item=asking(quorum="all", approvers=(GUARDS,)))
        await request.waits_for_people()
        await request.decide("Grace Guard")
        world.delegates("Mara Lind", "Grace Guard", now() - DAY, now() + DAY)
        await request.look_again("Mara Lind", rule="delegation.begins")
        await request.sees(Kind.APPROVERS_CHANGED)
        assert request.asked() == ["grace", "mara"]
        vote = await request.decide("Grace Guard")
        assert vote.on_behalf_of is not None
        assert vote.on_behalf_of.login == "mara"
        assert (await request.closes()).outcome is Outcome.FULFILLED

    async def test_a8_looking_again_where_nothing_changed_leaves_no_trace(self, world: World) -> None:
        request = await world.place()
        await request.waits_for_people()
        before = request.kinds
        await looks_again(request, "Mara Lind", rule="delegation.ends")
        await request.comment("Ada Byron", "anybody there?")
        assert request.kinds == [*before, Kind.COMMENT]

    async def test_a7_a_delegate_who_ordered_it_is_not_asked(self, world: World) -> None:
        world.delegates("Mara Lind", "Ada Byron", now() - DAY, now() + DAY)
        request = await world.place()
        await request.waits_for_people()
        assert request.asked() == ["mara"]
        assert await refusal(request.decide("Ada Byron")) == "self-approval"


class TestPeople:
    """People leave, and are replaced (A5, A9)."""

    async def test_a5_when_the_approver_leaves_the_next_of_the_chain_is_asked(self, world: World) -> None:
        request = await world.place()
        await request.waits_for_people()
        world.directory.put_person(a_person("Mara Lind", manager_id="id-rolf", active=False))
        await request.look_again("Mara Lind")
        changed = await request.sees(Kind.APPROVERS_CHANGED)
        assert ([one["login"] for one in changed.data["asked"]], [one["login"] for one in changed.data["gone"]]) == (
            ["rolf"],
            ["mara"],
        )
        assert request.now.waiting[0].rule == "approver.manager-of-manager"
        assert await refusal(request.decide("Mara Lind")) == "no-longer-asked"
        await request.decide("Rolf Chief")
        assert (await request.closes()).outcome is Outcome.FULFILLED

    async def test_a5_when_everybody_leaves_an_operator_sees_to_it(self, world: World) -> None:
        item = asking(approvers=(GUARDS,), fallback=())
        request = await world.place(item=item)
        await request.waits_for_people()
        for name in ("Grace Guard", "Mara Lind"):
            world.directory.put_person(a_person(name, active=False))
        await request.look_again("Grace Guard")
        attention = await request.waits_for_operator()
        assert "Nobody may decide" in (attention.tasks[-1].problem or "")
        world.directory.put_person(a_person("Grace Guard"))
        await request.operate("retry", task=2)
        await request.decide("Grace Guard")
        assert (await request.closes()).outcome is Outcome.FULFILLED

    @pytest.mark.parametrize(("policy", "outcome"), [("reject", Outcome.REJECTED), ("approve", Outcome.FULFILLED)])
    async def test_a5_an_item_may_say_what_becomes_of_it_if_nobody_decides(
        self, world: World, policy: str, outcome: Outcome
    ) -> None:
        item = asking(approvers=(ByPerson(rule="person", person="nobody"),), fallback=(), when_nobody=policy)
        request = await world.place(item=item)
        assert (await request.closes()).outcome is outcome
        assert request.last(Kind.STAGE_CLOSED).rule == "approval.nobody"

    async def test_a9_a_decision_is_handed_on(self, world: World) -> None:
        request = await world.place()
        await request.waits_for_people()
        await request.consider("Mara Lind", "reassign", "you know this better", person="Grace Guard")
        assert request.asked() == ["grace"]
        assert request.told("approval-needed") == ["mara", "grace"]
        code, said = await refused(request.decide("Mara Lind"))
        assert (code, said.rpartition("; ")[2]) == ("no-longer-asked", "so far: no decision.")
        await request.decide("Grace Guard")
        assert (await request.closes()).outcome is Outcome.FULFILLED

    async def test_a9_an_approver_has_somebody_else_approve_as_well(self, world: World) -> None:
        request = await world.place()
        await request.waits_for_people()
        await request.consider("Mara Lind", "add", "the chief should know", person="Rolf Chief")
        await request.decide("Mara Lind")
        assert request.asked() == ["rolf"]
        await request.decide("Rolf Chief", "reject", "not now")
        assert (await request.closes()).outcome is Outcome.REJECTED

    async def test_a9_advice_is_asked_and_given_and_binds_nobody(self, world: World) -> None:
        request = await world.place()
        await request.waits_for_people()
        await request.consider("Mara Lind", "consult", "Is this safe?", person="Grace Guard")
        assert request.told("advice-needed") == ["grace"]
        assert await refusal(request.decide("Grace Guard")) == "not-approver"
        await request.consider("Grace Guard", "advise", "No!", task=2)
        assert request.told("answered") == ["mara"]
        await request.decide("Mara Lind")
        assert (await request.closes()).outcome is Outcome.FULFILLED

    async def test_a9_who_ordered_it_is_never_brought_in(self, world: World) -> None:
        request = await world.place()
        await request.waits_for_people()
        for act in ("reassign", "add"):
            assert await refusal(request.consider("Mara Lind", act, person="Ada Byron")) == "self-approval"

    async def test_a9_an_operator_hands_on_what_somebody_leaves_lying(self, world: World) -> None:
        request = await world.place()
        await request.waits_for_people()
        operator = an_actor("Otto Operator", operator=True)
        await request.consider(operator, "reassign", "she is ill", person="Grace Guard", seat="id-mara")
        assert request.asked() == ["grace"]

    async def test_a21_a_vote_is_taken_back_and_cast_anew(self, world: World) -> None:
        request = await world.place(item=asking(approvers=(GUARDS,), quorum="all"))
        await request.waits_for_people()
        await request.decide("Grace Guard")
        assert await refusal(request.decide("Grace Guard", "reject", "hm")) == "already-decided"
        await request.consider("Grace Guard", "withdraw", "I misread it")
        assert sorted(request.asked()) == ["grace", "mara"]
        assert Kind.VOTE_FALLEN not in request.kinds
        await request.decide("Grace Guard", "reject", "no")
        assert (await request.closes()).outcome is Outcome.REJECTED

    async def test_n3_who_takes_a_vote_back_is_not_told_that_they_have_to_decide(self, world: World) -> None:
        world.delegates("Grace Guard", "Rolf Chief", now() - DAY, now() + DAY)
        request = await world.place(item=asking(approvers=(GUARDS,), quorum="all"))
        await request.waits_for_people()
        asked = ["grace", "mara", "rolf"]
        assert sorted(request.told("approval-needed")) == asked
        await request.decide("Grace Guard")
        await request.consider("Grace Guard", "withdraw")
        assert sorted(request.asked()) == asked
        assert sorted(request.told("approval-needed")) == [*asked, "rolf"]

    async def test_n3_a21_what_followed_from_a_vote_falls_with_it_and_says_so(self, world: World) -> None:
        first = a_stage(id="guards", name="Guards", approvers=(GUARDS,), quorum="all")
        second = a_stage(approvers=(MANAGER, CHIEF), quorum="all", after=())
        request = await world.place(item=an_item(approvals=(first, second)))
        await request.waits_for(WaitKind.PEOPLE, 2)
        guards, manager = request.titled("Guards"), request.titled("Manager")
        await request.decide("Mara Lind", task=guards)
        assert request.asked(manager) == ["rolf"]
        told = request.told("approval-needed")
        await request.consider("Mara Lind", "withdraw", task=guards)
        fallen = request.last(Kind.VOTE_FALLEN)
        assert (fallen.rule, fallen.data["stage"]) == ("approval.withdrawn", "manager")
        assert describe(fallen).endswith("no longer counts: they took back the approval it followed from")
        assert sorted(request.asked(manager)) == ["mara", "rolf"]
        assert request.told("approval-needed") == told


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
        assert waiting.at_deadline == "It goes to rolf as well for 2 days (announced 12 hours before)."
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


async def test_a13_those_to_whom_it_was_escalated_are_looked_up_again_too(world: World) -> None:
    level = Escalation(to=(GUARDS,), how="replace", decide_within=DAY)
    request = await world.place(item=asking(approvers=(CHIEF,), decide_within=DAY, escalate=(level,)))
    await request.waits_for_people()
    await request.passes(DAY + HOUR)
    await request.sees(Kind.ESCALATED)
    assert sorted(request.asked()) == ["grace", "mara"]
    world.directory.ensure_absent(Membership(person_id="id-grace", group="guards"))
    await request.look_again("Grace Guard")
    await request.sees(Kind.APPROVERS_CHANGED)
    assert request.asked() == ["mara"]
    assert await refusal(request.decide("Grace Guard")) == "no-longer-asked"
    await request.decide("Mara Lind")
    assert (await request.closes()).outcome is Outcome.FULFILLED
    assert request.last(Kind.VOTE).on_behalf_of is None


@pytest.mark.parametrize(
    ("managers", "levels"), [({"Ada Byron": "id-ada"}, 1), ({"Mara Lind": "id-ada"}, 2)], ids=["own", "each other's"]
)
async def test_a5_managers_in_a_circle_are_told_in_the_wait_and_on_record(
    world: World, managers: dict[str, str], levels: int
) -> None:
    for name, above in managers.items():
        world.directory.put_person(a_person(name, manager_id=above))
    stage = a_stage(approvers=(ByManager(rule="manager", levels=levels),))
    request = await world.place(item=an_item(owner="olga", approvals=(stage,)))
    (wait,) = (await request.waits_for_people()).waiting
    told = "The managers above Ada Byron go in a circle; nobody further up is found"
    assert ([one.name for one in wait.who], wait.rule) == (["Olga Owner"], "approver.item-owner")
    assert wait.why.endswith(f". {told}.")
    skipped = request.last(Kind.APPROVER_SKIPPED)
    assert (skipped.rule, describe(skipped)) == ("approver.manager-circle", told)
    await request.decide("Olga Owner")
    assert (await request.closes()).outcome is Outcome.FULFILLED


async def test_a2_what_an_expression_needs_is_told_in_the_wait_the_task_and_on_record(world: World) -> None:
    both = AllOf(all=(Asked(approvers=(GUARDS,)), Asked(approvers=(CHIEF,))))
    request = await world.place(item=asking(approvers=(), decide=both))
    shown = await request.waits_for_people()
    needs = "Both of these must approve: one of the group guards; Rolf Chief."
    assert shown.waiting[0].what == f"Manager decides: {needs[0].lower()}{needs[1:-1]}"
    assert (shown.tasks[0].quorum, shown.tasks[0].needs) == (None, needs)
    assert describe(request.last(Kind.STAGE_OPENED)).endswith(f". {needs[:-1]}")
    await request.decide("Rolf Chief")
    assert request.now.waiting[0].what.endswith("one of the group guards; Rolf Chief (has approved)")
    await request.decide("Grace Guard")
    assert (await request.closes()).outcome is Outcome.FULFILLED
    assert request.last(Kind.STAGE_CLOSED).rule == "approval.expression"


class TestThoseWhomNoRuleNames:
    """Who was handed a decision, was asked for or had it escalated to them leaves, or is away (A5, A8, A9, A13)."""

    LEVEL = Escalation(to=(CHIEF,), how="replace", decide_within=3 * DAY)

    async def test_a9_a_decision_goes_back_when_who_got_it_leaves(self, world: World) -> None:
        request = await world.place()
        await request.waits_for_people()
        await request.consider("Mara Lind", "reassign", person="Grace Guard")
        assert request.asked() == ["grace"]
        await request.sees(Kind.APPROVERS_CHANGED)
        world.directory.put_person(a_person("Grace Guard", active=False))
        await request.look_again("Grace Guard", rule="people.changed")
        await request.sees(Kind.APPROVERS_CHANGED, 2)
        assert request.asked() == ["mara"]
        assert await refusal(request.decide("Grace Guard")) == "no-longer-asked"
        await request.decide("Mara Lind")
        assert (await request.closes()).outcome is Outcome.FULFILLED

    async def test_a9_a_decision_that_is_handed_to_somebody_who_has_left_comes_back_at_once(self, world: World) -> None:
        world.directory.put_person(a_person("Grace Guard", active=False))
        request = await world.place()
        await request.waits_for_people()
        await request.consider("Mara Lind", "reassign", person="Grace Guard")
        await request.sees(Kind.APPROVERS_CHANGED)
        assert request.last(Kind.APPROVER_SKIPPED).rule == "approval.skip-inactive"
        assert request.asked() == ["mara"]

    async def test_a9_who_has_decided_before_leaving_has_decided(self, world: World) -> None:
        request = await world.place(item=asking(quorum="all", approvers=(MANAGER, CHIEF)))
        await request.waits_for_people()
        await request.consider("Mara Lind", "reassign", person="Grace Guard")
        await request.sees(Kind.APPROVERS_CHANGED)
        await request.decide("Grace Guard")
        world.directory.put_person(a_person("Grace Guard", active=False))
        world.delegates("Rolf Chief", "Olga Owner", now() - DAY, now() + DAY)
        await request.look_again("Grace Guard", "Rolf Chief", rule="people.changed")
        await request.sees(Kind.APPROVERS_CHANGED, 2)  # the look-up that finds Olga finds that Grace has left, too
        assert request.asked() == ["rolf", "olga"]
        await request.decide("Rolf Chief")
        assert (await request.closes()).outcome is Outcome.FULFILLED

    async def test_a9_nobody_waits_for_an_added_approver_who_leaves(self, world: World) -> None:
        request = await world.place()
        await request.waits_for_people()
        await request.consider("Mara Lind", "add", person="Rolf Chief")
        await request.sees(Kind.APPROVERS_CHANGED)
        world.directory.put_person(a_person("Rolf Chief", active=False))
        await request.look_again("Rolf Chief", rule="people.changed")
        await request.sees(Kind.APPROVERS_CHANGED, 2)
        await request.decide("Mara Lind")
        assert (await request.closes()).outcome is Outcome.FULFILLED

    async def test_a8_who_gets_a_decision_and_is_away_is_stood_in_for(self, world: World) -> None:
        world.delegates("Grace Guard", "Rolf Chief", now() - DAY, now() + DAY)
        request = await world.place()
        await request.waits_for_people()
        await request.consider("Mara Lind", "reassign", person="Grace Guard")
        await request.sees(Kind.APPROVERS_CHANGED)
        assert [person.login for person in request.now.waiting[0].who] == ["rolf"]
        assert request.told("approval-needed") == ["mara", "grace", "rolf"]
        vote = await request.decide("Rolf Chief")
        assert vote.on_behalf_of is not None
        assert vote.on_behalf_of.login == "grace"
        assert (await request.closes()).outcome is Outcome.FULFILLED

    async def test_a8_who_it_is_escalated_to_and_is_away_is_stood_in_for(self, world: World) -> None:
        world.delegates("Rolf Chief", "Grace Guard", now() - DAY, now() + 9 * DAY)
        request = await world.place(item=asking(decide_within=DAY, escalate=(self.LEVEL,)))
        await request.waits_for_people()
        await request.passes(DAY + HOUR)
        await request.sees(Kind.ESCALATED)
        assert request.asked() == ["rolf", "grace"]
        assert sorted(request.told("approval-needed")) == ["grace", "mara", "rolf"]
        (waiting,) = request.now.waiting
        assert [person.login for person in waiting.who] == ["grace"]
        assert [[person.login for person in places] for places in waiting.on_behalf_of.values()] == [["rolf"]]
        vote = await request.decide("Grace Guard")
        assert (vote.on_behalf_of and vote.on_behalf_of.login, vote.rule) == ("rolf", "approval.escalated")
        assert (await request.closes()).outcome is Outcome.FULFILLED
