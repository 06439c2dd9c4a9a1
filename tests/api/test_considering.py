"""What people do about a decision, short of deciding it, as the real workflow answers (rows A9, A10, A20, A21, W1)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support.api_world import ApiWorld, expect_problem
from support.asking import GUARDS, MANAGER
from support.builders import a_stage, an_item
from support.live_api import LiveApi
from support.waiting import until

from activities.calendars import expand
from activities.errors import Transient
from catalog.calendar_file import CalendarFile, PublishedCalendar
from catalog.item import CatalogItem
from catalog.journal import Kind
from catalog.request import Outcome, WaitKind
from catalog.stages import ByPerson, Escalation


def asking(**stage: Any) -> CatalogItem:
    """Return an item with one stage."""
    return an_item(id="badge", duplicates="allow", approvals=(a_stage(**stage),))


def asked(live: LiveApi, number: str, task: int = 1) -> dict[str, bool]:
    """Return who may still decide a task, and whether in their own right."""
    found = live.view(number).projection.tasks[task - 1]
    return {one.person.login: one.own for one in found.assignees if one.verdict is None}


# ---------------------------------------------------------------- questions


async def test_a10_a_question_goes_to_the_requester_and_back(live: LiveApi) -> None:
    number = await live.placed(asking())
    entry = await live.does("mara", f"/tasks/{number}.1/question", {"text": "For how long?"})
    assert (entry["kind"], entry["data"]["text"]) == ("info-asked", "For how long?")

    (waiting,) = (await live.sees("ada", f"/requests/{number}"))["waiting"]
    assert (waiting["kind"], waiting["can"]) == (WaitKind.INFORMATION, ["answer", "amend", "cancel"])
    (question,) = (await live.sees("ada", "/tasks"))["items"]
    assert (question["kind"], question["instructions"], question["can"]) == ("information", "For how long?", ["answer"])
    assert "ask" not in await live.can("mara", number)
    expect_problem(await live.post("mara", f"/tasks/{number}.1/question", {"text": "And?"}), 409, "question-open")
    expect_problem(await live.post("ada", f"/tasks/{number}.1/reminder"), 409, "question-open")

    entry = await live.does("ada", f"/tasks/{question['id']}/answer", {"text": "A week"})
    assert (entry["kind"], entry["data"]["text"]) == ("info-given", "A week")
    assert (await live.sees("ada", "/tasks"))["items"] == []
    expect_problem(await live.post("ada", f"/tasks/{question['id']}/answer", {"text": "Or two"}), 409, "closed")
    assert "decide" in await live.can("mara", number)


async def test_a10_a_question_and_an_answer_need_words(live: LiveApi) -> None:
    number = await live.placed(asking())
    expect_problem(await live.post("mara", f"/tasks/{number}.1/question", {"text": " "}), 422, "reason-needed")
    expect_problem(await live.post("mara", f"/tasks/{number}.1/question", {}), 422, "invalid")
    await live.does("mara", f"/tasks/{number}.1/question", {"text": "Why?"})
    expect_problem(await live.post("ada", f"/tasks/{number}.2/answer", {"text": ""}), 422, "reason-needed")


async def test_a10_only_who_is_asked_answers_and_only_who_decides_asks(live: LiveApi) -> None:
    number = await live.placed(asking())
    expect_problem(await live.post("ada", f"/tasks/{number}.1/question", {"text": "?"}), 403, "self-approval")
    expect_problem(await live.post("kim", f"/tasks/{number}.1/question", {"text": "?"}), 403, "not-approver")
    expect_problem(await live.post("ada", f"/tasks/{number}.1/answer", {"text": "x"}), 422, "unknown-choice")
    await live.does("mara", f"/tasks/{number}.1/question", {"text": "Why?"})
    expect_problem(await live.post("mara", f"/tasks/{number}.2/answer", {"text": "x"}), 403, "not-approver")
    expect_problem(await live.post("mara", f"/tasks/{number}.2/decision", {"choice": "answer"}), 422, "unknown-choice")


# ---------------------------------------------------------------- advice


async def test_a9_advice_is_asked_given_and_binds_nobody(live: LiveApi) -> None:
    number = await live.placed(asking())
    body = {"person": "KIM", "question": "Is that usual?"}
    assert (await live.does("mara", f"/tasks/{number}.1/advice", body))["kind"] == "advice-asked"
    (task,) = (await live.sees("kim", "/tasks"))["items"]
    assert (task["kind"], task["instructions"], task["can"]) == ("advice", "Is that usual?", ["advise"])
    expect_problem(await live.post("mara", f"/tasks/{number}.1/advice", body), 409, "already-asked")
    expect_problem(await live.post("kim", f"/tasks/{number}.1/decision", {"choice": "approve"}), 403, "not-approver")
    entry = await live.does("kim", f"/tasks/{task['id']}/answer", {"text": "Quite usual"})
    assert (entry["kind"], entry["data"]["text"]) == ("advice-given", "Quite usual")
    context = (await live.sees("mara", f"/tasks/{number}.1"))["context"]
    assert ["Quite usual" in one["text"] for one in context["history"]] == [True]
    await live.does("mara", f"/tasks/{number}.1/decision", {"choice": "reject", "reason": "no"})
    assert (await live.closes(number)).projection.outcome is Outcome.REJECTED


async def test_a9_advice_that_nobody_waits_for_any_more_is_told_so(live: LiveApi) -> None:
    number = await live.placed(asking(approvers=(MANAGER,)))
    await live.does("mara", f"/tasks/{number}.1/advice", {"person": "kim", "question": "Usual?"})
    await live.does("mara", f"/tasks/{number}.1/decision", {"choice": "approve"})
    await live.closes(number)
    expect_problem(await live.post("kim", f"/tasks/{number}.2/answer", {"text": "late"}), 409, "closed")


# ---------------------------------------------------------------- other people


async def test_a9_a_decision_is_handed_on_and_is_then_the_others(live: LiveApi) -> None:
    number = await live.placed(asking())
    entry = await live.does("mara", f"/tasks/{number}.1/reassignment", {"to": "kim", "reason": "She knows"})
    assert "Mara Lind handed stage 'Manager' to Kim Keller" in entry["text"]
    assert asked(live, number) == {"kim": True}
    assert (await live.sees("mara", "/tasks"))["items"] == []
    approve = {"choice": "approve"}
    said = expect_problem(await live.post("mara", f"/tasks/{number}.1/decision", approve), 409, "no-longer-asked")
    assert said["detail"].endswith("you are no longer asked to decide this; so far: no decision.")
    expect_problem(await live.post("mara", f"/tasks/{number}.1/reassignment", {"to": "rolf"}), 409, "no-longer-asked")
    await live.does("kim", f"/tasks/{number}.1/decision", approve)
    assert (await live.closes(number)).projection.outcome is Outcome.FULFILLED
    said = expect_problem(await live.post("mara", f"/tasks/{number}.1/decision", approve), 409, "no-longer-asked")
    assert said["detail"].endswith("it was approved by Kim Keller.")


async def test_a9_an_operator_hands_on_what_somebody_sits_on(live: LiveApi) -> None:
    number = await live.placed(asking(approvers=(GUARDS,), quorum="all"))
    assert "reassign" in await live.can("otto", number)
    body = expect_problem(await live.post("otto", f"/tasks/{number}.1/reassignment", {"to": "kim"}), 422, "invalid")
    assert [error["field"] for error in body["errors"]] == ["from"]
    body = {"to": "kim", "from": "sam"}
    body = expect_problem(await live.post("otto", f"/tasks/{number}.1/reassignment", body), 422, "invalid")
    assert [(error["field"], error["code"]) for error in body["errors"]] == [("from", "not-found")]
    await live.does("otto", f"/tasks/{number}.1/reassignment", {"to": "kim", "from": "rolf", "reason": "on leave"})
    assert asked(live, number) == {"kim": True, "grace": True}
    expect_problem(
        await live.post("kim", f"/tasks/{number}.1/reassignment", {"to": "sam", "from": "grace"}), 403, "not-approver"
    )


async def test_a9_an_approver_asks_for_another_who_must_then_approve_too(live: LiveApi) -> None:
    number = await live.placed(asking())
    entry = await live.does("mara", f"/tasks/{number}.1/approvers", {"person": "kim", "reason": "costly"})
    assert entry["kind"] == "approver-added"
    expect_problem(await live.post("mara", f"/tasks/{number}.1/approvers", {"person": "kim"}), 409, "already-asked")
    expect_problem(await live.post("mara", f"/tasks/{number}.1/approvers", {"person": "ada"}), 403, "self-approval")
    await live.does("mara", f"/tasks/{number}.1/decision", {"choice": "approve"})
    assert asked(live, number) == {"kim": True}
    expect_problem(await live.post("mara", f"/tasks/{number}.1/approvers", {"person": "rolf"}), 409, "already-decided")


@pytest.mark.parametrize(("login", "why"), [("nobody", "knows nobody"), ("ines", "not active")])
async def test_a9_only_people_who_are_there_can_be_asked(live: LiveApi, login: str, why: str) -> None:
    number = await live.placed(asking())
    for path, body in (
        ("reassignment", {"to": login}),
        ("approvers", {"person": login}),
        ("advice", {"person": login, "question": "?"}),
    ):
        found = expect_problem(await live.post("mara", f"/tasks/{number}.1/{path}", body), 422, "invalid")
        (error,) = found["errors"]
        assert (error["field"], error["code"]) == ("to" if "to" in body else "person", "not-found")
        assert why in error["message"]
    assert live.kinds(number)[-1] is Kind.STAGE_OPENED


async def test_a8_a_delegate_decides_what_was_delegated_to_them_but_does_not_give_it_away(live: LiveApi) -> None:
    number = await live.placed(asking())
    ends = (live.world.parts.clock() + timedelta(days=2)).isoformat()
    answer = await live.post("mara", "/delegations", {"delegate": "kim", "ends": ends})
    assert answer.status_code == 201, answer.text
    await until(lambda: "kim" in asked(live, number), within=20)
    (task,) = (await live.sees("kim", "/tasks?whose=delegated"))["items"]
    assert (task["yours"], [one["login"] for one in task["on_behalf_of"]]) == ("delegated", ["mara"])
    assert (await live.sees("kim", "/tasks?whose=mine"))["items"] == []
    assert "reassign" not in task["can"]
    handed = await live.post("kim", f"/tasks/{number}.1/reassignment", {"to": "rolf"})
    assert (handed.status_code, handed.json()["detail"]) == (403, "This is not yours to hand on.")
    await live.does("kim", f"/tasks/{number}.1/decision", {"choice": "approve"})


async def test_a21_a_delegate_who_comes_too_late_is_told_how_it_stands_and_how_it_ended(live: LiveApi) -> None:
    ends = (live.world.parts.clock() + timedelta(days=2)).isoformat()
    answer = await live.post("mara", "/delegations", {"delegate": "kim", "ends": ends})
    assert answer.status_code == 201, answer.text
    chief = ByPerson(rule="person", person="rolf")
    number = await live.placed(asking(approvers=(MANAGER, chief), quorum="all"))
    path, approve = f"/tasks/{number}.1/decision", {"choice": "approve"}
    assert asked(live, number) == {"mara": True, "kim": False, "rolf": True}

    await live.does("mara", path, approve)
    said = expect_problem(await live.post("kim", path, approve), 409, "already-decided")
    assert "so far: Mara Lind (approve)" in said["detail"]
    said = expect_problem(
        await live.post("kim", f"/tasks/{number}.1/question", {"text": "Why?"}), 409, "already-decided"
    )
    assert "so far: Mara Lind (approve)" in said["detail"]
    expect_problem(await live.post("grace", path, approve), 403, "not-approver")

    await live.does("rolf", path, {"choice": "reject", "reason": "no"})
    await live.closes(number)
    said = expect_problem(await live.post("kim", path, approve), 409, "already-decided")
    assert "rejected by Mara Lind, Rolf Chief" in said["detail"]
    expect_problem(await live.post("grace", path, approve), 403, "not-approver")


async def test_a21_who_it_was_escalated_to_and_who_comes_too_late_is_told_how_it_ended(live: LiveApi) -> None:
    level = Escalation(to=(ByPerson(rule="person", person="kim"),), decide_within=timedelta(days=1))
    number = await live.placed(asking(decide_within=timedelta(seconds=1), escalate=(level,)))
    await until(lambda: "kim" in asked(live, number), within=20)
    await live.does("mara", f"/tasks/{number}.1/decision", {"choice": "approve"})
    said = expect_problem(
        await live.post("kim", f"/tasks/{number}.1/decision", {"choice": "approve"}), 409, "already-decided"
    )
    assert "approved by Mara Lind" in said["detail"]


async def no_longer_stood_in(live: LiveApi, monkeypatch: pytest.MonkeyPatch, item: CatalogItem) -> str:
    """Have Kim stand in for Mara for an order until that is withdrawn, with the directory down; return its number."""
    register, clock = live.world.register, live.world.parts.clock
    ends = (clock() + timedelta(days=2)).isoformat()
    delegated = (await live.post("mara", "/delegations", {"delegate": "kim", "ends": ends})).json()["id"]
    number = await live.placed(item)
    await live.world.token("kim")

    def down(_: str) -> None:
        raise Transient("unreachable")

    monkeypatch.setattr(live.world.directory, "person", down)
    assert (await live.world.send("mara", "DELETE", f"/delegations/{delegated}")).status_code == 204
    await until(lambda: not register.turning(clock(), 1))  # the request was told, and asks the directory in vain
    return number


async def test_a8_who_stood_in_is_refused_once_that_is_withdrawn_also_while_the_directory_is_down(
    live: LiveApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await no_longer_stood_in(live, monkeypatch, asking())
    assert asked(live, number) == {"mara": True, "kim": False}

    for path, body in (("question", {"text": "Why?"}), ("decision", {"choice": "approve"})):
        said = expect_problem(await live.post("kim", f"/tasks/{number}.1/{path}", body), 409, "no-longer-asked")
        assert "you no longer stand in for Mara Lind; so far: no decision" in said["detail"]
    entry = await live.does("mara", f"/tasks/{number}.1/decision", {"choice": "approve"})
    assert (entry["kind"], entry["actor"]["login"]) == ("vote", "mara")


async def test_a8_who_decides_in_their_own_right_does_not_for_one_who_has_withdrawn_that_meanwhile(
    live: LiveApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = tuple(ByPerson(rule="person", person=login) for login in ("mara", "kim"))
    number = await no_longer_stood_in(live, monkeypatch, asking(approvers=people, quorum="all"))
    entry = await live.does("kim", f"/tasks/{number}.1/decision", {"choice": "approve"})
    assert entry["on_behalf_of"] is None
    entry = await live.does("mara", f"/tasks/{number}.1/decision", {"choice": "approve"})
    assert entry["actor"]["login"] == "mara"


async def test_a8_who_no_longer_stands_in_does_not_take_back_a_vote_and_is_not_waited_for_again(live: LiveApi) -> None:
    number = await live.placed(asking(approvers=(GUARDS,), quorum="all"))
    ends = (live.world.parts.clock() + timedelta(days=2)).isoformat()
    delegated = (await live.post("rolf", "/delegations", {"delegate": "kim", "ends": ends})).json()["id"]
    await until(lambda: "kim" in asked(live, number))
    await live.does("kim", f"/tasks/{number}.1/decision", {"choice": "approve"})
    assert (await live.world.send("rolf", "DELETE", f"/delegations/{delegated}")).status_code == 204
    said = expect_problem(await live.post("kim", f"/tasks/{number}.1/withdrawal"), 409, "no-longer-asked")
    assert "The time in which you stand in for somebody else is over" in said["detail"]
    (wait,) = live.view(number).projection.waiting
    assert [person.login for person in wait.who] == ["grace"]


async def test_a8_a_delegation_covers_what_was_voted_on_already_and_is_taken_back(live: LiveApi) -> None:
    number = await live.placed(asking(approvers=(GUARDS,), quorum="all"))
    await live.does("rolf", f"/tasks/{number}.1/decision", {"choice": "approve"})
    ends = (live.world.parts.clock() + timedelta(days=2)).isoformat()
    await live.post("rolf", "/delegations", {"delegate": "kim", "ends": ends})
    await until(lambda: live.kinds(number)[-1] is Kind.APPROVERS_CHANGED)
    await live.does("rolf", f"/tasks/{number}.1/withdrawal")
    assert asked(live, number) == {"grace": True, "kim": False, "rolf": True}
    await live.does("kim", f"/tasks/{number}.1/decision", {"choice": "approve"})


async def test_a7_an_operator_does_not_choose_who_decides_their_own_request_by_a_delegation(live: LiveApi) -> None:
    rolf = ByPerson(rule="person", person="rolf")
    number = await live.placed(asking(approvers=(rolf,)), who="otto")
    ends = (live.world.parts.clock() + timedelta(days=2)).isoformat()
    body = {"person": "rolf", "delegate": "sam", "ends": ends}
    assert (await live.post("otto", "/delegations", body)).status_code == 201
    await until(lambda: Kind.APPROVER_SKIPPED in live.kinds(number))
    assert asked(live, number) == {"rolf": True}
    expect_problem(await live.post("sam", f"/tasks/{number}.1/decision", {"choice": "approve"}), 403, "not-approver")
    other = await live.placed(asking(approvers=(rolf,)))
    assert asked(live, other) == {"rolf": True, "sam": False}  # of what others order it holds


# ---------------------------------------------------------------- changing one's mind, and reminding


async def test_a21_a_vote_is_taken_back_while_others_are_awaited(live: LiveApi) -> None:
    number = await live.placed(asking(approvers=(GUARDS,), quorum="all"))
    assert "withdraw" not in await live.can("rolf", number)
    expect_problem(await live.post("rolf", f"/tasks/{number}.1/withdrawal"), 409, "not-voted")
    await live.does("rolf", f"/tasks/{number}.1/decision", {"choice": "approve"})
    assert await live.can("rolf", number) == ["withdraw"]
    entry = await live.does("rolf", f"/tasks/{number}.1/withdrawal", {"reason": "I have to think"})
    assert (entry["kind"], entry["data"]["text"]) == ("vote-withdrawn", "I have to think")
    assert asked(live, number) == {"rolf": True, "grace": True}
    await live.does("rolf", f"/tasks/{number}.1/decision", {"choice": "reject", "reason": "no"})
    expect_problem(await live.post("rolf", f"/tasks/{number}.1/withdrawal"), 409, "closed")


async def test_w1_who_waits_reminds_those_who_decide_once_a_day(live: LiveApi) -> None:
    number = await live.placed(asking())
    assert "remind" in await live.can("ada", number)
    assert "remind" not in await live.can("mara", number)
    expect_problem(await live.post("mara", f"/tasks/{number}.1/reminder"), 403, "not-approver")
    entry = await live.does("ada", f"/tasks/{number}.1/reminder")
    assert entry["text"] == "Ada Byron reminded Mara Lind of stage 'Manager'"
    assert "remind" not in await live.can("ada", number)
    expect_problem(await live.post("ada", f"/tasks/{number}.1/reminder"), 409, "not-now")


# ---------------------------------------------------------------- what everybody can do now


async def test_w1_everybody_sees_what_they_can_do_about_a_decision(live: LiveApi) -> None:
    number = await live.placed(asking(), beneficiary="ben", who="ada")
    assert await live.can("mara", number) == ["decide", "ask", "consult", "add", "reassign"]
    assert await live.can("ada", number) == ["remind", "amend", "cancel"]
    assert await live.can("ben", number) == ["remind", "cancel"]
    assert await live.can("otto", number) == ["reassign", "remind", "cancel"]


async def test_w1_what_can_be_done_is_done_and_what_cannot_is_refused(live: LiveApi) -> None:
    """The list is not a guess: everything in it is taken, everything else is refused."""
    bodies: dict[str, tuple[str, Any]] = {
        "decide": ("decision", {"choice": "reject", "reason": "no"}),
        "ask": ("question", {"text": "Why?"}),
        "consult": ("advice", {"person": "kim", "question": "Usual?"}),
        "add": ("approvers", {"person": "kim"}),
        "reassign": ("reassignment", {"to": "kim"}),
        "remind": ("reminder", None),
        "withdraw": ("withdrawal", None),
    }
    for who in ("mara", "ada", "kim"):
        for act, (path, body) in bodies.items():
            number = await live.placed(asking())
            can = (await live.sees(who, f"/requests/{number}"))["waiting"][0]["can"] if who != "kim" else []
            answer = await live.post(who, f"/tasks/{number}.1/{path}", body)
            assert (answer.status_code == 200) is (act in can), (who, act, answer.text)


async def test_a24_outside_the_working_time_of_a_stage_deciding_is_not_offered(live: LiveApi) -> None:
    item = asking(acts_in="never-now")
    now = live.world.parts.clock()
    day = (now + timedelta(days=3)).strftime("%A").lower()
    file = CalendarFile.model_validate({"id": "never-now", "name": "In three days", "hours": {day: ["09:00-10:00"]}})
    live.world.register.publish_calendars(
        [PublishedCalendar(file=file, calendar=expand(file, {}, now.date()))], now, complete=False
    )
    number = await live.placed(item)
    assert "decide" not in await live.can("mara", number)
    assert "ask" in await live.can("mara", number)
    body = expect_problem(await live.post("mara", f"/tasks/{number}.1/decision", {"choice": "approve"}), 409, "not-now")
    assert "working time only" in body["detail"]


async def test_a13_who_decides_because_others_did_not_in_time_is_told_so(live: LiveApi) -> None:
    level = Escalation(to=(ByPerson(rule="person", person="kim"),), decide_within=timedelta(days=1))
    number = await live.placed(asking(decide_within=timedelta(seconds=1), escalate=(level,)))
    await until(lambda: "kim" in asked(live, number), within=20)
    (task,) = (await live.sees("kim", "/tasks"))["items"]
    assert (task["yours"], task["on_behalf_of"]) == ("escalated", [])
    assert asked(live, number) == {"mara": True, "kim": False}
    await live.does("kim", f"/tasks/{number}.1/reassignment", {"to": "rolf"})
    assert asked(live, number) == {"mara": True, "rolf": False}


# ---------------------------------------------------------------- repeats


async def test_repeating_with_its_key_gives_the_first_answer_whoever_has_left_since(
    live: LiveApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await live.placed(asking())
    path = f"/tasks/{number}.1/advice"
    body = {"person": "kim", "question": "Usual?"}
    first = await live.does("mara", path, body, key="k")

    def down(_login: str) -> None:
        raise Transient("connection refused")

    monkeypatch.setattr(live.world.directory, "person_by_login", down)
    assert await live.does("mara", path, body, key="k") == first
    expect_problem(await live.post("mara", path, body | {"question": "Why?"}, key="k"), 409, "idempotency-conflict")
    expect_problem(await live.post("mara", path, body | {"person": "rolf"}, key="k"), 409, "idempotency-conflict")
    expect_problem(await live.post("mara", path, body | {"person": "rolf"}), 503, "directory-unavailable")
    assert live.kinds(number).count(Kind.ADVICE_ASKED) == 1


async def test_repeating_that_a_decision_is_handed_on_must_name_the_same_one_again_whoever_is_asked_since(
    live: LiveApi,
) -> None:
    number = await live.placed(asking(approvers=(GUARDS,), quorum="all"))
    path = f"/tasks/{number}.1/reassignment"
    first = await live.does("otto", path, {"to": "mara", "from": "rolf"}, key="k")
    for other in ("grace", "mara", "nobody"):
        expect_problem(
            await live.post("otto", path, {"to": "mara", "from": other}, key="k"), 409, "idempotency-conflict"
        )
    expect_problem(await live.post("otto", path, {"to": "mara"}, key="k"), 409, "idempotency-conflict")
    assert await live.does("otto", path, {"to": "mara", "from": "Rolf"}, key="k") == first
    assert asked(live, number) == {"grace": True, "mara": True}

    own = await live.does("grace", path, {"to": "kim"}, key="k")
    assert await live.does("grace", path, {"to": "kim"}, key="k") == own
    assert await live.does("grace", path, {"to": "kim", "from": "grace"}, key="k") == own
    expect_problem(await live.post("grace", path, {"to": "kim", "from": "rolf"}, key="k"), 409, "idempotency-conflict")
    assert live.kinds(number).count(Kind.HANDED_ON) == 2


@pytest.mark.parametrize("task", ["REQ-1001.9", "REQ-9999.1", "x"])
async def test_there_is_nothing_to_do_about_a_task_that_is_not_there(world: ApiWorld, task: str) -> None:
    await world.placed()
    for path, body in (
        ("withdrawal", None),
        ("reassignment", {"to": "ben"}),
        ("approvers", {"person": "ben"}),
        ("advice", {"person": "ben", "question": "?"}),
        ("question", {"text": "?"}),
        ("answer", {"text": "x"}),
        ("reminder", None),
    ):
        expect_problem(await world.post("mara", f"/tasks/{task}/{path}", body), 404, "unknown-task")
