"""What a scenario may say, what times it names, and what is wrong with it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter, ValidationError

from catalog.scenario import Scenario, ScenarioFile, faults
from catalog.sketch import Company, Moment, at

BERLIN = datetime(2040, 3, 24, 9, 0, tzinfo=ZoneInfo("Europe/Berlin"))
"""The day before summer time begins."""
COMPANY = Company.model_validate({"people": {"ada": {"name": "Ada Byron"}, "mara": {"name": "Mara Lind"}}})


def a_scenario(**other: Any) -> Scenario:
    return Scenario.model_validate({"name": "one", "order": {"by": "ada"}, "expect": {}} | other, extra="forbid")


def wrong(**other: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        a_scenario(**other)
    return str(caught.value.errors()[0]["ctx"]["error"])


@pytest.mark.parametrize(
    ("moment", "after"),
    [
        ("0", timedelta(0)),
        ("at once", timedelta(0)),
        ("day 1 09:10", timedelta(minutes=10)),
        ("Day  2", timedelta(hours=15)),
        ("day 2 09:00", timedelta(hours=23)),  # an hour of that night is left out
        ("24 hours", timedelta(hours=24)),
        ("After 36 h", timedelta(hours=36)),
        ("P2D", timedelta(days=2)),
    ],
)
def test_a_time_names_an_instant(moment: str, after: timedelta) -> None:
    read = TypeAdapter(Moment).validate_python(moment)
    assert at(read, BERLIN) - BERLIN.astimezone(UTC) == after


@pytest.mark.parametrize("moment", ["tomorrow", "day 0", "day 2 24:00", "day 2 9:00", "", "-1 day", 3, None])
def test_what_is_no_time_is_refused(moment: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Moment).validate_python(moment)


def test_a_scenario_begins_in_its_own_zone() -> None:
    plain = a_scenario()
    assert plain.began == datetime(2040, 3, 5, 9, 0, tzinfo=UTC)
    assert f"{plain.began:%A}" == "Monday"
    assert a_scenario(zone="Europe/Berlin", begins="2040-03-24T09:00").began == BERLIN
    assert wrong(begins="2040-03-24T09:00Z").startswith("the time of the order has a zone")
    assert wrong(zone="Berlin") == "there is no time zone 'Berlin'; did you mean 'Europe/Berlin'?"


@pytest.mark.parametrize("begins", ["9999-12-31T23:00:00", "2100-01-01T00:00:00", "1999-12-31T23:59:59", "0001-01-01"])
def test_a_scenario_begins_in_years_that_every_time_it_names_leaves_room_for(begins: str) -> None:
    assert wrong(begins=begins) == "an order is placed in the years from 2000 to 2099; write another time"


@pytest.mark.parametrize(("begins", "days"), [("2000-01-01T00:00:00", 9_998), ("2099-12-31T23:59:59", 9_997)])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_whatever_a_scenario_names_is_a_time_of_the_calendar(begins: str, days: int, zone: str) -> None:
    events = [{"at": moment, "do": "leaves", "who": "ada"} for moment in ("day 9999 23:59", "36525 days")]
    told = a_scenario(begins=begins, zone=zone, events=events, lasts="36525 days")
    assert [(moment - told.began).days for moment, _ in told.timed()] == [days, 36_525]


def test_events_come_in_the_order_of_their_times_and_then_as_written() -> None:
    events = [
        {"at": "day 2 10:00", "do": "comment", "by": "ada", "text": "b"},
        {"at": "25 hours", "do": "comment", "by": "ada", "text": "c"},
        {"at": "day 1 12:00", "do": "comment", "by": "ada", "text": "a"},
    ]
    timed = list(a_scenario(events=events).timed())
    assert [event.model_dump()["text"] for _, event in timed] == ["a", "b", "c"]
    assert timed[1][0] == timed[2][0] == datetime(2040, 3, 6, 10, 0, tzinfo=UTC)


def test_a_move_says_whose_it_is() -> None:
    event = {"at": "day 2", "do": "moves", "who": "ada"}
    assert wrong(events=[event]) == "'moves' says nothing of the manager; add 'manager: …'"
    assert a_scenario(events=[{**event, "manager": "mara"}])


@pytest.mark.parametrize("do", ["joins", "quits"])
def test_somebody_joins_or_quits_one_group_or_one_role(do: str) -> None:
    event = {"at": "day 2", "do": do, "who": "ada"}
    said = f"'{do}' is about one group or one role; write 'group: …' or 'role: …'"
    assert wrong(events=[event]) == wrong(events=[{**event, "group": "vpn", "role": "officer"}]) == said
    assert a_scenario(events=[{**event, "group": "vpn"}, {**event, "role": "officer"}])


def test_what_a_scenario_says_of_the_company_comes_on_top_of_it() -> None:
    own = Company.model_validate(
        {
            "people": {"ada": {"name": "Ada King"}},
            "groups": {"vpn": {}},
            "roles": {"a": ["ada"]},
            "cis": {"web-01": ["ada"]},
            "operators": ["ada", "mara"],
        }
    )
    base = COMPANY.model_copy(update={"operators": ("mara",), "roles": {"a": ("mara",), "b": ("mara",)}})
    base = base.model_copy(update={"cis": {"web-01": ("mara",), "db-01": ("mara",)}})
    both = own.over(base)
    assert [person.name for person in both.people.values()] == ["Ada King", "Mara Lind"]
    assert (list(both.groups), both.operators) == (["vpn"], ("mara", "ada"))
    assert both.roles == {"a": ("ada",), "b": ("mara",)}
    assert both.cis == {"web-01": ("ada",), "db-01": ("mara",)}


def test_what_earlier_requests_took_is_a_hundred_years_at_most() -> None:
    assert a_scenario(earlier=[{"took": {"lead": "20000 days", "fulfilment": "16525 days"}}])
    too_long = [{"took": {"lead": "20000 days", "fulfilment": "16526 days"}}]
    assert wrong(earlier=too_long) == "together this is more than a hundred years; shorten some of it"


def test_two_scenarios_of_a_file_have_different_names() -> None:
    one = {"name": "one", "order": {"by": "ada"}, "expect": {}}
    assert ScenarioFile.model_validate({"item": "vpn", "scenarios": [one, {**one, "name": "two"}]})
    with pytest.raises(ValidationError, match="two scenarios are called 'one'"):
        ScenarioFile.model_validate({"item": "vpn", "scenarios": [one, one]})


def test_whom_a_scenario_names_must_be_there() -> None:
    scenario = a_scenario(
        order={"by": "adda"},
        events=[
            {"at": "day 2", "do": "approve", "by": "mara"},
            {"at": "day 2", "do": "moves", "who": "x1", "manager": "x2"},
        ],
        expect={
            "has": {"vpn": ["ada", "x3"]},
            "lacks": {"vpn": ["x4"]},
            "told": {"x5": ["closed"], "operators": ["operator-needed"], "desk@example.org": ["message"]},
            "not_told": ["x6", "desk@example.org"],
        },
    )
    found = list(faults(scenario, COMPANY))
    assert [fault.place for fault in found] == [
        ("order", "by"),
        ("events", 1, "who"),
        ("events", 1, "manager"),
        ("expect", "has", "vpn", 1),
        ("expect", "lacks", "vpn", 0),
        ("expect", "told", "x5"),
        ("expect", "not_told", 0),
    ]
    assert {fault.rule for fault in found} == {"unknown-person"}
    assert (found[0].remedy, found[1].remedy) == ("Did you mean 'ada'?", "Write the login of somebody, or add them.")


def test_nothing_happens_before_the_order() -> None:
    events = [{"at": moment, "do": "leaves", "who": "mara"} for moment in ("day 1 08:59", "day 1 09:00", "day 1")]
    found = list(faults(a_scenario(events=events), COMPANY))
    assert [fault.place for fault in found] == [("events", 0, "at"), ("events", 2, "at")]


def test_whom_a_scenario_looks_at_must_be_there() -> None:
    look = {
        "at": "day 2",
        "do": "see",
        "clocks": [{"id": "decision", "state": "late"}, {"id": "approver", "of": "x1"}],
        "held": [{"stage": "manager", "lasting": "1 day"}, {"stage": "manager", "by": "x2", "lasting": "1 day"}],
        "inbox": {"ada": [], "x3": ["mine"]},
    }
    found = list(faults(a_scenario(events=[look]), COMPANY))
    assert [fault.place for fault in found] == [
        ("events", 0, "inbox", "x3"),
        ("events", 0, "clocks", 1, "of"),
        ("events", 0, "held", 1, "by"),
    ]


# ---------------------------------------------------------------- approvals


def event(**keys: Any) -> dict[str, Any]:
    return {"at": "day 2", "by": "mara", **keys}


@pytest.mark.parametrize(
    "written",
    [
        event(do="approve", answers={"copies": 1}, saw="day 1 10:00", stage="manager"),
        event(do="approve", bulk=True),
        event(do="withdraw"),
        event(do="reassign", to="ada", of="ada"),
        event(do="add", person="ada"),
        event(do="consult", person="ada", question="Why?"),
        event(do="ask", text="Why?"),
        event(do="answer", text="Because."),
        event(do="advise", text="Do."),
        event(do="remind", refused="not-now"),
        event(do="amend", answers={"copies": 2}, reason="More."),
        event(do="delegates", to="ada", begins="day 3", ends="day 9", items=["vpn"], categories=["Access"]),
        event(do="delegates", to="ada", ends="day 9", up_to={"amount": 10, "currency": "EUR"}, refused="ends"),
        event(do="withdraws-delegation", to="ada"),
    ],
    ids=lambda one: str(one["do"]),
)
def test_everything_that_people_do_about_a_decision_can_be_written(written: dict[str, Any]) -> None:
    scenario = a_scenario(events=[written])
    assert list(faults(scenario, COMPANY)) == []
    assert scenario.events[0].model_dump(exclude_unset=True, mode="json")["do"] == written["do"]


def test_what_is_rejected_is_not_made_smaller() -> None:
    said = "what is rejected cannot be made smaller; remove 'answers', or approve"
    assert wrong(events=[event(do="reject", answers={"copies": 1})]) == said


@pytest.mark.parametrize(
    ("key", "value"), [("stage", "manager"), ("refused", "closed"), ("answers", {"a": 1}), ("saw", "day 1")]
)
def test_what_is_decided_in_one_go_is_decided_the_same_way(key: str, value: Any) -> None:
    said = f"'bulk' decides everything that waits, the same way; remove '{key}' or 'bulk'"
    assert wrong(events=[event(do="approve", bulk=True, **{key: value})]) == said


def test_an_amendment_changes_something() -> None:
    with pytest.raises(ValidationError):
        a_scenario(events=[event(do="amend", answers={})])


def test_rows_are_ids_of_features() -> None:
    assert a_scenario(rows=["A8", "N2", "A21"]).rows == ("A8", "N2", "A21")
    for row in ("a8", "A", "A123", "A8 "):
        with pytest.raises(ValidationError):
            a_scenario(rows=[row])


def test_whoever_is_named_in_delegations_and_votes_must_be_there_too() -> None:
    scenario = a_scenario(
        delegations=[{"by": "mara", "to": "x1", "ends": "day 9"}],
        events=[event(do="reassign", to="x2", of="x3"), event(do="add", person="x4")],
        expect={"voted": {"x5": "approve"}, "on_behalf": {"mara": "x6"}},
    )
    assert [fault.place for fault in faults(scenario, COMPANY)] == [
        ("delegations", 0, "to"),
        ("events", 0, "to"),
        ("events", 0, "of"),
        ("events", 1, "person"),
        ("expect", "voted", "x5"),
        ("expect", "on_behalf", "mara"),
    ]
