"""What those are told who decide: why it comes to them, until when, what comes of silence (A8-A10, A13, A22)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from support.asking import CHIEF, MANAGER, asking
from support.builders import a_stage, an_item
from support.world import Request, World

from catalog import mail, told
from catalog.fields import IntegerField
from catalog.journal import Kind
from catalog.request import Amendment, Notice
from catalog.stages import Escalation

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
IN_PLACE = "You are asked in the place of Mara Lind, by delegation."
LATE = "It has come to you because it was not decided in time."


def notices(request: Request, template: str) -> list[Notice]:
    return [one for one in request.world.journal.notices(request.number) if one.template == template]


def data(request: Request, template: str, login: str) -> dict[str, Any]:
    """Return what the last message of that kind says to somebody; it makes a mail."""
    notice = [one for one in notices(request, template) if one.to.login == login][-1]
    assert mail.render(notice, "https://desk.example").body
    return notice.data


def away(world: World, person: str, deputy: str) -> None:
    now = datetime.now(UTC)
    world.delegates(person, deputy, now - DAY, now + 90 * DAY)


async def test_a8_each_learns_in_whose_place_they_are_asked_or_who_stands_in(world: World) -> None:
    away(world, "Mara Lind", "Grace Guard")
    request = await world.place()
    await request.waits_for_people()
    assert data(request, "approval-needed", "grace")["asked"] == [IN_PLACE]
    (said,) = data(request, "approval-needed", "mara")["asked"]
    assert said == "Grace Guard stands in for you and is asked as well; you may still decide yourself."
    await request.consider("Ada Byron", "remind")
    assert data(request, "reminder", "grace")["asked"] == [IN_PLACE]


async def test_a13_to_whom_it_was_escalated_learns_why_and_what_comes_next(world: World) -> None:
    away(world, "Rolf Chief", "Grace Guard")
    level = Escalation(to=(CHIEF,), decide_within=DAY)
    request = await world.place(item=asking(decide_within=DAY, escalate=(level,), at_deadline="reject"))
    await request.waits_for_people()
    first = data(request, "approval-needed", "mara")
    assert (first["asked"], first["at_deadline"]) == ([], "It goes to Rolf Chief as well for 1 day.")
    await request.passes(DAY + HOUR)
    await request.sees(Kind.ESCALATED)
    above = data(request, "approval-needed", "grace")
    assert above["asked"] == ["You are asked in the place of Rolf Chief, by delegation.", LATE]
    assert above["at_deadline"] == "It is refused."
    assert first["due_at"] < above["due_at"]


async def test_a10_who_gets_no_answer_learns_so_and_is_pointed_at_their_decision(world: World) -> None:
    item = asking(decide_within=2 * DAY, answer_within=DAY, unanswered="return")
    request = await world.place(item=item)
    await request.waits_for_people()
    await request.consider("Mara Lind", "ask", "What for?")
    question = data(request, "question", "ada")
    assert (question["task"], question["at_deadline"]) == (f"{request.number}.2", "It is decided without an answer.")
    await request.passes(DAY + HOUR)
    await request.sees(Kind.INFO_MISSED)
    back = data(request, "reminder", "mara")
    assert (back["asked"], back["task"]) == ([told.UNANSWERED], f"{request.number}.1")
    assert (back["at_deadline"], "question" in back) == ("The request expires.", False)


async def test_a10_whoever_is_asked_while_a_question_is_open_is_told_of_it_and_of_their_own_task(world: World) -> None:
    request = await world.place()
    await request.waits_for_people()
    await request.consider("Mara Lind", "ask", "What for?")
    await request.consider("Mara Lind", "reassign", "I am away", person="Grace Guard")
    new = data(request, "approval-needed", "grace")
    assert new["asked"] == ["The decision was handed on to you from Mara Lind."]
    assert (new["task"], new["due_at"], new["at_deadline"]) == (f"{request.number}.1", None, "")
    assert (new["asker"], new["question"]) == ("Mara Lind", "What for?")


async def test_a10_an_answer_comes_with_the_question_and_with_in_whose_place_it_is_decided(world: World) -> None:
    away(world, "Mara Lind", "Grace Guard")
    request = await world.place()
    await request.waits_for_people()
    await request.consider("Mara Lind", "ask", "What for?")
    await request.consider("Ada Byron", "answer", "For the handbook.", task=2)
    answered = data(request, "answered", "grace")
    assert (answered["question"], answered["answer"]) == ("What for?", "For the handbook.")
    assert answered["asked"] == [IN_PLACE]


async def test_a9_advice_that_comes_after_the_decision_asks_for_none(world: World) -> None:
    request = await world.place(item=asking(approvers=(MANAGER, CHIEF), quorum="all"))
    await request.waits_for_people()
    await request.consider("Mara Lind", "consult", "Is this safe?", person="Grace Guard")
    await request.consider("Rolf Chief", "consult", "And is it dear?", person="Olga Owner")
    await request.decide("Mara Lind")
    await request.consider("Grace Guard", "advise", "It is.", task=2)
    await request.consider("Olga Owner", "advise", "It is not.", task=3)
    late, awaited = data(request, "answered", "mara"), data(request, "answered", "rolf")
    assert (late["awaited"], late["question"]) == (False, "Is this safe?")
    assert (awaited["awaited"], awaited["question"]) == (True, "And is it dear?")


async def test_a22_who_is_asked_anew_learns_that_what_was_ordered_has_changed(world: World) -> None:
    request = await world.place(item=asking(approvers=(MANAGER, CHIEF), quorum="all"))
    await request.waits_for_people()
    assert data(request, "approval-needed", "mara")["asked"] == []
    await request.decide("Mara Lind")
    await request.amend(why="I keep two handbooks.")
    await request.sees(Kind.STAGE_OPENED, 2)
    assert data(request, "approval-needed", "mara")["asked"] == [told.AMENDED]
    assert data(request, "approval-needed", "rolf")["asked"] == [told.AMENDED]


async def test_a11_whose_vote_falls_because_another_approves_less_learns_why_they_are_asked_again(world: World) -> None:
    days = IntegerField(id="days", type="integer", label="Days", min=1, max=30)
    stage = a_stage(approvers=(MANAGER, CHIEF), quorum="all", may_reduce=("days",))
    request = await world.place(item=an_item(form=(days,), approvals=(stage,)), answers={"days": 10})
    await request.waits_for_people()
    await request.decide("Rolf Chief")
    await request.decide("Mara Lind", amendment=Amendment(answers={"days": 5}))
    assert data(request, "approval-needed", "rolf")["asked"] == [told.AMENDED]
