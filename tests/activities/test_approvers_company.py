"""The look-up of approvers with what else is known of people: absences, and working hours (rows A8, A12, S2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support.builders import NOON, a_person, a_stage, an_item, an_order

from activities.approvers import Approvers, ApproversQuery, Company
from activities.connectors.memory import MemoryCalendars, MemoryDelegations, MemoryDirectory
from catalog.calendar import ALWAYS
from catalog.calendar_file import PublishedCalendar
from catalog.delegation import Delegation
from catalog.people import Person
from catalog.plan import Wanted
from catalog.request import Order
from catalog.slate import Around, slate
from catalog.stages import Stage

WEEK = {"monday": ["09:00-17:00"]}


def a_calendar(name: str, **file: Any) -> PublishedCalendar:
    return PublishedCalendar.model_validate(
        {
            "file": {"id": name, "name": name.title(), "hours": WEEK} | file,
            "calendar": {"id": name, "name": name.title(), "week": WEEK},
        }
    )


class Office:
    """Ada orders, Mara is her manager, and Ben may decide in Mara's place."""

    def __init__(self) -> None:
        self.directory = MemoryDirectory(
            [
                a_person("Ada Byron", manager_id="id-mara", location="Rome"),
                a_person("Mara Lind", location="Berlin"),
                a_person("Ben Bright", location="Oslo"),
                a_person("Cleo Bystander"),
            ]
        )
        self.delegations = MemoryDelegations()
        self.calendars = MemoryCalendars()
        self.order: Order = an_order()

    def delegates(self, who: str, to: str, **other: Any) -> None:
        person, delegate = a_person(who).ref(), a_person(to).ref()
        plain = {"id": f"d-{who}-{to}", "person": person, "delegate": delegate, "set_by": person, "created_at": NOON}
        span = {"begins": NOON, "ends": NOON + timedelta(days=9)}
        self.delegations.known.append(Delegation.model_validate(plain | span | other))

    def around(self, stage: Stage | None = None) -> Around:
        stage = stage or a_stage()
        company = Company(delegations=self.delegations, calendars=self.calendars)
        query = ApproversQuery.for_stage(self.order, stage, Wanted(groups=(stage.approvers,)), NOON)
        found = Approvers(self.directory, company).find(query)
        self.slate = slate(stage, found, self.order.parties, NOON)
        return found.around


@pytest.fixture
def office() -> Office:
    return Office()


def test_delegates_are_looked_up_with_the_people_they_stand_in_for(office: Office) -> None:
    office.delegates("Mara Lind", "Ben Bright")
    around = office.around()
    assert around.people == {"id-ben": office.directory.person("id-ben")}
    assert [seat.acting.id for seat in office.slate.seats] == ["id-ben"]


def test_a_delegate_who_is_gone_is_left_out_and_nobody_stands_in(office: Office) -> None:
    office.delegates("Mara Lind", "Gone Away")
    around = office.around()
    assert len(around.delegations) == 1
    assert around.people == {}
    assert [seat.acting.id for seat in office.slate.seats] == ["id-mara"]
    assert [one.rule for one in office.slate.skipped] == ["delegation.skip-inactive"]


def test_a_delegate_whose_account_is_closed_does_not_stand_in(office: Office) -> None:
    office.delegates("Mara Lind", "Ben Bright")
    office.directory.put_person(a_person("Ben Bright", active=False))
    office.around()
    assert [seat.acting.id for seat in office.slate.seats] == ["id-mara"]


def test_everybody_who_may_be_asked_something_has_their_calendar(office: Office) -> None:
    office.delegates("Mara Lind", "Ben Bright")
    office.calendars.known = [
        a_calendar("germany", people="person.location == 'Berlin'"),
        a_calendar("norway", people="person.location == 'Oslo'"),
        a_calendar("office", default=True),
        a_calendar("unused", people="person.location == 'Nowhere'"),
    ]
    around = office.around()
    assert around.hours == {"id-ada": "office", "id-mara": "germany", "id-ben": "norway"}
    assert sorted(around.calendars) == ["germany", "norway", "office"]
    assert office.slate.calendar("id-ben").id == "norway"


def test_the_calendars_that_a_stage_names_come_along(office: Office) -> None:
    office.calendars.known = [a_calendar("desk"), a_calendar("night"), a_calendar("office", default=True)]
    stage = a_stage(calendar="desk", acts_in="night")
    assert sorted(office.around(stage).calendars) == ["desk", "night", "office"]


def test_a_stage_that_names_a_calendar_that_is_gone_is_found_without_it(office: Office) -> None:
    office.calendars.known = [a_calendar("office", default=True)]
    assert sorted(office.around(a_stage(calendar="gone")).calendars) == ["office"]


def test_without_a_default_who_is_in_no_calendar_can_be_reached_at_any_time(office: Office) -> None:
    office.calendars.known = [a_calendar("germany", people="person.location == 'Berlin'")]
    around = office.around()
    assert around.hours == {"id-ada": ALWAYS.id, "id-mara": "germany"}
    assert sorted(around.calendars) == ["germany"]
    assert office.slate.calendar("id-ada") == ALWAYS


def test_a_chosen_calendar_is_used_instead_of_the_rules(office: Office) -> None:
    office.calendars.known = [
        a_calendar("germany", people="person.location == 'Berlin'"),
        a_calendar("japan"),
        a_calendar("office", default=True),
    ]
    office.calendars.choices = {"id-mara": "japan", "id-cleo": "germany"}
    assert office.around().hours == {"id-ada": "office", "id-mara": "japan"}
    assert office.slate.calendar("id-mara").id == "japan"


def test_a_chosen_calendar_that_is_gone_leaves_it_to_the_rules(office: Office) -> None:
    office.calendars.known = [a_calendar("germany", people="person.location == 'Berlin'")]
    office.calendars.choices = {"id-mara": "gone"}
    assert office.around().hours["id-mara"] == "germany"


def test_somebody_of_whom_the_directory_does_not_say_where_they_work_is_in_the_default(office: Office) -> None:
    office.directory.put_person(Person(**a_person("Mara Lind").model_dump() | {"location": None}))
    office.calendars.known = [
        a_calendar("office", default=True),
        a_calendar("rome", people="person.location == 'Rome'"),
    ]
    assert office.around().hours == {"id-ada": "rome", "id-mara": "office"}


def test_nothing_is_known_where_nobody_says(office: Office) -> None:
    query = ApproversQuery.for_stage(an_order(item=an_item()), a_stage(), Wanted(groups=(a_stage().approvers,)), NOON)
    assert Approvers(office.directory).find(query).around == Around()
