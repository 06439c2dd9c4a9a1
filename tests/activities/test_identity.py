"""What the directory's activities add to the connector: whose doing a change is, and when it is too late to write."""

from __future__ import annotations

import dataclasses

import pytest
from support.builders import a_person
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.approvers import Approvers, ApproversQuery, PeopleQuery
from activities.connectors.memory import Group, MemoryDirectory
from activities.errors import NotApplied, NotFound, Rejected, Transient, UnknownOutcome
from activities.identity import Identity
from activities.lease import lease, may_write
from catalog.access import Membership
from catalog.errors import Fault
from catalog.stages import ApproverRule, ByCiOwner, ByGroup, ByPerson, ByRole

ADA = Membership(person_id="id-ada", group="wiki")


@pytest.fixture
def directory() -> MemoryDirectory:
    return MemoryDirectory([a_person()], [Group("wiki")])


def attempt(number: int, *left: object) -> ActivityEnvironment:
    """Return a try of an activity; `left` is what the tries before it left in their heartbeats."""
    env = ActivityEnvironment()
    env.info = dataclasses.replace(env.info, attempt=number, heartbeat_details=left)
    return env


def test_a_change_is_ours_and_what_was_found_is_not(directory: MemoryDirectory) -> None:
    identity = Identity(directory)
    assert attempt(1).run(identity.ensure_member, ADA).ours
    assert not attempt(1).run(identity.ensure_member, ADA).ours


def test_what_a_later_attempt_finds_may_be_ours_unless_no_earlier_one_came_to_writing(
    directory: MemoryDirectory,
) -> None:
    identity = Identity(directory)
    directory.ensure_member(ADA)
    assert attempt(2).run(identity.ensure_member, ADA).ours
    assert not attempt(2, "untouched").run(identity.ensure_member, ADA).ours


def test_an_attempt_that_failed_before_its_write_says_so_to_the_next(directory: MemoryDirectory) -> None:
    for failure, said in ((Transient("down"), [("untouched",)]), (UnknownOutcome("lost"), [])):
        directory.fail_next(failure, on="ensure_member")
        env = attempt(1)
        beats: list[tuple[object, ...]] = []
        env.on_heartbeat = lambda *details, beats=beats: beats.append(details)
        with pytest.raises(ApplicationError):
            env.run(Identity(directory).ensure_member, ADA)
        assert beats == said


@pytest.mark.parametrize(
    ("failure", "ours"), [(Rejected("no"), False), (NotApplied("not seen"), True), (UnknownOutcome("lost"), True)]
)
def test_a_failure_says_whether_a_change_may_have_been_made(
    directory: MemoryDirectory, failure: Exception, ours: bool
) -> None:
    directory.fail_next(failure, on="ensure_member")  # type: ignore[arg-type]
    with pytest.raises(ApplicationError) as caught:
        attempt(1).run(Identity(directory).ensure_member, ADA)
    assert caught.value.details == (ours,)


def test_an_attempt_that_was_given_up_begins_no_write() -> None:
    may_write()  # no lease: not in an activity
    with lease(60):
        may_write()
    with lease(-1), pytest.raises(Transient, match="left to the next"):
        may_write()


# Who does the work.


@pytest.mark.parametrize(
    ("logins", "found"),
    [
        (["ada", "ben", "cleo"], ["id-cleo"]),
        (["ada", "ben"], ["id-ada", "id-ben"]),
        (["ada"], ["id-ada"]),
        (["ada", "ines"], ["id-ada"]),
        (["ben", "nobody"], ["id-ben"]),
    ],
)
def test_nobody_works_for_themselves_unless_they_alone_are_named(logins: list[str], found: list[str]) -> None:
    rules = tuple(ByPerson(rule="person", person=login) for login in logins)
    assert named(*rules) == found


def test_nobody_works_for_themselves_because_a_group_holds_them() -> None:
    group = ByGroup(rule="group", group="wiki")
    assert named(group) == ["id-dora"]
    assert named(ByPerson(rule="person", person="ada"), group) == ["id-dora"]
    assert named(ByGroup(rule="group", group="parties")) == []


def test_whoever_holds_a_role_does_the_work_if_they_work_here_and_it_is_not_theirs() -> None:
    assert named(ByRole(rule="role", role="officer")) == ["id-cleo"]
    assert named(ByRole(rule="role", role="clerk")) == []
    assert named(ByRole(rule="role", role="clerk"), ByPerson(rule="person", person="ada")) == ["id-ada"]


def test_work_for_a_role_that_there_is_not_is_an_error() -> None:
    with pytest.raises(ApplicationError, match="no role 'chef'") as caught:
        named(ByRole(rule="role", role="chef"))
    assert caught.value.type == Fault.NOT_FOUND


# Who decides.


def ladder(rules: tuple[ApproverRule, ...], **roles: set[str]) -> list[tuple[str, list[str]]]:
    """Return the rungs for what Ada orders for herself, up to the first that finds somebody: rule and people."""
    directory = MemoryDirectory([a_person(), a_person("Ben Bright"), a_person("Cleo Quill")], roles=roles)
    query = ApproversQuery(rules=rules, requester_id="id-ada", beneficiary_id="id-ada", group="", item_owner="cleo")
    return [(rung.rule, [person.id for person in rung.people]) for rung in Approvers(directory).find(query).rungs]


OFFICER = ByRole(rule="role", role="officer")


def test_whoever_holds_the_role_is_asked() -> None:
    assert ladder((OFFICER,), officer={"id-ben"}) == [("approver.role", ["id-ben"])]
    both = (ByPerson(rule="person", person="cleo"), OFFICER)
    assert ladder(both, officer={"id-ben"}) == [("approver.person+approver.role", ["id-cleo", "id-ben"])]


@pytest.mark.parametrize("holders", [set(), {"id-ada"}, {"a-machine"}])
def test_of_a_role_that_nobody_else_holds_the_ladder_goes_on_to_the_items_owner(holders: set[str]) -> None:
    assert [rule for rule, _ in ladder((OFFICER,), officer=holders)] == ["approver.role", "approver.item-owner"]


SERVER = ByCiOwner(rule="ci_owner", ci="Web-01")
OF_SERVER = ApproversQuery(rules=(SERVER,), requester_id="id-ada", beneficiary_id="id-ada", group="", item_owner="cleo")


def owned(*owners: str) -> MemoryDirectory:
    """Return a directory with a server of these owners; Ines's account is closed."""
    people = [a_person(), a_person("Ben Bright"), a_person("Cleo Quill"), a_person("Ines Inactive", active=False)]
    return MemoryDirectory(people, cis={"web-01": owners})


def asked(directory: MemoryDirectory) -> list[tuple[str, list[str]]]:
    """Return the rungs for what Ada orders for herself about that server: rule and people."""
    rungs = Approvers(directory).find(OF_SERVER).rungs
    return [(rung.rule, [person.id for person in rung.people]) for rung in rungs]


def test_a5_whoever_owns_the_configuration_item_is_asked() -> None:
    assert asked(owned("id-ben")) == [("approver.ci_owner", ["id-ben"])]
    assert asked(owned("id-ben", "id-cleo")) == [("approver.ci_owner", ["id-ben", "id-cleo"])]


@pytest.mark.parametrize("owners", [(), ("id-ada",), ("id-ines",), ("id-of-somebody-gone",)])
def test_a5_of_a_configuration_item_that_nobody_else_owns_the_ladder_goes_on(owners: tuple[str, ...]) -> None:
    assert [rule for rule, _ in asked(owned(*owners))] == ["approver.ci_owner", "approver.item-owner"]


def test_a5_a_configuration_item_that_there_is_not_is_an_error() -> None:
    with pytest.raises(NotFound, match="no configuration item 'Web-01'"):
        asked(MemoryDirectory([a_person()]))


def test_a5_when_a_configuration_item_changes_hands_the_next_look_up_asks_its_new_owner() -> None:
    directory = owned("id-ben")
    directory.put_ci("web-01", {"id-cleo"})
    assert asked(directory) == [("approver.ci_owner", ["id-cleo"])]


def named(*rules: ApproverRule) -> list[str]:
    """Return whom rules name for work that Ada ordered for Ben."""
    people = [a_person(name) for name in ("Ada Byron", "Ben Bright", "Cleo Quill", "Dora Diaz")]
    groups = [Group("wiki", {"id-ada", "id-dora"}), Group("parties", {"id-ada", "id-ben"})]
    roles = {"officer": {"id-ada", "id-cleo", "id-ines"}, "clerk": {"id-ben"}}
    directory = MemoryDirectory([*people, a_person("Ines Inactive", active=False)], groups, roles=roles)
    query = PeopleQuery(rules=rules, requester_id="id-ada", beneficiary_id="id-ben", group="wiki", item_owner="ada")
    return [person.id for person in Identity(directory).people(query).people]
