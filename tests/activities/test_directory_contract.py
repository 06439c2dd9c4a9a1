"""What every Directory must do, shown on the one in memory and on a real slapd over LDAPS and StartTLS."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from support.company import (
    ADA,
    ALICE,
    BOB,
    BUDGET_OWNER,
    CAROL,
    DATABASE,
    EMPTY,
    FINANCE,
    INGA,
    JUERGEN,
    LARS,
    NOBODYS,
    ODD,
    ODD_DEVICE,
    ODD_GROUP,
    ODD_POSITION,
    ODDNAME,
    OFFICER,
    STAFF,
    VACANT,
    VPN,
    WEB,
    ZOE,
    Connect,
    Employee,
    in_memory,
)
from support.ports import free_port

from activities.connectors.ldap import Security
from activities.errors import Conflict, NotFound, Rejected, Transient
from activities.ports import Directory
from catalog.access import Membership
from catalog.people import Person, PersonRef

NOBODY = "00000000-0000-0000-0000-000000000000"
NASTY = [
    "",
    " ",
    "*",
    "a*",
    "(",
    ")",
    "\\",
    "\0",
    "alice\0",
    "alice)(uid=*",
    "*)(objectClass=*",
    "\\2a",
    "x" * 5000,
    "\ud800",
]


@pytest.fixture(params=["memory", "ldaps", "starttls"])
def directory(request: pytest.FixtureRequest) -> Directory:
    if request.param == "memory":
        return in_memory()
    connect: Connect = request.getfixturevalue("connect")
    return connect(request.getfixturevalue("slapd"), Security(request.param))


@pytest.fixture(params=["memory", "ldaps"])
def away(request: pytest.FixtureRequest) -> Directory:
    """A directory that cannot be reached."""
    if request.param == "memory":
        gone = in_memory()
        gone.fail_next(Transient("down"))
        return gone
    connect: Connect = request.getfixturevalue("connect")
    return connect(request.getfixturevalue("slapd"), urls=(f"ldaps://127.0.0.1:{free_port()}",))


def membership(directory: Directory, employee: Employee, group: str) -> Membership:
    return Membership(person_id=directory.person_by_login(employee.login).id, group=group)


def logins(people: Sequence[PersonRef]) -> list[str]:
    return [person.login for person in people]


# --- people ---


def test_a_person_is_found_by_login_with_everything_about_them(directory: Directory) -> None:
    person = directory.person_by_login("bob")
    assert person == Person(
        id=person.id,
        login="bob",
        name="Bob Brown",
        mail=BOB.address,
        active=True,
        manager_id=directory.person_by_login("alice").id,
        department="Sales",
        title="Account manager",
        location="Bergen",
        employee_type="external",
    )


@pytest.mark.parametrize(
    "employee", [ADA, JUERGEN, ODDNAME, ZOE], ids=["plain", "unicode", "metacharacters", "no mail"]
)
def test_a_person_is_the_same_by_login_and_by_id(directory: Directory, employee: Employee) -> None:
    person = directory.person_by_login(employee.login)
    assert (person.login, person.name, person.mail) == (employee.login, employee.name, employee.address)
    assert directory.person(person.id) == person


def test_every_person_has_an_id_of_their_own(directory: Directory) -> None:
    people = [directory.person_by_login(employee.login) for employee in STAFF if employee.login != "twin"]
    assert len({person.id for person in people}) == len(people)


def test_a_login_is_found_however_it_is_capitalised(directory: Directory) -> None:
    assert directory.person_by_login("ALICE") == directory.person_by_login("alice")


@pytest.mark.parametrize("login", [*NASTY, "nobody", ODD])
def test_a_login_that_nobody_has_is_not_found(directory: Directory, login: str) -> None:
    with pytest.raises(NotFound):
        directory.person_by_login(login)


@pytest.mark.parametrize("person_id", [*NASTY, NOBODY, "alice"])
def test_an_id_that_nobody_has_is_not_found(directory: Directory, person_id: str) -> None:
    with pytest.raises(NotFound):
        directory.person(person_id)


def test_a_login_of_two_people_is_rejected(directory: Directory) -> None:
    with pytest.raises(Rejected, match="more than one"):
        directory.person_by_login("twin")


@pytest.mark.parametrize("employee", [INGA, LARS], ids=["marked inactive", "locked"])
def test_somebody_who_left_or_is_locked_is_inactive(directory: Directory, employee: Employee) -> None:
    assert not directory.person_by_login(employee.login).active


# --- authenticate ---


@pytest.mark.parametrize("employee", [ALICE, JUERGEN, ODDNAME], ids=["plain", "unicode", "metacharacters"])
def test_the_right_password_gives_the_person(directory: Directory, employee: Employee) -> None:
    person = directory.authenticate(employee.login, employee.password)
    assert person == directory.person_by_login(employee.login)


@pytest.mark.parametrize(
    "password", ["wrong", " ", "*", "pass-bob", "pass-alice\0", "\u00ad", "\ud800", "\u0007", "x" * 5000]
)
def test_a_wrong_password_gives_nobody(directory: Directory, password: str) -> None:
    assert directory.authenticate("alice", password) is None


def test_the_empty_password_is_never_right(directory: Directory) -> None:
    assert directory.authenticate("alice", "") is None


@pytest.mark.parametrize("login", [*NASTY, "nobody"])
def test_an_unknown_login_gives_nobody(directory: Directory, login: str) -> None:
    assert directory.authenticate(login, "pass-alice") is None


@pytest.mark.parametrize("employee", [INGA, LARS], ids=["marked inactive", "locked"])
def test_an_inactive_account_gives_nobody_though_the_password_is_right(
    directory: Directory, employee: Employee
) -> None:
    assert directory.authenticate(employee.login, employee.password) is None


# --- groups ---


def test_members_are_people_including_the_inactive_and_no_machines(directory: Directory) -> None:
    assert logins(directory.members("finance")) == ["bob", "carol", "inga"]


def test_members_carry_what_a_person_carries(directory: Directory) -> None:
    assert directory.members(ODD_GROUP) == (directory.person_by_login(ODDNAME.login),)
    assert directory.members("vpn")[0].manager_id == directory.person_by_login("ada").id


def test_a_group_without_people_has_no_members(directory: Directory) -> None:
    assert directory.members("empty") == ()


def test_owners_answer_for_a_group(directory: Directory) -> None:
    assert logins(directory.owners("finance")) == ["ada", "alice"]
    assert logins(directory.owners(ODD_GROUP)) == [JUERGEN.login]


def test_a_group_may_have_no_owners(directory: Directory) -> None:
    assert directory.owners("empty") == ()


@pytest.mark.parametrize("group", [*NASTY, "nothing", ODD])
def test_a_group_that_does_not_exist_is_not_found(directory: Directory, group: str) -> None:
    alice = directory.person_by_login("alice").id
    for ask in (
        lambda: directory.members(group),
        lambda: directory.owners(group),
        lambda: directory.is_member(Membership(person_id=alice, group=group)),
        lambda: directory.ensure_member(Membership(person_id=alice, group=group)),
    ):
        with pytest.raises(NotFound):
            ask()


@pytest.mark.parametrize("person_id", [*NASTY, NOBODY])
def test_a_membership_of_nobody_is_not_found(directory: Directory, person_id: str) -> None:
    nobody = Membership(person_id=person_id, group="vpn")
    for ask in (
        lambda: directory.groups_of(person_id),
        lambda: directory.is_member(nobody),
        lambda: directory.ensure_member(nobody),
    ):
        with pytest.raises(NotFound):
            ask()


def test_groups_of_a_person_are_named_in_order(directory: Directory) -> None:
    directory.ensure_member(membership(directory, ODDNAME, "vpn"))
    directory.ensure_member(membership(directory, ODDNAME, "finance"))
    assert directory.groups_of(directory.person_by_login(ODDNAME.login).id) == (ODD_GROUP, "finance", "vpn")


def test_a_person_may_be_in_no_group(directory: Directory) -> None:
    assert directory.groups_of(directory.person_by_login("zoe").id) == ()


def test_is_member_tells_who_is_in_and_who_is_not(directory: Directory) -> None:
    assert directory.is_member(membership(directory, ALICE, "vpn"))
    assert not directory.is_member(membership(directory, BOB, "vpn"))
    assert directory.is_member(membership(directory, ODDNAME, ODD_GROUP))


# --- roles ---


def test_those_who_hold_a_role_are_people_including_the_inactive_and_no_machines(directory: Directory) -> None:
    assert logins(directory.occupants(OFFICER.name)) == ["carol"]
    assert logins(directory.occupants(BUDGET_OWNER.name)) == ["alice", "inga", ODDNAME.login]


def test_those_who_hold_a_role_carry_what_a_person_carries(directory: Directory) -> None:
    assert directory.occupants(OFFICER.name) == (directory.person_by_login("carol"),)
    assert logins(directory.occupants(ODD_POSITION.name)) == [JUERGEN.login]


def test_a_role_may_be_vacant(directory: Directory) -> None:
    assert directory.occupants(VACANT.name) == ()


def test_the_name_of_a_role_is_compared_as_directories_do(directory: Directory) -> None:
    assert logins(directory.occupants("Security-Officer")) == ["carol"]


@pytest.mark.parametrize("role", [*NASTY, "nothing", ODD, "vpn", "security"])
def test_a_role_that_does_not_exist_is_not_found(directory: Directory, role: str) -> None:
    with pytest.raises(NotFound, match="role"):
        directory.occupants(role)


def test_a_role_is_no_group(directory: Directory) -> None:
    with pytest.raises(NotFound):
        directory.members(OFFICER.name)
    carol = directory.person_by_login("carol").id
    assert directory.groups_of(carol) == ("finance",)


# --- configuration items ---


def test_owners_of_a_configuration_item_are_people_including_the_inactive_and_no_machines(directory: Directory) -> None:
    assert logins(directory.ci_owners(WEB.name)) == ["bob"]
    assert logins(directory.ci_owners(DATABASE.name)) == ["carol", "inga", ODDNAME.login]


def test_owners_of_a_configuration_item_carry_what_a_person_carries(directory: Directory) -> None:
    assert directory.ci_owners(WEB.name) == (directory.person_by_login("bob"),)
    assert logins(directory.ci_owners(ODD_DEVICE.name)) == [JUERGEN.login]


def test_a_configuration_item_may_have_no_owner(directory: Directory) -> None:
    assert directory.ci_owners(NOBODYS.name) == ()


def test_the_name_of_a_configuration_item_is_compared_as_directories_do(directory: Directory) -> None:
    assert logins(directory.ci_owners("WEB-01")) == ["bob"]


@pytest.mark.parametrize("ci", [*NASTY, "nothing", ODD, "vpn", "web"])
def test_a_configuration_item_that_does_not_exist_is_not_found(directory: Directory, ci: str) -> None:
    with pytest.raises(NotFound, match="configuration item"):
        directory.ci_owners(ci)


# --- lists to choose from ---


def test_groups_are_listed_by_name_and_found_by_a_part_of_it(directory: Directory) -> None:
    assert [group.name for group in directory.groups("", 10)] == ["empty", "finance", ODD_GROUP, "vpn"]
    assert [group.name for group in directory.groups("N", 10)] == ["finance", "vpn"]
    assert [group.name for group in directory.groups("", 2)] == ["empty", "finance"]
    assert directory.groups("nothing", 10) == ()


@pytest.mark.parametrize("text", [text for text in NASTY if text.strip()] + [ODD])
def test_any_text_may_be_searched_for(directory: Directory, text: str) -> None:
    wanted = text.casefold()
    assert all(wanted in group.name.casefold() for group in directory.groups(text, 10))
    assert all(
        wanted in person.login or wanted in person.name.casefold() or wanted in (person.mail or "")
        for person in directory.people(text, 100)
    )


def test_a_group_is_found_by_its_very_name(directory: Directory) -> None:
    assert directory.group(ODD_GROUP).name == ODD_GROUP
    for name in ("vp", "", "*"):
        with pytest.raises(NotFound):
            directory.group(name)


def test_people_are_listed_by_name_without_those_whose_account_is_closed(directory: Directory) -> None:
    assert [person.name for person in directory.people("a", 3)] == ["Ada Boss", "Alice Adams", "Bob Brown"]
    assert logins(directory.people("ZOE", 10)) == ["zoe"]
    assert logins(directory.people(BOB.address or "", 10)) == ["bob"]
    assert not {"inga", "lars"} & set(logins(directory.people("", 100)))


# --- changes ---


@pytest.mark.parametrize("employee", [BOB, JUERGEN, ODDNAME], ids=["plain", "unicode", "metacharacters"])
@pytest.mark.parametrize("group", ["vpn", "empty", ODD_GROUP])
def test_a_person_can_be_put_in_and_taken_out_of_a_group(directory: Directory, employee: Employee, group: str) -> None:
    if employee is ODDNAME and group == ODD_GROUP:
        directory.ensure_absent(membership(directory, employee, group))
    before = directory.members(group)
    change = membership(directory, employee, group)

    assert directory.ensure_member(change).present
    assert set(directory.members(group)) == {*before, directory.person(change.person_id)}
    assert directory.is_member(change)

    assert not directory.ensure_absent(change).present
    assert directory.members(group) == before
    assert not directory.is_member(change)


def test_a_change_says_what_was_seen_when_and_where(directory: Directory) -> None:
    started = datetime.now(UTC)
    seen = directory.ensure_member(membership(directory, BOB, "vpn"))
    assert (seen.present, seen.changed) == (True, True)
    assert started - timedelta(seconds=1) <= seen.at <= datetime.now(UTC)
    assert seen.at.utcoffset() == timedelta(0)
    assert seen.where


def test_a_second_ensure_changes_nothing(directory: Directory) -> None:
    change = membership(directory, BOB, "vpn")
    assert directory.ensure_member(change).changed
    again = directory.ensure_member(change)
    assert (again.present, again.changed) == (True, False)
    assert directory.ensure_absent(change).changed
    again = directory.ensure_absent(change)
    assert (again.present, again.changed) == (False, False)


def test_the_last_member_can_leave_and_somebody_can_come_back(directory: Directory) -> None:
    assert directory.ensure_absent(membership(directory, ALICE, "vpn")).changed
    assert directory.members("vpn") == ()
    assert directory.ensure_member(membership(directory, CAROL, "vpn")).changed
    assert logins(directory.members("vpn")) == ["carol"]


def test_absence_of_what_does_not_exist_is_nothing_to_do(directory: Directory) -> None:
    alice = directory.person_by_login("alice").id
    for gone in (Membership(person_id=NOBODY, group="vpn"), Membership(person_id=alice, group="nothing")):
        seen = directory.ensure_absent(gone)
        assert (seen.present, seen.changed) == (False, False)


@pytest.mark.parametrize("employee", [INGA, LARS], ids=["marked inactive", "locked"])
@pytest.mark.parametrize("group", ["vpn", "finance"])
def test_an_inactive_person_is_let_into_no_group(directory: Directory, employee: Employee, group: str) -> None:
    before = directory.members(group)
    with pytest.raises(Conflict, match="not active"):
        directory.ensure_member(membership(directory, employee, group))
    assert directory.members(group) == before


def test_an_inactive_person_can_still_be_taken_out(directory: Directory) -> None:
    assert directory.ensure_absent(membership(directory, INGA, "finance")).changed
    assert logins(directory.members("finance")) == ["bob", "carol"]


@pytest.mark.parametrize("group", ["vpn", "empty"])
def test_twenty_threads_at_the_same_membership_make_one_change(directory: Directory, group: str) -> None:
    change = membership(directory, BOB, group)
    for act in (directory.ensure_member, directory.ensure_absent):
        with ThreadPoolExecutor(20) as threads:
            seen = list(threads.map(act, [change] * 20))
        assert sum(each.changed for each in seen) == 1
        assert {each.present for each in seen} == {act == directory.ensure_member}


def test_threads_at_different_memberships_of_one_group_lose_none(directory: Directory) -> None:
    staff = [employee for employee in STAFF if employee.login != "twin" and not employee.extra]
    changes = [membership(directory, employee, "empty") for employee in staff]
    with ThreadPoolExecutor(10) as threads:
        assert all(seen.changed for seen in threads.map(directory.ensure_member, changes))
    assert logins(directory.members("empty")) == sorted(employee.login for employee in staff)
    with ThreadPoolExecutor(10) as threads:
        assert all(seen.changed for seen in threads.map(directory.ensure_absent, changes))
    assert directory.members("empty") == ()


def test_it_answers_and_one_that_is_away_says_so(directory: Directory, away: Directory) -> None:
    directory.ping()
    with pytest.raises(Transient):
        away.ping()


def test_the_company_is_the_same_everywhere(directory: Directory) -> None:
    assert [len(directory.members(team.name)) for team in (VPN, FINANCE, EMPTY)] == [1, 3, 0]
