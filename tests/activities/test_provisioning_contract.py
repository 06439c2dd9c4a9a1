"""What every ManagedDirectory must do, shown on the one in memory and on a real slapd."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from support import company
from support.company import ADA, ALICE, BOB, CAROL, INGA, LARS, ODD, VPN, Connect, in_memory
from support.slapd import PEOPLE, PROVISIONER, Slapd

from activities.errors import Conflict, NotFound, Rejected
from activities.ports import ManagedDirectory
from catalog.access import Membership, Observed
from catalog.directory import AccountSpec, Attribute, GroupSpec

NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def slapd_as_it_was(seeded_slapd: Slapd) -> Iterator[Slapd]:
    yield seeded_slapd
    company.reseed(seeded_slapd)


@pytest.fixture(params=["memory", "slapd"])
def directory(request: pytest.FixtureRequest) -> ManagedDirectory:
    if request.param == "memory":
        return in_memory()
    connect: Connect = request.getfixturevalue("connect")
    return connect(request.getfixturevalue("slapd_as_it_was"), bind_dn=PROVISIONER, accounts_base=PEOPLE)


def id_of(directory: ManagedDirectory, login: str) -> str:
    return directory.person_by_login(login).id


def seen(*observed: Observed) -> list[tuple[bool, bool]]:
    return [(one.present, one.changed) for one in observed]


# --- groups ---


@pytest.mark.parametrize("name", ["wiki", "Grüße & more", ODD, "#first"])
def test_a_group_is_made_with_owners_and_without_members(directory: ManagedDirectory, name: str) -> None:
    group = GroupSpec(name=name, description="Write the wiki", owner_ids=(id_of(directory, "ada"),))
    started = datetime.now(UTC) - timedelta(seconds=1)
    first, second = directory.ensure_group(group), directory.ensure_group(group)
    assert seen(first, second) == [(True, True), (True, False)]
    assert started <= first.at <= datetime.now(UTC)
    assert (directory.group(name).description, directory.group(name).owned) == ("Write the wiki", True)
    assert [owner.login for owner in directory.owners(name)] == ["ada"]
    assert directory.members(name) == ()
    bob = Membership(person_id=id_of(directory, "bob"), group=name)
    assert directory.ensure_member(bob).changed
    assert directory.ensure_absent(bob).changed


def test_a_group_may_have_no_owner_and_no_description(directory: ManagedDirectory) -> None:
    assert directory.ensure_group(GroupSpec(name="wiki")).changed
    assert (directory.group("wiki").description, directory.owners("wiki")) == ("", ())
    assert not directory.group("wiki").owned


def test_the_group_of_somebody_else_is_not_taken_for_the_one_to_make(directory: ManagedDirectory) -> None:
    for other in (
        GroupSpec(name="vpn", owner_ids=(id_of(directory, "bob"),)),
        GroupSpec(name="VPN", description="mine", owner_ids=(id_of(directory, "ada"),)),
    ):
        with pytest.raises(Conflict, match="there is a group"):
            directory.ensure_group(other)
    assert [owner.login for owner in directory.owners("vpn")] == ["ada"]


def test_a_group_needs_owners_who_exist(directory: ManagedDirectory) -> None:
    with pytest.raises(NotFound):
        directory.ensure_group(GroupSpec(name="wiki", owner_ids=(NOBODY,)))
    with pytest.raises(NotFound):
        directory.group("wiki")


def test_an_empty_group_is_deleted_once(directory: ManagedDirectory) -> None:
    directory.ensure_group(GroupSpec(name="wiki"))
    gone = [directory.ensure_no_group("wiki", even_with_members=False) for _ in range(2)]
    assert seen(*gone) == [(False, True), (False, False)]
    with pytest.raises(NotFound):
        directory.group("wiki")


def test_a_group_with_people_in_it_is_deleted_only_on_demand(directory: ManagedDirectory) -> None:
    with pytest.raises(Conflict, match="take them out first"):
        directory.ensure_no_group("vpn", even_with_members=False)
    assert [member.login for member in directory.members("vpn")] == ["alice"]
    assert directory.ensure_no_group("vpn", even_with_members=True).changed
    assert directory.groups_of(id_of(directory, "alice")) == ()


# --- attributes ---


def test_attributes_are_set_seen_and_set_back(directory: ManagedDirectory) -> None:
    bob = id_of(directory, "bob")
    names: tuple[Attribute, ...] = ("title", "telephone", "location", "display_name", "surname")
    earlier = directory.attributes(bob, names)
    assert earlier == {
        "title": ("Account manager",),
        "telephone": (),
        "location": ("Bergen",),
        "display_name": (),
        "surname": ("Brown",),
    }
    wanted: dict[Attribute, tuple[str, ...]] = {
        "title": ("Leiter Größe 🚀",),
        "telephone": ("+47 55 00 00 00",),
        "location": (),
        "display_name": ("Bob B.",),
        "surname": ("Braun",),
    }
    assert seen(*[directory.ensure_attributes(bob, wanted) for _ in range(2)]) == [(True, True), (True, False)]
    assert directory.attributes(bob, names) == wanted
    person = directory.person(bob)
    assert (person.title, person.location) == ("Leiter Größe 🚀", None)
    assert directory.ensure_attributes(bob, earlier).changed
    assert directory.attributes(bob, names) == earlier


def test_a_change_of_case_is_a_change(directory: ManagedDirectory) -> None:
    bob = id_of(directory, "bob")
    assert directory.ensure_attributes(bob, {"title": ("ACCOUNT MANAGER",)}).changed
    assert directory.attributes(bob, ["title"]) == {"title": ("ACCOUNT MANAGER",)}


def test_what_the_schema_demands_cannot_be_removed(directory: ManagedDirectory) -> None:
    bob = id_of(directory, "bob")
    with pytest.raises(Rejected):
        directory.ensure_attributes(bob, {"surname": (), "title": ("Boss",)})
    assert directory.person(bob).title == "Account manager"


def test_attributes_of_nobody_are_not_found(directory: ManagedDirectory) -> None:
    for ask in (
        lambda: directory.attributes(NOBODY, ["title"]),
        lambda: directory.ensure_attributes(NOBODY, {"title": ("x",)}),
        lambda: directory.ensure_active(NOBODY, active=True),
        lambda: directory.set_password(NOBODY, "secret"),
    ):
        with pytest.raises(NotFound):
            ask()


# --- accounts ---


def an_account(directory: ManagedDirectory, owner: str = "ada", **other: str) -> AccountSpec:
    plain = {"login": "svc-backup", "name": "Backup of the wiki", "description": "Nightly"}
    return AccountSpec(**plain | other, owner_id=id_of(directory, owner))


def test_an_account_is_made_closed_with_somebody_who_answers_for_it(directory: ManagedDirectory) -> None:
    made = [directory.ensure_account(an_account(directory)) for _ in range(2)]
    assert seen(*made) == [(True, True), (True, False)]
    account = directory.person_by_login("svc-backup")
    assert (account.name, account.employee_type, account.active) == ("Backup of the wiki", "service", False)
    assert account.manager_id == id_of(directory, "ada")


def test_another_account_is_not_taken_for_the_one_to_make(directory: ManagedDirectory) -> None:
    directory.ensure_account(an_account(directory))
    for other in (
        an_account(directory, login="alice"),
        an_account(directory, name="Another"),
        an_account(directory, owner="bob"),
    ):
        with pytest.raises(Conflict, match="another account"):
            directory.ensure_account(other)


def test_an_account_that_was_opened_meanwhile_is_still_the_one(directory: ManagedDirectory) -> None:
    directory.ensure_account(an_account(directory))
    directory.ensure_active(id_of(directory, "svc-backup"), active=True)
    assert seen(directory.ensure_account(an_account(directory))) == [(True, False)]


def test_an_account_needs_somebody_who_answers_for_it(directory: ManagedDirectory) -> None:
    with pytest.raises(NotFound):
        directory.ensure_account(AccountSpec(login="svc-x", name="X", owner_id=NOBODY))


def test_only_accounts_of_programs_are_deleted(directory: ManagedDirectory) -> None:
    directory.ensure_account(an_account(directory))
    gone = [directory.ensure_no_account("svc-backup") for _ in range(2)]
    assert seen(*gone) == [(False, True), (False, False)]
    with pytest.raises(Conflict, match="not the account of a program"):
        directory.ensure_no_account("bob")
    assert directory.person_by_login("bob").active


def test_an_account_is_closed_and_opened(directory: ManagedDirectory) -> None:
    bob = id_of(directory, "bob")
    assert seen(*[directory.ensure_active(bob, active=False) for _ in range(2)]) == [(True, True), (True, False)]
    assert not directory.person(bob).active
    assert directory.authenticate("bob", BOB.password) is None
    assert seen(*[directory.ensure_active(bob, active=True) for _ in range(2)]) == [(True, True), (True, False)]
    assert directory.authenticate("bob", BOB.password) == directory.person(bob)


def test_who_is_inactive_for_another_reason_stays_so(directory: ManagedDirectory) -> None:
    with pytest.raises(Conflict, match="another mark"):
        directory.ensure_active(id_of(directory, INGA.login), active=True)
    assert not directory.person_by_login(INGA.login).active


# --- passwords ---


@pytest.mark.parametrize("password", ["a new one", "mot de passe façile 🚀", 'x)(uid=*"\\'])
def test_a_password_is_set_and_signing_in_with_it_works(directory: ManagedDirectory, password: str) -> None:
    alice = id_of(directory, "alice")
    for _ in range(2):
        assert directory.set_password(alice, password).present
    assert directory.authenticate("alice", password)
    assert directory.authenticate("alice", ALICE.password) is None


def test_the_password_of_a_closed_account_is_set_for_when_it_is_opened(directory: ManagedDirectory) -> None:
    directory.ensure_account(an_account(directory))
    account = id_of(directory, "svc-backup")
    assert seen(directory.set_password(account, "a new one")) == [(False, True)]
    assert directory.authenticate("svc-backup", "a new one") is None
    directory.ensure_active(account, active=True)
    assert directory.authenticate("svc-backup", "a new one")


def test_an_empty_password_is_refused(directory: ManagedDirectory) -> None:
    with pytest.raises(Rejected, match="empty"):
        directory.set_password(id_of(directory, "carol"), "")
    assert directory.authenticate("carol", CAROL.password)


def test_the_company_is_as_it_was(directory: ManagedDirectory) -> None:
    assert [len(directory.members(VPN.name)), directory.person_by_login(ADA.login).active] == [1, True]
    assert not directory.person_by_login(LARS.login).active
