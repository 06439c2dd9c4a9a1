"""Who decides while a request waits: people are stood in for, leave, come back, and hand on what they were asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from support.asking import CHIEF, GUARDS, MANAGER, asking
from support.builders import a_person, a_stage, an_actor, an_item
from support.waiting import until
from support.world import Request, World, refusal, refused

from catalog.access import Membership
from catalog.journal import Kind
from catalog.request import Outcome, WaitKind
from catalog.stages import ByManager, ByPerson, Escalation
from catalog.timeline import describe

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


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
        waits = {wait.kind: wait for wait in attention.waiting}
        asked = waits[WaitKind.OPERATOR]
        assert asked.why.startswith("Nobody who decides “Manager” could be found. Grace Guard is not asked: ")
        assert asked.then == "They have it tried again or call the request off."
        assert (waits[WaitKind.PEOPLE].who, "Too few are left" in waits[WaitKind.PEOPLE].why) == ((), True)
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
