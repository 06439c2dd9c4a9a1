"""The agenda of a stage: reminders, notices and deadlines in the working time of the person concerned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import a_stage

from catalog import agenda as agendas
from catalog import calendar
from catalog.agenda import Agenda, Due, Reminder
from catalog.calendar import ALWAYS, Calendar
from catalog.duration import LONGEST, Working
from catalog.hours import WEEKDAYS
from catalog.stages import Stage


def office(zone: str, **other: Any) -> Calendar:
    """Return a calendar of Monday to Friday, nine to five."""
    week = {day: ["09:00-17:00"] for day in WEEKDAYS[:5]}
    return Calendar.model_validate({"id": "office", "name": "Office", "zone": zone, "week": week} | other)


BERLIN = office("Europe/Berlin", days={"2025-03-06": "closed"})
"""One hour ahead of UTC in this March; the Thursday is a holiday there."""
SYDNEY = office("Australia/Sydney")
"""Eleven hours ahead."""
CALENDARS = {"ben": BERLIN, "sue": SYDNEY}
BRIEF = Calendar.model_validate({"id": "brief", "name": "Brief", "days": {"2025-03-03": ["09:00-17:00"]}})
"""It has one day of working time, and then never again."""


def hours(person: str) -> Calendar:
    return CALENDARS.get(person, ALWAYS)


def march(day: int, clock: str = "00:00") -> datetime:
    """Return a moment of March 2025, whose third is a Monday, in UTC."""
    hour, minute = clock.split(":")
    return datetime(2025, 3, day, int(hour), int(minute), tzinfo=UTC)


MONDAY = march(3, "12:00")
REMIND = {"after": "4 working hours", "every": "1 working day", "at_most": 3}


def stage(**written: Any) -> Stage:
    return Stage.model_validate(a_stage().model_dump() | {"decide_within": "5 working days"} | written)


def level(**written: Any) -> dict[str, Any]:
    return {"to": [{"rule": "manager"}], "decide_within": "2 working days"} | written


def begun(*people: str, at: datetime = MONDAY, **written: Any) -> tuple[Stage, Agenda]:
    made = stage(**written)
    return made, agendas.begin(made, people, hours, at)


def ticked(made: Stage, agenda: Agenda, at: datetime, *undecided: str) -> tuple[Agenda, tuple[Due, ...]]:
    return agendas.tick(made, agenda, undecided, hours, at)


def told(agenda: Agenda) -> list[datetime]:
    """Return when people are told that the deadline comes near."""
    return [notice.at for notice in agenda.notices]


def test_a12_only_those_who_are_still_asked_are_told_anything() -> None:
    _, agenda = begun("ben", "sue", notice="1 working day", remind={"after": "4 working hours"})
    first = {one: min(r.at for r in (*agenda.reminders, *agenda.notices) if one in r.people) for one in ("ben", "sue")}
    assert agenda.tells_at(["ben", "sue"]) == min(first.values())
    assert agenda.tells_at(["ben"]) == first["ben"] != first["sue"]
    assert agenda.tells_at(["eve"]) is None
    assert agendas.pause(agenda, MONDAY).tells_at(["ben"]) is None


# ---------------------------------------------------------------- deadlines


def test_a12_the_deadline_is_counted_in_the_working_time_of_who_has_it_longest() -> None:
    _, agenda = begun("ben", "sue", "eve")
    # Five working days of Berlin with the holiday between them end on the next Tuesday, an hour after noon there.
    assert (agenda.due_at, agenda.whose) == (march(11, "12:00"), "ben")
    assert agenda.next_at == agenda.due_at


def test_a_deadline_of_clock_time_is_nobodys() -> None:
    _, agenda = begun("ben", decide_within="5 days")
    assert (agenda.due_at, agenda.whose) == (march(8, "12:00"), "")


def test_a_stage_that_asks_nobody_is_over_by_the_clock() -> None:
    _, agenda = begun(decide_within="5 working days")
    assert (agenda.due_at, agenda.whose) == (march(8, "12:00"), "")


@pytest.mark.parametrize("within", ["1 working day", "9 working hours"])
def test_a_calendar_that_comes_to_its_end_leaves_a_deadline_by_the_clock(within: str) -> None:
    """A stage neither fails nor stays open for ever."""
    made = stage(decide_within=within, notice=within, remind={"after": within})
    agenda = agendas.begin(made, ["ben"], lambda _: BRIEF, march(4))
    assert agenda.due_at
    assert march(4) < agenda.due_at <= march(5)
    assert agendas.resume(made, agendas.pause(agenda, march(4)), ["ben"], lambda _: BRIEF, march(6)).due_at


THIN = Calendar.model_validate({"id": "thin", "name": "Thin", "week": {"saturday": ["10:00-10:05"]}})
"""It has less than five hours in a year."""


def test_what_takes_longer_than_any_length_may_ends_after_a_hundred_years_and_not_before() -> None:
    made = stage(decide_within="2000 working hours", notice="1000 working hours")
    agenda = agendas.begin(made, ["ben"], lambda _: THIN, MONDAY)
    assert agenda.due_at == MONDAY + LONGEST
    assert told(agenda) == [march(8, "10:00")], "half of it is over a hundred years before its end"
    going = agendas.resume(made, agendas.pause(agenda, MONDAY), ["ben"], lambda _: THIN, march(8))
    assert going.due_at
    assert going.due_at > MONDAY + LONGEST


def test_no_row_of_stages_lasts_beyond_what_can_be_counted() -> None:
    at = MONDAY
    for _ in range(100):
        at = agendas.end(THIN, at, LONGEST)
    assert at.year < 9996
    assert agendas.end(THIN, at, LONGEST) == at


def test_what_was_left_of_a_calendar_that_comes_to_its_end_meanwhile_is_counted_by_the_clock() -> None:
    made = stage(decide_within="4 working hours")
    agenda = agendas.begin(made, ["ben"], lambda _: BRIEF, march(3, "10:00"))
    assert agenda.due_at == march(3, "14:00")
    going = agendas.resume(made, agendas.pause(agenda, march(3, "11:00")), ["ben"], lambda _: BRIEF, march(6))
    assert going.due_at == march(6, "03:00")


def test_what_lies_before_all_working_time_is_counted_by_the_clock() -> None:
    made = stage(decide_within="1 working day", notice="30 working days")
    agenda = agendas.begin(made, ["ben"], lambda _: BRIEF, march(3, "10:00"))
    assert told(agenda) == [march(3, "10:00")]


# ---------------------------------------------------------------- reminders


@pytest.mark.parametrize(
    ("at", "due"),
    [
        (march(3, "09:00"), march(3, "13:00")),
        (march(3, "12:30"), march(4, "08:30")),  # what is left of Monday, and the rest on Tuesday
        (march(3, "23:00"), march(4, "12:00")),  # nothing counts at night
        (march(5, "15:00"), march(7, "11:00")),  # the Thursday is a holiday
        (march(7, "15:00"), march(10, "11:00")),  # the weekend counts as little
        (march(8, "03:00"), march(10, "12:00")),
    ],
)
def test_a12_a_reminder_waits_for_working_time(at: datetime, due: datetime) -> None:
    _, agenda = begun("ben", at=at, remind=REMIND)
    assert agenda.reminders == (Reminder(at=due, people=("ben",)),)


@pytest.mark.parametrize(
    ("at", "due"),
    [(march(3, "21:00"), march(4, "08:00")), (march(7, "14:00"), march(10, "08:00")), (march(3, "09:00"), None)],
)
def test_a12_a_reminder_after_so_much_clock_time_keeps_the_quiet_hours(at: datetime, due: datetime | None) -> None:
    _, agenda = begun("ben", at=at, remind={"after": "6 hours"})
    assert agenda.reminders[0].at == (due or at + timedelta(hours=6))


def test_a12_everybody_is_reminded_in_their_own_working_time() -> None:
    _, agenda = begun("ben", "sue", "eve", "kim", remind=REMIND)
    assert agenda.reminders == (
        Reminder(at=march(4, "08:00"), people=("ben",)),
        Reminder(at=march(4, "02:00"), people=("sue",)),
        Reminder(at=march(3, "16:00"), people=("eve", "kim")),
    )
    assert agenda.next_at == march(3, "16:00")


def test_a12_reminders_come_again_until_there_were_enough() -> None:
    made, agenda = begun("ben", remind=REMIND)
    seen = []
    while agenda.next_at:
        at = agenda.next_at
        agenda, due = ticked(made, agenda, at, "ben")
        seen += [(at, one.kind, one.nth) for one in due]
    assert seen == [
        (march(4, "08:00"), "remind", 1),
        (march(5, "08:00"), "remind", 2),
        (march(7, "08:00"), "remind", 3),  # the holiday is left out
        (march(11, "12:00"), "over", 0),
    ]


def test_a12_without_a_rhythm_there_is_one_reminder() -> None:
    made, agenda = begun("ben", remind={"after": "1 hour"})
    agenda, due = ticked(made, agenda, march(3, "13:00"), "ben")
    assert due == (Due(kind="remind", people=("ben",), nth=1),)
    assert agenda.reminders == ()


def test_a12_who_has_decided_is_not_reminded_any_more() -> None:
    made, agenda = begun("eve", "kim", remind=REMIND)
    agenda, due = ticked(made, agenda, march(3, "16:00"), "kim")
    assert due == (Due(kind="remind", people=("kim",), nth=1),)
    assert agenda.reminders == (Reminder(at=march(4, "16:00"), people=("kim",), nth=2),)
    agenda, due = ticked(made, agenda, march(4, "16:00"))
    assert (agenda.reminders, due) == ((), ())


def test_a12_nobody_is_reminded_when_the_time_is_over() -> None:
    _, agenda = begun("ben", decide_within="4 hours", remind={"after": "4 hours"})
    assert agenda.reminders == ()


def test_a12_a_reminder_that_comes_late_comes_once() -> None:
    made, agenda = begun("eve", remind={"after": "1 hour", "every": "1 hour"})
    agenda, due = ticked(made, agenda, march(3, "18:30"), "eve")
    assert [one.nth for one in due] == [1]
    assert agenda.next_at == march(3, "19:30")


def test_nothing_is_due_before_its_time() -> None:
    made, agenda = begun("eve", remind=REMIND)
    assert ticked(made, agenda, march(3, "15:59"), "eve") == (agenda, ())


def test_who_is_asked_later_is_reminded_later_within_the_same_time() -> None:
    made, agenda = begun("eve", remind={"after": "1 day"}, decide_within="3 days")
    joined = agendas.join(made, agenda, ["ben"], hours, march(4, "13:00"))
    assert joined.due_at == agenda.due_at
    assert joined.reminders == (*agenda.reminders, Reminder(at=march(5, "13:00"), people=("ben",)))
    assert agendas.join(made, agenda, ["ben"], hours, march(6, "11:00")).reminders == agenda.reminders


def test_who_is_asked_when_the_time_is_over_is_not_reminded() -> None:
    made, agenda = begun("eve", remind={"after": "1 day"}, decide_within="3 days")
    over, _ = ticked(made, agenda, march(6, "12:00"), "eve")
    assert agendas.join(made, over, ["ben"], hours, march(6, "12:00")) == over


# ---------------------------------------------------------------- notices and ends


def test_a13_a_notice_comes_before_the_deadline_in_the_same_working_time() -> None:
    made, agenda = begun("ben", notice="1 working day")
    assert told(agenda) == [march(10, "12:00")]
    agenda, due = ticked(made, agenda, march(10, "12:00"), "ben", "eve")
    assert due == (Due(kind="warn", people=("ben",)),)
    assert (agenda.notices, agenda.next_at) == ((), march(11, "12:00"))


def test_a13_each_level_has_its_notice_and_its_deadline() -> None:
    made = stage(notice="4 working days", escalate=[level(notice="1 working day"), level(decide_within="3 days")])
    first, second, third = (agendas.begin(made, ["ben"], hours, MONDAY, at) for at in range(3))
    assert (first.due_at, told(first)) == (march(11, "12:00"), [march(10, "12:00")])
    assert (second.due_at, told(second), second.level) == (march(5, "12:00"), [], 1)
    assert (third.due_at, told(third), third.level) == (march(6, "12:00"), [MONDAY], 2)


def test_a12_a_notice_keeps_everybodys_quiet_hours() -> None:
    made, agenda = begun("ben", "eve", decide_within="36 hours", notice="5 hours")
    # The time is over at midnight between Tuesday and Wednesday; at seven in the evening Ben has gone home.
    assert agenda.due_at == march(5, "00:00")
    assert told(agenda) == [march(4, "16:00"), march(4, "19:00")]
    assert ticked(made, agenda, march(4, "16:00"), "ben", "eve")[1] == (Due(kind="warn", people=("ben",)),)


def test_a12_a_notice_that_no_working_time_is_left_for_is_not_given() -> None:
    _, agenda = begun("ben", decide_within="6 hours", notice="5 hours", at=march(3, "18:00"))
    assert told(agenda) == []


def test_a12_who_is_asked_later_is_told_too_that_the_deadline_comes_near() -> None:
    made, agenda = begun("ben", decide_within="5 days", notice="1 day")
    joined = agendas.join(made, agenda, ["eve"], hours, march(4, "13:00"))
    assert [(one.at, one.people) for one in joined.notices] == [
        (march(7, "12:00"), ("ben",)),
        (march(7, "12:00"), ("eve",)),
    ]


def test_a_notice_that_would_come_before_the_beginning_comes_at_once() -> None:
    made, agenda = begun("eve", decide_within="1 day", notice="2 days")
    assert told(agenda) == [MONDAY]
    assert ticked(made, agenda, MONDAY, "eve")[1] == (Due(kind="warn", people=("eve",)),)


def test_a14_when_the_time_is_over_nothing_else_is_said() -> None:
    made, agenda = begun("eve", decide_within="2 days", notice="1 day", remind={"after": "1 day"})
    over, due = ticked(made, agenda, march(5, "12:00"), "eve")
    assert due == (Due(kind="over"),)
    assert (over.due_at, over.next_at) == (None, None)
    assert ticked(made, over, march(30), "eve") == (over, ())


# ---------------------------------------------------------------- time that stands still


def test_a10_while_time_stands_still_nothing_is_due() -> None:
    made, agenda = begun("eve", remind=REMIND)
    paused = agendas.pause(agenda, march(3, "13:00"))
    assert paused.next_at is None
    assert ticked(made, paused, march(30), "eve") == (paused, ())


def test_a10_everything_comes_later_by_as_much_as_was_left() -> None:
    made, agenda = begun("eve", decide_within="3 days", notice="1 day", remind={"after": "1 day"})
    going = agendas.resume(made, agendas.pause(agenda, march(3, "18:00")), ["ben"], hours, march(10, "18:00"))
    week = timedelta(days=7)
    assert agenda.due_at
    assert (going.due_at, told(going)) == (agenda.due_at + week, [told(agenda)[0] + week])
    assert (going.reminders[0].at, going.paused_at) == (march(11, "12:00"), None)


def test_a10_working_time_that_was_left_is_left_afterwards() -> None:
    made, agenda = begun("ben", remind=REMIND, notice="1 working day")
    going = agendas.resume(made, agendas.pause(agenda, march(3, "13:00")), ["ben"], hours, march(8, "13:00"))
    # From Monday at two in Berlin there were three hours of that day left, then Tuesday, Wednesday, Friday and Monday,
    # and four hours of Tuesday; on Saturday nothing has passed of the new Monday.
    assert going.due_at == march(14, "15:00")
    assert told(going) == [march(13, "15:00")]
    assert going.reminders == (Reminder(at=march(10, "11:00"), people=("ben",)),)


def test_a12_after_a_pause_everybody_is_reminded_in_their_own_working_time() -> None:
    made = stage(decide_within="20 days", remind={"after": "1 day"})
    week = {day: ["00:00-24:00"] for day in WEEKDAYS}
    both = {"one": BERLIN, "two": office("UTC", id="open", week=week)}
    agenda = agendas.begin(made, ["one", "two"], both.__getitem__, MONDAY)
    assert [reminder.people for reminder in agenda.reminders] == [("one", "two")]
    going = agendas.resume(made, agendas.pause(agenda, MONDAY), ["one", "two"], both.__getitem__, march(7, "12:00"))
    assert going.reminders == (
        Reminder(at=march(10, "08:00"), people=("one",)),
        Reminder(at=march(8, "12:00"), people=("two",)),
    )


def test_a10_the_notice_comes_before_the_new_deadline_in_working_time() -> None:
    made, agenda = begun("ben", at=march(5, "10:00"), decide_within="2 days", notice="4 hours")
    going = agendas.resume(made, agendas.pause(agenda, march(5, "11:00")), ["ben"], hours, march(6, "21:00"))
    assert (going.due_at, told(going)) == (march(8, "20:00"), [march(7, "16:00")])  # a Saturday; he works on Friday
    seen, _ = ticked(made, agendas.pause(going, march(7, "17:00")), march(7, "17:00"), "ben")
    assert seen == agendas.pause(going, march(7, "17:00")), "nothing is due while it stands still"
    late, due = ticked(made, going, march(7, "16:00"), "ben")
    assert [one.kind for one in due] == ["warn"]
    again = agendas.resume(made, agendas.pause(late, march(7, "17:00")), ["ben"], hours, march(10, "12:00"))
    assert told(again) == [], "who was told once is not told again"


def test_a10_a_reminder_is_moved_by_its_own_kind_of_time() -> None:
    friday = march(7, "15:59")  # Berlin is an hour ahead, and goes home at five
    made, agenda = begun("ben", at=friday, decide_within="10 days", remind={"after": "1 working day"})
    monday = march(10, "15:59")
    assert [one.at for one in agenda.reminders] == [monday]
    going = agendas.resume(made, agendas.pause(agenda, march(7, "16:00")), ["ben"], hours, march(10, "08:00"))
    assert [one.at for one in going.reminders] == [monday], "no working time has passed over the weekend"


def test_a10_a_reminder_that_somebody_asked_for_comes_as_soon_as_they_work_again() -> None:
    made, agenda = begun("ben", at=march(5, "20:00"), decide_within="10 days")
    asked, now, _ = agendas.nudge(agenda, ("ben",), hours, march(5, "20:00"))
    assert (now, asked.next_at) == ((), march(7, "08:00"))
    for back, at in ((march(6), march(7, "08:00")), (march(7, "20:00"), march(10, "08:00"))):
        going = agendas.resume(made, agendas.pause(asked, march(5, "21:00")), ["ben"], hours, back)
        assert going.reminders == (Reminder(at=at, people=("ben",), nth=0),)


def test_a10_everybody_has_left_what_they_had_of_their_own_working_time() -> None:
    made = stage(decide_within="8 working hours")
    weekdays = {day: ["09:00-17:00"] for day in WEEKDAYS[:5]}
    away = {f"2025-03-{day:02}": "closed" for day in range(10, 22)}
    both = {
        "first": office("UTC", id="first", week=weekdays, days=away),
        "later": office("UTC", id="later", week={day: ["09:30-17:30"] for day in weekdays}),
    }
    thursday, monday = march(6, "09:00"), march(10, "09:00")
    agenda = agendas.begin(made, [*both], both.__getitem__, thursday)
    assert (agenda.due_at, agenda.whose) == (march(6, "17:30"), "later")
    going = agendas.resume(made, agendas.pause(agenda, march(6, "09:30")), [*both], both.__getitem__, monday)
    assert (going.due_at, going.whose) == (march(24, "16:30"), "first")  # back from two weeks off, with 7 h 30 min left
    alone = agendas.resume(made, agendas.pause(agenda, march(6, "09:30")), ["later"], both.__getitem__, monday)
    assert (alone.due_at, alone.whose) == (march(10, "17:30"), "later")
    nobody = agendas.resume(made, agendas.pause(agenda, march(6, "09:30")), [], both.__getitem__, monday)
    assert (nobody.due_at, nobody.whose) == (march(10, "17:30"), "later")


def test_a_question_of_an_earlier_release_ends_as_it_would_have_then() -> None:
    """The very moments that are on record by now: see `resume_as_before`."""
    made, agenda = begun(
        "ben", at=march(5, "10:00"), decide_within="2 days", notice="4 hours", remind={"after": "1 day"}
    )
    paused = agendas.pause(agenda, march(5, "11:00"))
    going = agendas.resume_as_before(made, paused, hours, march(6, "21:00"))
    assert (going.due_at, told(going)) == (march(8, "20:00"), [march(7, "08:00")])
    assert going.reminders == (Reminder(at=march(10, "08:00"), people=("ben",)),)
    made, agenda = begun("ben", remind=REMIND, notice="1 working day")
    going = agendas.resume_as_before(made, agendas.pause(agenda, march(3, "13:00")), hours, march(8, "13:00"))
    assert (going.due_at, told(going)) == (march(14, "15:00"), [march(13, "15:00")])
    assert going.reminders == (Reminder(at=march(10, "11:00"), people=("ben",)),)
    over = agenda.model_copy(update={"due_at": None, "notices": (), "reminders": ()})
    assert agendas.resume_as_before(made, over, hours, MONDAY) == over


def test_after_an_escalation_what_is_left_is_counted_as_that_level_counts_it() -> None:
    made = stage(escalate=[level(decide_within="2 days")])
    agenda = agendas.begin(made, ["ben"], hours, MONDAY, 1)
    going = agendas.resume(made, agendas.pause(agenda, MONDAY), ["ben"], hours, march(8))
    assert going.due_at == march(10)


def test_time_that_is_over_stays_over_after_a_pause() -> None:
    made, agenda = begun("eve", decide_within="1 day")
    over, _ = ticked(made, agenda, march(4, "12:00"), "eve")
    assert agendas.resume(made, agendas.pause(over, march(5)), ["eve"], hours, march(6)) == over


def test_what_does_not_stand_still_goes_on_as_it_was() -> None:
    made, agenda = begun("ben", remind=REMIND)
    assert agendas.resume(made, agenda, ["ben"], hours, MONDAY) == agenda


# ---------------------------------------------------------------- somebody asks for a reminder


def test_a12_who_does_not_work_now_is_reminded_once_as_soon_as_they_do() -> None:
    made, agenda = begun("ben", "sue", "eve", remind={"after": "2 days", "every": "1 day"})
    asked, now, later = agendas.nudge(agenda, ("ben", "sue", "eve"), hours, MONDAY)
    assert now == ("ben", "eve")
    assert later == (Reminder(at=march(3, "22:00"), people=("sue",), nth=0),)
    assert asked.next_at == march(3, "22:00")
    over, due = ticked(made, asked, march(3, "22:00"), "ben", "sue")
    assert due == (Due(kind="remind", people=("sue",), nth=0),)
    assert over == agenda, "and all else comes as it would have"


def test_a12_who_decides_before_they_work_again_is_not_reminded() -> None:
    made, agenda = begun("sue")
    asked, _, _ = agendas.nudge(agenda, ("sue",), hours, MONDAY)
    assert ticked(made, asked, march(3, "22:00")) == (agenda, ())


def test_a12_who_is_reminded_at_that_moment_anyway_is_not_reminded_twice() -> None:
    _, agenda = begun("sue", "eve", remind={"after": "1 hour"})
    asked, now, later = agendas.nudge(agenda, ("sue",), hours, MONDAY)
    assert (asked, now, [one.people for one in later]) == (agenda, (), [("sue",)])


def test_a12_nobody_is_to_be_reminded_once_the_time_is_over() -> None:
    _, agenda = begun("sue", decide_within="5 hours")
    assert agendas.nudge(agenda, ("sue",), hours, MONDAY) == (agenda, (), ())


def test_a12_while_the_next_level_is_looked_up_only_who_works_is_reminded() -> None:
    made, agenda = begun("ben", "sue", decide_within="1 day", escalate=[level()])
    over, _ = ticked(made, agenda, march(4, "12:00"), "ben", "sue")
    assert agendas.nudge(over, ("ben", "sue"), hours, march(4, "12:00")) == (over, ("ben",), ())


# ---------------------------------------------------------------- what always holds

moments = st.integers(0, 60 * 24 * 365).map(
    lambda minutes: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
someone = st.sampled_from(("ben", "sue", "eve"))
crowds = st.lists(someone, min_size=1, max_size=3, unique=True)
spans = st.sampled_from(("3 working hours", "1 working day", "2 working days", "5 hours", "1 day", "30 hours"))


@given(crowds, moments, spans, spans, spans)
def test_a12_nobody_is_ever_reminded_outside_their_working_time(
    people: list[str], at: datetime, after: str, every: str, within: str
) -> None:
    made = stage(decide_within=within, remind={"after": after, "every": every, "at_most": 4})
    agenda = agendas.begin(made, people, hours, at)
    told: dict[str, int] = {}
    while agenda.next_at:
        now = agenda.next_at
        assert now > at
        agenda, due = ticked(made, agenda, now, *people)
        for one in due:
            for person in one.people:
                assert calendar.is_open(hours(person), now)
                told[person] = told.get(person, 0) + 1
                assert one.nth == told[person]
    assert all(times <= 4 for times in told.values())


@given(crowds, moments, st.sampled_from(("3 working days", "50 working hours", "9 days")), st.integers(0, 4000))
def test_a10_a_pause_changes_nothing_of_the_time_that_is_left(
    people: list[str], at: datetime, within: str, minutes: int
) -> None:
    made = stage(decide_within=within)
    agenda = agendas.begin(made, people, hours, at)
    assert agenda.due_at
    stops = min(at + timedelta(minutes=minutes), agenda.due_at)
    goes = stops + timedelta(days=3, minutes=minutes)
    going = agendas.resume(made, agendas.pause(agenda, stops), people, hours, goes)
    assert going.due_at
    worked = [hours(one) for one in people] if isinstance(made.decide_within, Working) else [ALWAYS]
    left = [calendar.between(own, stops, agenda.due_at) for own in worked]
    now_left = [calendar.between(own, goes, going.due_at) for own in worked]
    assert all(now >= before for now, before in zip(now_left, left, strict=True)), "somebody has less than they had"
    assert any(now == before for now, before in zip(now_left, left, strict=True)), "and nobody needs that much"
