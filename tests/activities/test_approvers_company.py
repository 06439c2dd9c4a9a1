"""The look-up of approvers: circles of managers, absences, working hours (rows A5, A8, A12, S2)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from support.builders import NOON, a_person, a_stage, an_item, an_order

from activities.approvers import Approvers, ApproversQuery, Company, bounded
from activities.connectors.memory import MemoryCalendars, MemoryDelegations, MemoryDirectory
from activities.errors import Rejected
from catalog.calendar import ALWAYS
from catalog.calendar_file import PublishedCalendar
from catalog.delegation import TOLD, Delegation
from catalog.people import Person
from catalog.plan import Wanted
from catalog.request import Order
from catalog.slate import Around, Found, Rung, slate
from catalog.stages import ByItemOwner, ByManager, ByPerson, Escalation, Stage

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


def test_what_people_wrote_about_their_delegations_does_not_come_along(office: Office) -> None:
    office.delegates("Mara Lind", "Ben Bright", reason="\N{GRINNING FACE}" * 4_000)
    assert len(office.around().model_dump_json()) < 2_000


def test_a_delegation_about_something_else_does_not_come_along_nor_whom_it_names(office: Office) -> None:
    office.delegates("Mara Lind", "Ben Bright", scope={"items": ["some-other-item"]})
    assert (office.around().delegations, office.around().people) == ((), {})
    office.delegates("Mara Lind", "Cleo Bystander", scope={"categories": [office.order.item.category]})
    assert list(office.around().people) == ["id-cleo"]


def test_the_longest_delegations_of_hundreds_of_approvers_fit_into_an_answer(office: Office) -> None:
    people = [a_person(f"Approver{number} Longname{number}") for number in range(500)]
    for number, person in enumerate(people):
        office.directory.put_person(person)
        for step in range(1, 5):
            to = people[(number + step) % 500].name
            words = {
                "reason": "because " * 375,
                "scope": {"categories": [f"c{n}" * 20 for n in range(99)] + ["access"]},
            }
            span = {"begins": NOON + timedelta(days=step), "ends": NOON + timedelta(days=step + 1)}
            office.delegates(person.name, to, **words, **span)
    rules = tuple(ByPerson(rule="person", person=person.login) for person in people)
    query = ApproversQuery.for_stage(office.order, a_stage(), Wanted(groups=(rules,)), NOON)
    found = Approvers(office.directory, Company(delegations=office.delegations)).find(query)
    assert len(found.around.delegations) == 500 * TOLD
    assert bounded(found) is found


def test_what_the_engine_would_not_take_is_refused_so_that_an_operator_is_asked() -> None:
    people = tuple(a_person("x" * 400, id=f"id-{number}") for number in range(2_000))
    with pytest.raises(Rejected, match=r"comes to \d+ bytes, more than 1900000; have the rules name smaller groups"):
        bounded(Found(rungs=(Rung(rule="approver.group", people=people),)))


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


def test_w1_whom_a_stage_names_by_login_is_looked_up_to_be_called_by_name(office: Office) -> None:
    people = [ByPerson(rule="person", person=login) for login in ("cleo", "gone", "{{ form.why }}")]
    after = Escalation(to=(people[0], people[2]), decide_within=timedelta(days=1))
    around = office.around(a_stage(fallback=(people[1], ByItemOwner(rule="item_owner")), escalate=(after,)))
    assert around.called == {"cleo": "Cleo Bystander", "ada": "Ada Byron"}  # who owns the item
    assert office.slate.called == around.called


def test_w1_who_cannot_be_told_by_login_is_no_reason_not_to_ask_the_others(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = office.directory.person_by_login
    asked: list[str] = []

    def several(login: str) -> Person:
        asked.append(login)
        if login == "cleo":
            raise Rejected("two people have the login cleo")
        return found(login)

    monkeypatch.setattr(office.directory, "person_by_login", several)
    later = Escalation(to=(ByPerson(rule="person", person="cleo"),), decide_within=timedelta(days=1))
    around = office.around(a_stage(approvers=(ByPerson(rule="person", person="mara"),), escalate=(later,)))
    assert around.called == {"mara": "Mara Lind"}
    assert asked == ["mara", "cleo"], "who was found by login is not looked up for the name"


def test_nothing_is_known_where_nobody_says(office: Office) -> None:
    query = ApproversQuery.for_stage(an_order(item=an_item()), a_stage(), Wanted(groups=(a_stage().approvers,)), NOON)
    assert Approvers(office.directory).find(query).around == Around()


def managers(*pairs: tuple[str, str]) -> Office:
    """Return an office in which these people have these managers; Olga answers for the item."""
    office = Office()
    office.directory.put_person(a_person("Olga Owner"))
    for name, manager in pairs:
        office.directory.put_person(a_person(name, manager_id=a_person(manager).id))
    return office


@pytest.mark.parametrize(
    ("pairs", "levels", "at"),
    [
        ([("Ada Byron", "Ada Byron")], 1, "id-ada"),
        ([("Mara Lind", "Ada Byron")], 2, "id-ada"),
        ([("Mara Lind", "Mara Lind")], 2, "id-mara"),
        ([("Mara Lind", "Ben Bright"), ("Ben Bright", "Mara Lind")], 5, "id-mara"),
    ],
    ids=["own manager", "each other's", "the manager's own", "above her"],
)
def test_a5_a_circle_of_managers_names_nobody_and_is_told(pairs: list[tuple[str, str]], levels: int, at: str) -> None:
    office = managers(*pairs)
    office.order = an_order(item=an_item(owner="olga"))
    office.around(a_stage(approvers=(ByManager(rule="manager", levels=levels),)))
    assert [(one.person.id, one.rule) for one in office.slate.skipped] == [(at, "approver.manager-circle")]
    assert ([one.person.id for one in office.slate.seats], office.slate.rule) == (["id-olga"], "approver.item-owner")


def test_a5_a_circle_that_the_managers_manager_leads_into_is_told_too() -> None:
    office = managers(("Mara Lind", "Ada Byron"))
    office.order = an_order(item=an_item(owner="olga"))
    office.directory.put_person(a_person("Mara Lind", manager_id="id-ada", active=False))
    office.around()
    told = [(one.person.id, one.rule) for one in office.slate.skipped]
    assert told == [("id-mara", "approval.skip-inactive"), ("id-ada", "approver.manager-circle")]
    assert [one.person.id for one in office.slate.seats] == ["id-olga"]


@pytest.mark.parametrize(("pairs", "levels"), [([], 2), ([("Mara Lind", "Ben Bright")], 3)])
def test_a5_a_line_of_managers_that_ends_is_no_circle(pairs: list[tuple[str, str]], levels: int) -> None:
    office = managers(*pairs)
    office.order = an_order(item=an_item(owner="olga"))
    office.around(a_stage(approvers=(ByManager(rule="manager", levels=levels),)))
    assert office.slate.skipped == ()
