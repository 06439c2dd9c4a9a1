"""What is particular to making and changing entries in LDAP: rights, names, lost answers, password policies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from pydantic import ValidationError
from support import company
from support.company import ALICE, BOB, Connect, settings_for
from support.ldap_proxy import EXTENDED, MODIFY, Answer, LoseAnswer, Verdict, proxy_to
from support.slapd import GROUPS, PEOPLE, PLACEHOLDER, PROVISIONER, SUFFIX, Slapd

from activities.connectors.ldap import LdapDirectory, Security
from activities.connectors.ldap.connection import rdn
from activities.errors import NotApplied, Rejected, Transient, UnknownOutcome
from activities.lease import lease
from catalog.access import Observed
from catalog.directory import AccountSpec, GroupSpec

ADD, DELETE = 0x68, 0x4A


@pytest.fixture
def slapd(seeded_slapd: Slapd) -> Iterator[Slapd]:
    yield seeded_slapd
    company.reseed(seeded_slapd)


@pytest.fixture
def directory(slapd: Slapd, connect: Connect) -> LdapDirectory:
    return connect(slapd, bind_dn=PROVISIONER, accounts_base=PEOPLE)


def once(tag: int, verdict: Verdict) -> Callable[[int], Verdict]:
    """Return a decision for the first request of that tag."""
    verdicts = [verdict]
    return lambda seen: verdicts.pop() if seen == tag and verdicts else None


def test_a_new_group_holds_the_placeholder_and_is_named_as_asked(slapd: Slapd, directory: LdapDirectory) -> None:
    directory.ensure_group(GroupSpec(name="a, b=c"))
    assert slapd.values(f"cn=a\\2c b\\3dc,{GROUPS}", "member") == [PLACEHOLDER]
    assert slapd.values(f"cn=a\\2c b\\3dc,{GROUPS}", "cn") == ["a, b=c"]


@pytest.mark.parametrize("text", ["plain", 'a,b+c"d\\e<f>g;h=i#j', " outer ", "#", "Größe 🚀", "nul\0"])
def test_any_text_makes_one_relative_name_that_means_it(text: str) -> None:
    value = rdn("cn", text).removeprefix("cn=")
    assert re.fullmatch(r"([0-9A-Za-z]|\\[0-9a-f]{2})+", value)
    octets = re.sub(rb"\\(..)", lambda match: bytes.fromhex(match[1].decode()), value.encode())
    assert octets.decode() == text


def test_without_a_placeholder_a_group_that_needs_a_member_is_rejected_with_what_to_do(
    slapd: Slapd, connect: Connect
) -> None:
    directory = connect(slapd, bind_dn=PROVISIONER, placeholder_member=None)
    with pytest.raises(Rejected, match="COMMISSARY_LDAP_PLACEHOLDER_MEMBER"):
        directory.ensure_group(GroupSpec(name="wiki"))


def test_an_account_that_may_only_write_members_is_rejected_everything_else(slapd: Slapd, connect: Connect) -> None:
    directory = connect(slapd, accounts_base=PEOPLE)
    bob = directory.person_by_login("bob").id
    asks: list[Callable[[], Observed]] = [
        lambda: directory.ensure_group(GroupSpec(name="wiki")),
        lambda: directory.ensure_no_group("empty", even_with_members=False),
        lambda: directory.ensure_attributes(bob, {"title": ("Boss",)}),
        lambda: directory.ensure_account(AccountSpec(login="svc-x", name="X", owner_id=bob)),
        lambda: directory.ensure_active(bob, active=False),
        lambda: directory.set_password(bob, "a new one"),
    ]
    for ask in asks:
        with pytest.raises(Rejected, match="lacks the right"):
            ask()
    assert directory.authenticate("bob", BOB.password) == directory.person(bob)


def test_an_attribute_that_is_part_of_the_entrys_name_is_rejected_with_the_reason(directory: LdapDirectory) -> None:
    bob = directory.person_by_login("bob").id
    with pytest.raises(Rejected, match="part of the entry's name"):
        directory.ensure_attributes(bob, {"name": ("Robert Brown",)})


def test_without_a_place_for_accounts_none_is_made(slapd: Slapd, connect: Connect) -> None:
    directory = connect(slapd, bind_dn=PROVISIONER)
    with pytest.raises(Rejected, match="COMMISSARY_LDAP_ACCOUNTS_BASE"):
        directory.ensure_account(AccountSpec(login="svc-x", name="X", owner_id=directory.person_by_login("ada").id))


def test_accounts_are_made_among_people_or_not_at_all(slapd: Slapd) -> None:
    with pytest.raises(ValidationError, match="must lie below"):
        settings_for(slapd, accounts_base=f"ou=services,{SUFFIX}")
    settings_for(slapd, accounts_base=f"ou=services,{PEOPLE.upper()}")


def test_a_mark_that_would_not_count_is_not_set(slapd: Slapd, connect: Connect) -> None:
    directory = connect(slapd, bind_dn=PROVISIONER, inactive_when={"employeeType": "inactive"})
    with pytest.raises(Rejected, match="COMMISSARY_LDAP_INACTIVE_WHEN"):
        directory.ensure_active(directory.person_by_login("bob").id, active=False)


@pytest.mark.parametrize("kind", ["make", "delete", "set", "close"])
def test_a_lost_answer_is_an_unknown_outcome_and_the_repeat_writes_nothing(
    slapd: Slapd, connect: Connect, kind: str
) -> None:
    tag = {"make": ADD, "delete": DELETE}.get(kind, MODIFY)
    with proxy_to(slapd.port, once(tag, LoseAnswer())) as proxy:
        directory = connect(slapd, Security.NONE, urls=(proxy.url,), bind_dn=PROVISIONER)
        bob = directory.person_by_login("bob").id
        changes: dict[str, Callable[[], Observed]] = {
            "make": lambda: directory.ensure_group(GroupSpec(name="wiki")),
            "delete": lambda: directory.ensure_no_group("empty", even_with_members=False),
            "set": lambda: directory.ensure_attributes(bob, {"title": ("Boss",)}),
            "close": lambda: directory.ensure_active(bob, active=False),
        }
        change = changes[kind]
        with pytest.raises(UnknownOutcome, match="unknown"):
            change()
        assert not change().changed
    assert proxy.seen.count(tag) == 1


def test_a_password_whose_answer_was_lost_is_set_again(slapd: Slapd, connect: Connect) -> None:
    with proxy_to(slapd.port, once(EXTENDED, LoseAnswer())) as proxy:
        directory = connect(slapd, Security.NONE, urls=(proxy.url,), bind_dn=PROVISIONER)
        bob = directory.person_by_login("bob").id
        with pytest.raises(UnknownOutcome) as caught:
            directory.set_password(bob, "a new one")
        assert "a new one" not in str(caught.value)
        assert directory.set_password(bob, "a new one").present


def test_a_policy_that_refuses_the_password_already_set_is_no_obstacle(slapd: Slapd, connect: Connect) -> None:
    with proxy_to(slapd.port, once(EXTENDED, Answer(19, "Password is in history"))) as proxy:
        directory = connect(slapd, Security.NONE, urls=(proxy.url,), bind_dn=PROVISIONER)
        alice = directory.person_by_login("alice").id
        seen = directory.set_password(alice, ALICE.password)
    assert (seen.present, seen.changed) == (True, False)


def test_a_policy_that_refuses_a_new_password_is_rejected_in_its_words(slapd: Slapd, connect: Connect) -> None:
    with proxy_to(slapd.port, once(EXTENDED, Answer(19, "too short"))) as proxy:
        directory = connect(slapd, Security.NONE, urls=(proxy.url,), bind_dn=PROVISIONER)
        with pytest.raises(Rejected, match="too short") as caught:
            directory.set_password(directory.person_by_login("alice").id, "hunter2")
    assert "hunter2" not in str(caught.value)


def test_a_password_that_was_accepted_and_does_not_work_is_not_applied(slapd: Slapd, connect: Connect) -> None:
    with proxy_to(slapd.port, once(EXTENDED, Answer(0))) as proxy:
        directory = connect(slapd, Security.NONE, urls=(proxy.url,), bind_dn=PROVISIONER)
        with pytest.raises(NotApplied):
            directory.set_password(directory.person_by_login("alice").id, "a new one")


def test_a_closed_account_stays_closed_when_its_password_is_set(slapd: Slapd, directory: LdapDirectory) -> None:
    bob = directory.person_by_login("bob").id
    directory.ensure_active(bob, active=False)
    assert not directory.set_password(bob, "a new one").present
    assert slapd.values(BOB.dn, "pwdAccountLockedTime") == ["000001010000Z"]


def test_an_attempt_that_was_given_up_writes_nothing(directory: LdapDirectory) -> None:
    bob = directory.person_by_login("bob").id
    changes: list[Callable[[], Observed]] = [
        lambda: directory.ensure_group(GroupSpec(name="wiki")),
        lambda: directory.ensure_attributes(bob, {"title": ("Boss",)}),
        lambda: directory.set_password(bob, "a new one"),
    ]
    for change in changes:
        with lease(-1), pytest.raises(Transient, match="left to the next"):
            change()
    assert directory.authenticate("bob", BOB.password)
