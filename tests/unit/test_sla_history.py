"""The history of a request as its clocks lived it: who worked when, as it was known at the time (S2, S3, S5)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support.builders import NOON, a_person, an_order
from support.clocked import APPROVER, DECISION, a_calendar, a_clocked_item

from catalog import sla
from catalog.calendar import ALWAYS
from catalog.calendar_file import by_id
from catalog.expression import ExpressionError
from catalog.fields import TextField
from catalog.journal import Chain, Entry, Kind
from catalog.sla_events import hours
from catalog.sla_history import Edition, approver_names, calendars_named, corrected, history, measure, stage_names
from catalog.sla_spec import ClockSpec
from catalog.terms import Terms

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
OFFICE, EARLY, LATE = (
    a_calendar(*args).calendar for args in (("office",), ("day", "06:00-14:00"), ("day", "12:00-20:00"))
)
MARA = a_person("Mara Lind").ref().model_dump(mode="json")


def journal(*told: tuple[Kind, dict[str, Any]]) -> list[Entry]:
    """Return entries an hour apart."""
    chain = Chain("REQ-1")
    return [chain.append(kind, NOON + n * HOUR, data=data) for n, (kind, data) in enumerate(told)]


def opened(**data: Any) -> tuple[Kind, dict[str, Any]]:
    return Kind.STAGE_OPENED, {"stage": "manager", "name": "Line manager", "approvers": [MARA]} | data


def test_an_entry_says_in_which_calendars_time_is_counted() -> None:
    (entry,) = journal(opened(hours={"id-mara": "day", "id-ben": "office"}))
    assert hours(entry) == {"id-mara": "day", "id-ben": "office"}
    assert calendars_named([entry]) == {"day", "office"}


@pytest.mark.parametrize("said", [None, "day", ["day"], {"id-mara": None}, {"id-mara": {"id": "day"}}, {"id-mara": 1}])
def test_what_an_entry_says_oddly_is_not_heard(said: Any) -> None:
    entries = journal(opened(hours=said), (Kind.COMMENT, {}))
    assert [hours(entry) for entry in entries] == [{}, {}]


def test_a_journal_is_read_in_its_order() -> None:
    told = history(journal((Kind.OPENED, {}), (Kind.COMMENT, {}), (Kind.CLOSED, {})), {}, {})
    assert [(event.what, event.seq) for event, _ in told] == [("ordered", 1), ("closed", 3)]


def test_s2_each_event_comes_with_the_working_time_that_was_known_then() -> None:
    editions = {"day": [Edition(NOON, EARLY), Edition(NOON + 2 * HOUR, LATE)], "office": [Edition(NOON, OFFICE)]}
    entries = journal(
        (Kind.OPENED, {}),
        opened(hours={"id-mara": "day"}),
        (
            Kind.APPROVERS_CHANGED,
            {"stage": "manager", "asked": [MARA], "hours": {"id-mara": "day", "id-ben": "office"}},
        ),
        (Kind.AMENDED, {}),
    )
    told = history(entries, {"": OFFICE}, editions)
    known = {event.what: calendars for event, calendars in told if event.what != "asked"}
    assert known["ordered"] == {"": OFFICE}
    assert known["stage-opened"] == {"": OFFICE, "id-mara": EARLY}
    assert known["amended"] == {"": OFFICE, "id-mara": LATE, "id-ben": OFFICE}


def test_a_calendar_that_was_published_later_is_the_oldest_there_is_and_without_any_all_time_counts() -> None:
    entries = journal(opened(hours={"id-mara": "day", "id-ben": "gone"}))
    ((_, known), *_) = history(entries, {}, {"day": [Edition(NOON + DAY, EARLY), Edition(NOON + 2 * DAY, LATE)]})
    assert known == {"id-mara": EARLY, "id-ben": ALWAYS}


def test_what_a_definition_names_comes_before_what_people_have() -> None:
    ((_, known), *_) = history(journal(opened(hours={"x": "day"})), {"x": OFFICE}, {"day": [Edition(NOON, EARLY)]})
    assert known == {"x": OFFICE}


def test_s3_who_changes_calendars_meanwhile_is_measured_as_they_lived_it() -> None:
    spec = ClockSpec.model_validate(APPROVER | {"target": "6 working hours"})
    entries = journal(
        opened(hours={"id-mara": "office"}),
        (Kind.APPROVERS_CHANGED, {"stage": "manager", "hours": {"id-mara": "day"}}),
        (Kind.VOTE, {"stage": "manager", "voter": MARA, "choice": "approve"}),
    )
    editions = {"office": [Edition(NOON, OFFICE)], "day": [Edition(NOON, EARLY)]}
    told = history(entries, {}, editions)
    lived: tuple[sla.Clock, ...] = ()
    for one in told:
        lived = sla.follow(spec, lived, (one,))
    now = NOON + 3 * DAY
    assert sla.read(spec, told, now) == sla.as_of(spec, lived, told[-1].calendars, now)
    (clock,) = lived
    assert (clock.started_at, clock.elapsed) == (NOON, 2 * HOUR - timedelta(microseconds=123456))


def test_stages_and_approvers_are_named_as_the_journal_has_them() -> None:
    entries = journal(opened(), (Kind.STAGE_OPENED, {"stage": [], "name": "odd"}), (Kind.STAGE_OPENED, {"stage": "x"}))
    assert stage_names(entries) == {"manager": "Line manager"}
    assert approver_names(history(entries, {}, {})) == {"id-mara": "Mara Lind"}


def test_s7_the_terms_have_their_clocks_and_the_company_the_working_time_in_which_it_was_held() -> None:
    spec = ClockSpec.model_validate(DECISION | {"target": "6 hours"})
    entries = journal((Kind.OPENED, {}), opened(hours={"id-mara": "day"}))
    now = NOON + 5 * HOUR
    found = measure(entries, Terms(clocks=(spec,)), {"": OFFICE}, {"day": [Edition(NOON, EARLY)]}, now)
    ((which, clock),) = found.clocks
    assert (which, clock.elapsed) == (spec, 4 * HOUR)
    assert (found.stages, found.people) == ({"manager": "Line manager"}, {"id-mara": "Mara Lind"})
    until_five, until_two = (timedelta(hours=hours) - timedelta(microseconds=123456) for hours in (4, 1))
    assert [(one.stage, one.person, one.held) for one in found.shares] == [
        ("manager", "", until_five),
        ("manager", "id-mara", until_two),
    ]


def test_calendars_are_found_by_id_and_the_default_without_one() -> None:
    plain, default = a_calendar("day"), a_calendar("office", default=True)
    assert by_id([plain, default]) == {"day": plain.calendar, "office": OFFICE, "": OFFICE}
    assert by_id([plain]) == {"day": plain.calendar}


def test_s5_an_order_has_the_clocks_and_the_priority_that_another_version_gives_it() -> None:
    order = an_order(item=a_clocked_item(), answers={"why": "urgent"})
    form = (*order.item.form, TextField(id="more", type="text", label="More", required=False))
    other = DECISION | {"when": "form.more is none and item.version == '2.0.0'", "calendar": "office"}
    found = corrected(order, a_clocked_item(other, version="2.0.0", form=form), {"office": OFFICE, "": EARLY})
    assert (found.priority, [clock.id for clock in found.clocks]) == (1, ["decision"])
    assert found.calendars == {"office": OFFICE}


def test_s5_another_version_that_does_not_fit_the_order_says_why() -> None:
    order = an_order(item=a_clocked_item())
    with pytest.raises(ExpressionError):
        corrected(order, a_clocked_item(DECISION | {"when": "form.why / 2 == 1"}), {})
