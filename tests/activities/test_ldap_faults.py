"""What the LDAP connector does when the server is down, silent, killed, busy, or says one thing and does another."""

from __future__ import annotations

import contextlib
import functools
import itertools
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from support.company import ALICE, BOB, EMPTY, STAFF, VPN, Connect, Employee
from support.ldap_proxy import MODIFY, SEARCH, Answer, LoseAnswer, Verdict, proxy_to
from support.slapd import PLACEHOLDER, Change, Slapd
from support.waiting import eventually

from activities.connectors.ldap import LdapDirectory, Security
from activities.errors import ConnectorError, NotApplied, NotFound, Rejected, Transient
from activities.lease import lease
from catalog.access import Membership, Observed

QUICK = {"receive_timeout": 1, "connect_timeout": 1}


def membership(directory: LdapDirectory, employee: Employee, group: str = "vpn") -> Membership:
    return Membership(person_id=directory.person_by_login(employee.login).id, group=group)


def adds(server: Slapd, employee: Employee) -> list[Change]:
    return [change for change in server.changes() if change.kind == "add" and change.member == employee.dn]


def on_modify(*verdicts: Verdict | Callable[[], Verdict]) -> Callable[[int], Verdict]:
    """Meet one write after the other with these verdicts, and forward what comes after them."""
    left = iter(verdicts)

    def decide(tag: int) -> Verdict:
        verdict = next(left, None) if tag == MODIFY else None
        return verdict() if callable(verdict) else verdict

    return decide


# --- unreachable ---


def test_a_server_that_is_down_is_transient(own_slapd: Slapd, connect: Connect) -> None:
    directory = connect(own_slapd, **QUICK)
    bob = membership(directory, BOB)
    own_slapd.stop()
    for call in (directory.ping, lambda: directory.ensure_member(bob), lambda: directory.person_by_login("bob")):
        with pytest.raises(Transient):
            call()
    own_slapd.start()
    assert directory.ensure_member(bob).changed
    assert len(adds(own_slapd, BOB)) == 1


def test_connections_that_broke_while_idle_are_replaced_unnoticed(own_slapd: Slapd, connect: Connect) -> None:
    directory = connect(own_slapd, **QUICK)
    bob = membership(directory, BOB)
    own_slapd.kill()
    own_slapd.start()
    assert directory.ensure_member(bob).changed


def test_the_next_server_is_asked_when_the_first_is_down(slapd: Slapd, own_slapd: Slapd, connect: Connect) -> None:
    own_slapd.stop()
    directory = connect(slapd, urls=(own_slapd.ldaps_url, slapd.ldaps_url), ca_file=slapd.ca_file)
    assert directory.ensure_member(membership(directory, BOB)).where == slapd.ldaps_url


@pytest.mark.parametrize("security", Security)
def test_a_silent_server_is_transient_within_the_time_out(
    own_slapd: Slapd, connect: Connect, security: Security
) -> None:
    directory = connect(own_slapd, security, **QUICK)
    bob = membership(directory, BOB)
    with own_slapd.frozen():
        for _ in ("on the pooled connection", "on a new one"):
            started = time.monotonic()
            with pytest.raises(Transient):
                directory.ensure_member(bob)
            assert time.monotonic() - started < 5
    assert eventually(functools.partial(_done, directory.ensure_member, bob))
    assert len(adds(own_slapd, BOB)) == 1


def test_callers_do_not_wait_for_ever_for_a_connection(own_slapd: Slapd, connect: Connect) -> None:
    directory = connect(own_slapd, pool_size=1, **QUICK)
    directory.ping()
    failures: list[Exception] = []

    def ask() -> None:
        try:
            directory.ping()
        except Transient as error:
            failures.append(error)

    with own_slapd.frozen():
        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert len(failures) == 3
    assert any("COMMISSARY_LDAP_POOL_SIZE" in str(failure) for failure in failures)


def test_a_connection_that_went_silent_takes_the_idle_ones_with_it(own_slapd: Slapd, connect: Connect) -> None:
    pool = connect(own_slapd, **QUICK)._pool
    with pool.session(), pool.session():
        pass
    assert len(pool._idle) == 2
    with own_slapd.frozen(), pytest.raises(Transient), pool.session() as session:
        session.read("", "(objectClass=*)")
    assert pool._idle == []


# --- unknown outcomes of a write ---


def test_a_lost_answer_is_transient_and_the_repeat_writes_nothing(slapd: Slapd, connect: Connect) -> None:
    with proxy_to(slapd.port, on_modify(LoseAnswer())) as proxy:
        directory = connect(slapd, Security.NONE, urls=(proxy.url,))
        bob, before = membership(directory, BOB), len(adds(slapd, BOB))
        with pytest.raises(Transient, match="unknown"):
            directory.ensure_member(bob)
        seen = directory.ensure_member(bob)
    assert (seen.present, seen.changed) == (True, False)
    assert len(adds(slapd, BOB)) == before + 1


def test_a_server_that_freezes_in_a_write_is_transient_and_the_repeat_writes_nothing(
    own_slapd: Slapd, connect: Connect
) -> None:
    freezing = own_slapd.frozen()
    with proxy_to(own_slapd.port, on_modify(freezing.__enter__)) as proxy:
        directory = connect(own_slapd, Security.NONE, urls=(proxy.url,), **QUICK)
        bob = membership(directory, BOB)
        with pytest.raises(Transient, match="unknown"):
            directory.ensure_member(bob)
        freezing.__exit__(None, None, None)
        eventually(lambda: adds(own_slapd, BOB))  # the server goes on with what it had been given
        seen = directory.ensure_member(bob)
    assert (seen.present, seen.changed) == (True, False)
    assert len(adds(own_slapd, BOB)) == 1


def test_a_server_killed_before_a_write_is_transient_and_the_repeat_writes(own_slapd: Slapd, connect: Connect) -> None:
    with proxy_to(own_slapd.port, on_modify(own_slapd.kill)) as proxy:
        directory = connect(own_slapd, Security.NONE, urls=(proxy.url,), **QUICK)
        bob = membership(directory, BOB)
        with pytest.raises(Transient):
            directory.ensure_member(bob)
        own_slapd.start()
        assert directory.ensure_member(bob).changed
    assert len(adds(own_slapd, BOB)) == 1


def test_no_membership_is_lost_while_the_server_is_killed_again_and_again(own_slapd: Slapd, connect: Connect) -> None:
    directory = connect(own_slapd, **QUICK)
    staff = [employee for employee in STAFF if employee.login != "twin" and not employee.extra]
    wanted = [membership(directory, employee, "empty") for employee in staff]
    finished = threading.Event()

    def work() -> None:
        for act in [directory.ensure_member, directory.ensure_absent] * 5 + [directory.ensure_member]:
            for each in wanted:
                eventually(functools.partial(_done, act, each), timeout=60)
        finished.set()

    worker = threading.Thread(target=work)
    worker.start()
    kills = 0
    while not finished.wait(0.03):
        own_slapd.kill()
        own_slapd.start()
        kills += 1
    worker.join(10)
    assert kills > 1
    assert [person.login for person in directory.members("empty")] == sorted(employee.login for employee in staff)
    assert PLACEHOLDER not in own_slapd.values(EMPTY.dn, "member")


def _done(act: Callable[[Membership], Observed], wanted: Membership) -> Observed | None:
    """Make one attempt, as a retry policy would; what is transient is tried again."""
    with contextlib.suppress(Transient):
        return act(wanted)
    return None


# --- a server that says one thing and does another ---


def test_an_accepted_write_that_is_not_to_be_seen_is_repeated_once_and_then_not_applied(
    slapd: Slapd, connect: Connect
) -> None:
    with proxy_to(slapd.port, on_modify(Answer(0), Answer(0))) as proxy:
        directory = connect(slapd, Security.NONE, urls=(proxy.url,), read_back_within=0.2)
        bob = membership(directory, BOB)
        with pytest.raises(NotApplied, match="does not show"):
            directory.ensure_member(bob)
        assert proxy.seen.count(MODIFY) == 2


def test_a_write_that_is_lost_once_is_made_by_the_second(slapd: Slapd, connect: Connect) -> None:
    with proxy_to(slapd.port, on_modify(Answer(0))) as proxy:
        directory = connect(slapd, Security.NONE, urls=(proxy.url,), read_back_within=0.2)
        seen = directory.ensure_absent(membership(directory, ALICE))
        assert (seen.present, seen.changed) == (False, True)
        assert slapd.values(VPN.dn, "member") == [PLACEHOLDER]


def test_a_change_that_is_seen_late_is_waited_for_and_not_written_twice(slapd: Slapd, connect: Connect) -> None:
    def replicate_later() -> Verdict:
        timer = threading.Timer(0.3, slapd.add_value, (VPN.dn, "member", BOB.dn))
        timer.start()
        timers.append(timer)
        return Answer(0)

    timers: list[threading.Timer] = []
    with proxy_to(slapd.port, on_modify(replicate_later)) as proxy:
        directory = connect(slapd, Security.NONE, urls=(proxy.url,), read_back_within=10)
        bob, started = membership(directory, BOB), time.monotonic()
        seen = directory.ensure_member(bob)
        assert (seen.present, seen.changed) == (True, True)
        assert proxy.seen.count(MODIFY) == 1
        assert time.monotonic() - started < 5
    timers[0].join(10)


@pytest.mark.parametrize("answer", [Answer(20), Answer(68)], ids=["OpenLDAP", "Active Directory"])
def test_somebody_else_adding_the_member_first_is_no_change_of_ours(
    slapd: Slapd, connect: Connect, answer: Answer
) -> None:
    def be_overtaken() -> Verdict:
        slapd.add_value(VPN.dn, "member", BOB.dn)
        return answer

    with proxy_to(slapd.port, on_modify(be_overtaken)) as proxy:
        directory = connect(slapd, Security.NONE, urls=(proxy.url,))
        seen = directory.ensure_member(membership(directory, BOB))
    assert (seen.present, seen.changed) == (True, False)


@pytest.mark.parametrize(
    "answer", [Answer(16), Answer(53, "00000561: SvcErr: DSID-031A11B3")], ids=["OpenLDAP", "Active Directory"]
)
def test_somebody_else_removing_the_member_first_is_no_change_of_ours(
    slapd: Slapd, connect: Connect, answer: Answer
) -> None:
    def be_overtaken() -> Verdict:
        slapd.set_value(VPN.dn, "member", PLACEHOLDER)
        return answer

    with proxy_to(slapd.port, on_modify(be_overtaken)) as proxy:
        directory = connect(slapd, Security.NONE, urls=(proxy.url,))
        seen = directory.ensure_absent(membership(directory, ALICE))
    assert (seen.present, seen.changed) == (False, False)


# --- result codes ---


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (1, Rejected),
        (3, Transient),
        (10, Rejected),
        (19, Rejected),
        (32, NotFound),
        (50, Rejected),
        (51, Transient),
        (52, Transient),
        (53, Rejected),
        (65, Rejected),
        (80, Rejected),
    ],
)
def test_a_refused_write_is_the_error_its_code_stands_for(
    slapd: Slapd, connect: Connect, code: int, error: type[ConnectorError]
) -> None:
    with proxy_to(slapd.port, on_modify(Answer(code, "the server's words"))) as proxy:
        directory = connect(slapd, Security.NONE, urls=(proxy.url,))
        bob = membership(directory, BOB)
        with pytest.raises(error, match="the server's words") as caught:
            directory.ensure_member(bob)
        assert type(caught.value) is error
        assert f"({code})" in str(caught.value)
        assert BOB.dn not in slapd.values(VPN.dn, "member")
        assert directory.ensure_member(bob).changed


@pytest.mark.parametrize(
    ("code", "error"), [(3, Transient), (4, Rejected), (11, Rejected), (51, Transient), (52, Transient)]
)
def test_a_search_that_did_not_end_well_is_never_an_answer(
    slapd: Slapd, connect: Connect, code: int, error: type[ConnectorError]
) -> None:
    searches: Iterator[int] = itertools.count()
    with proxy_to(slapd.port, lambda tag: Answer(code) if tag == SEARCH and next(searches) == 0 else None) as proxy:
        directory = connect(slapd, Security.NONE, urls=(proxy.url,))
        with pytest.raises(error):
            directory.person_by_login("alice")
        assert directory.person_by_login("alice").login == "alice"


def test_an_attempt_that_was_given_up_writes_nothing(slapd: Slapd, connect: Connect) -> None:
    directory = connect(slapd)
    bob, before = membership(directory, BOB), len(adds(slapd, BOB))
    with lease(-1), pytest.raises(Transient):
        directory.ensure_member(bob)
    assert len(adds(slapd, BOB)) == before
