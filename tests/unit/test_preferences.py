"""What people wish: quiet hours are kept, a digest gathers, and what is urgent waits for neither (rows A12, N2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from support.builders import a_person

from catalog.preferences import MARGIN, MOST_LISTED, Hold, Preferences, hold, together
from catalog.request import Notice

QUIET = Preferences(zone="Europe/Berlin", quiet=["20:00-07:00"])
DIGEST = Preferences(zone="Europe/Berlin", quiet=["20:00-07:00"], digest="08:00")
BOB = a_person("Bob Brown").ref()


def a_notice(template: Any = "approval-needed", nth: int = 1, **data: Any) -> Notice:
    plain = {"number": "REQ-1001", "item": "VPN", "requester": "Ada", "beneficiary": "Ada", "task": f"REQ-1001.{nth}"}
    return Notice(event=f"REQ-1001/{nth}", template=template, to=BOB, data=plain | data)


def at(hour: int, minute: int = 0, day: int = 3) -> datetime:
    """A moment of March 2025, when Berlin is an hour ahead of UTC; the 3rd is a Monday."""
    return datetime(2025, 3, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (at(18, 59), None),
        (at(19), at(6, day=4)),
        (at(23, 30), at(6, day=4)),
        (at(5, 59), at(6)),
        (at(6), None),
    ],
)
def test_a_notice_waits_until_quiet_hours_are_over_as_clocks_show_it_there(
    now: datetime, until: datetime | None
) -> None:
    assert hold(a_notice(), QUIET, now) == (Hold(until) if until else None)


def test_quiet_hours_are_shorter_when_the_clocks_go_forward() -> None:
    assert hold(a_notice(), QUIET, datetime(2025, 3, 29, 20, tzinfo=UTC)) == Hold(datetime(2025, 3, 30, 5, tzinfo=UTC))


def test_who_wishes_nothing_is_told_at_once() -> None:
    assert hold(a_notice(), Preferences(), at(2)) is None


@pytest.mark.parametrize("template", ["operator-needed", "late-timer", "answered"])
def test_trouble_and_answers_to_what_somebody_asked_never_wait(template: str) -> None:
    assert hold(a_notice(template), DIGEST, at(23)) is None


@pytest.mark.parametrize("wishes", [QUIET, DIGEST])
def test_what_would_leave_less_than_a_working_day_is_not_held(wishes: Preferences) -> None:
    sent = 6 if wishes is QUIET else 7
    until = Hold(at(sent, day=4), gathered=wishes is DIGEST)
    enough = at(sent, day=4) + MARGIN
    assert hold(a_notice(due_at=enough.isoformat()), wishes, at(22)) == until
    too_little = enough - timedelta(seconds=1)
    held = hold(a_notice(due_at=too_little.isoformat()), wishes, at(22))
    assert held == (None if wishes is QUIET else Hold(at(6, day=4)))


def test_what_is_too_late_anyhow_keeps_quiet_hours() -> None:
    assert hold(a_notice("clock", due_at=at(22).isoformat()), QUIET, at(22)) == Hold(at(6, day=4))


def test_what_is_too_pressing_for_the_digest_still_keeps_quiet_hours() -> None:
    due = at(14, 30, day=4).isoformat()
    assert hold(a_notice(due_at=due), DIGEST, at(22)) == Hold(at(6, day=4))
    assert hold(a_notice(due_at=due), DIGEST, at(6, 30, day=4)) is None


@pytest.mark.parametrize("template", ["approval-needed", "reminder"])
def test_a_digest_gathers_what_asks_for_decisions_until_its_time(template: str) -> None:
    assert hold(a_notice(template), DIGEST, at(9)) == Hold(at(7, day=4), gathered=True)
    assert hold(a_notice(template), DIGEST, at(7)) == Hold(at(7), gathered=True)


@pytest.mark.parametrize("template", ["closed", "question", "deadline-near", "digest"])
def test_a_digest_gathers_nothing_else(template: str) -> None:
    assert hold(a_notice(template), DIGEST, at(9)) is None
    assert hold(a_notice(template), DIGEST, at(5)) == Hold(at(6))


def test_what_names_no_task_is_not_gathered() -> None:
    notice = a_notice().model_copy(update={"data": {}})
    assert hold(notice, DIGEST, at(9)) is None


@pytest.mark.parametrize(
    ("wishes", "place", "why"),
    [
        ({"quiet": ["00:00-24:00"]}, "quiet", "no time of the day"),
        ({"quiet": ["07:00-20:00", "20:00-07:00"]}, "quiet", "no time of the day"),
        ({"quiet": ["8-9"]}, "quiet", "no time of a day"),
        ({"quiet": [f"0{n}:00-0{n}:30" for n in range(7)]}, "quiet", "at most 6"),
        ({"quiet": ["20:00-07:00"], "digest": "06:59"}, "digest", "in the quiet hours"),
        ({"quiet": ["20:00-07:00"], "digest": "20:00"}, "digest", "in the quiet hours"),
        ({"digest": "08:00+02:00"}, "digest", "write no other"),
        ({"zone": "Berlin"}, "zone", "Europe/Berlin"),
        ({"calendar": "Not an id"}, "calendar", "pattern"),
    ],
)
def test_what_cannot_be_wished_is_refused_with_the_reason(wishes: dict[str, Any], place: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why) as error:
        Preferences.model_validate(wishes)
    (one,) = error.value.errors()
    inside = getattr(one.get("ctx", {}).get("error"), "place", ())
    assert (*one["loc"], *inside)[0] == place


@pytest.mark.parametrize("digest", ["07:00", "19:59", "00:00"])
def test_a_digest_comes_at_any_time_that_is_not_quiet(digest: str) -> None:
    quiet = ["20:00-24:00", "01:00-07:00"]
    assert Preferences.model_validate({"quiet": quiet, "digest": digest}).digest


@given(
    st.lists(st.tuples(st.integers(0, 1439), st.integers(1, 1439)), max_size=4),
    st.timedeltas(timedelta(0), timedelta(days=700)),
)
def test_whatever_is_wished_nothing_goes_out_in_quiet_hours_and_nothing_waits_longer_than_they_last(
    quiet: list[tuple[int, int]], later: timedelta
) -> None:
    def clock(minutes: int) -> str:
        return f"{minutes // 60 % 24:02}:{minutes % 60:02}"

    try:
        written = [f"{clock(start)}-{clock(start + length)}" for start, length in quiet]
        wishes = Preferences.model_validate({"quiet": written})
    except ValidationError:
        return  # they overlap, or leave no time
    moment = at(0) + later
    minute = moment.hour * 60 + moment.minute
    silent = any((minute - start) % 1440 < length for start, length in quiet)
    held = hold(a_notice(), wishes, moment)
    assert (held is not None) == silent
    if held:
        assert moment < held.until < moment + timedelta(days=1)
        assert hold(a_notice(), wishes, held.until) is None


def test_several_notices_become_one_that_lists_each_task_once_the_most_pressing_first() -> None:
    notices = [
        a_notice(nth=1),
        a_notice(nth=2, due_at="2025-03-09T12:00:00+00:00", stage="Owner"),
        a_notice(nth=3, due_at="2025-03-07T12:00:00+00:00"),
        a_notice(
            "reminder", nth=4, task="REQ-1001.2", due_at="2025-03-09T12:00:00+00:00", stage="Owner", asked=["why"]
        ),
    ]
    one = together(notices, {"REQ-1001.1", "REQ-1001.2", "REQ-1001.3"})
    assert one is not None
    assert (one.event, one.template, one.to) == ("digest:REQ-1001/1", "digest", BOB)
    listed = [(entry["task"], entry["stage"], entry["reminded"]) for entry in one.data["entries"]]
    assert listed == [("REQ-1001.3", None, False), ("REQ-1001.2", "Owner", True), ("REQ-1001.1", None, False)]
    assert [entry["asked"] for entry in one.data["entries"]] == [None, ["why"], None]
    assert one.data["more"] == 0


def test_what_is_awaited_no_more_is_left_out_and_of_nothing_nothing_is_said() -> None:
    notices = [a_notice(nth=1), a_notice(nth=2)]
    one = together(notices, {"REQ-1001.2"})
    assert one is not None
    assert [entry["task"] for entry in one.data["entries"]] == ["REQ-1001.2"]
    assert together(notices, set()) is None


def test_a_digest_lists_only_so_much() -> None:
    notices = [a_notice(nth=n) for n in range(1, MOST_LISTED + 4)]
    one = together(notices, {notice.data["task"] for notice in notices})
    assert one is not None
    assert (len(one.data["entries"]), one.data["more"]) == (MOST_LISTED, 3)
