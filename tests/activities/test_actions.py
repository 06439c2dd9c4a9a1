"""Actions: how they are declared and served, and what the shipped ones do in a directory."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from support.builders import a_person
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.actions import ActionInput, ActionSet, Found, action
from activities.connectors.memory import Change, Group, MemoryDirectory, MemorySecrets
from activities.directory_actions import ACTIONS, DirectoryActions
from activities.errors import Transient, UnknownOutcome
from activities.heartbeat import heartbeating, leave
from activities.serving import as_activity
from catalog.access import Membership, Observed
from catalog.model import Model

SPECS = {one.spec.id: one.spec for one in ACTIONS.actions()}


class Call:
    """Runs an action as the worker would; `beats` are the heartbeats of the last run."""

    def __init__(self, directory: MemoryDirectory) -> None:
        owner = DirectoryActions(directory, MemorySecrets({"secret:1": "hunter2"}))
        self._activities = {one.spec.id: as_activity(one, owner) for one in ACTIONS.actions()}
        self.beats: list[tuple[object, ...]] = []

    def __call__(self, name: str, given: dict[str, Any], number: int = 1, left: tuple[object, ...] = ()) -> Any:
        """Run it; `left` is what the attempts before it left in their heartbeats."""
        env = ActivityEnvironment()
        env.info = dataclasses.replace(env.info, attempt=number, heartbeat_details=left)
        self.beats = beats = []
        env.on_heartbeat = lambda *details: beats.append(details)
        return env.run(self._activities[f"directory.{name}"], given)


@pytest.fixture
def directory() -> MemoryDirectory:
    people = [a_person(), a_person("Bob Brown", title="Clerk"), a_person("Owen Ortega")]
    return MemoryDirectory(people, [Group("wiki", members={"id-bob"})], {"id-bob": "old"})


@pytest.fixture
def call(directory: MemoryDirectory) -> Call:
    return Call(directory)


# --- declaring ---


def test_every_shipped_action_says_what_authors_need() -> None:
    assert len(SPECS) == 10
    for spec in SPECS.values():
        assert spec.summary.endswith(".")
        assert spec.system == "directory"
        assert spec.input["additionalProperties"] is False
        assert "ours" in spec.result["properties"]
        assert spec.undo is None or spec.undo in SPECS


def test_an_undo_is_given_what_its_input_names_of_the_call_and_its_result() -> None:
    given = {"login": "ada", "attributes": {"title": "Boss"}}
    result = {"present": True, "ours": True, "earlier": {"title": ["Clerk"]}, "login": "somebody else"}
    undo = SPECS["directory.restore_attributes"]
    assert undo.use().taken_from(given, result) == {**given, "earlier": {"title": ["Clerk"]}}
    assert SPECS["directory.delete_group"].use().taken_from({"name": "x", "owners": ["ada"]}, {}) == {"name": "x"}


class Nothing(ActionInput):
    """Takes nothing."""


class WrongInput:
    @action("wrong.verb")
    def verb(self, given: dict[str, Any]) -> Observed:
        """Take what is no model."""
        raise AssertionError


class WrongResult:
    @action("wrong.verb")
    def verb(self, given: Nothing) -> Found:
        """Change something and not tell what was observed."""
        raise AssertionError


class WrongLookUp:
    @action("wrong.verb", changes=False)
    def verb(self, given: Nothing) -> Model:
        """Look and give anything."""
        raise AssertionError


class Undocumented:
    @action("wrong.verb", changes=False)
    def verb(self, given: Nothing) -> Found:
        raise AssertionError


class OfAnotherSystem:
    @action("right.verb", changes=False)
    def verb(self, given: Nothing) -> Found:
        """Look."""
        raise AssertionError


class Empty:
    pass


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (WrongInput, r"WrongInput\.verb must take one catalog\.model\.Model"),
        (WrongResult, "return a Observed"),
        (WrongLookUp, "return a Found"),
        (Undocumented, "needs a docstring"),
        (OfAnotherSystem, r"must be called 'wrong\.<verb>'"),
        (Empty, "has no method"),
    ],
)
def test_a_wrong_declaration_says_how_to_put_it_right(kind: type, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        ActionSet(system="wrong", kind=kind, open=lambda _: pytest.fail("never opened")).actions()


# --- serving ---


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "name: Field required"),
        ({"name": "x", "colour": "red"}, "colour: Extra inputs are not permitted; it takes: name, description, owners"),
        ({"name": " x"}, "name: "),
        ({"name": "x\n"}, "name: "),
        ({"name": "x", "owners": "ada"}, "owners: "),
    ],
)
def test_an_input_that_does_not_fit_is_rejected_with_where_and_for_good(
    call: Call, directory: MemoryDirectory, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(ApplicationError, match=r"directory\.create_group cannot take this") as caught:
        call("create_group", given)
    assert said in caught.value.message
    assert (caught.value.type, caught.value.non_retryable, caught.value.details) == ("rejected", True, (False,))
    assert directory.changes == []


def test_a_rejected_input_does_not_tell_its_values(call: Call) -> None:
    with pytest.raises(ApplicationError) as caught:
        call("set_password", {"login": "bob", "password": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_what_an_action_made_is_ours_and_what_it_found_is_not(call: Call) -> None:
    assert call("create_group", {"name": "new"}).ours
    assert not call("create_group", {"name": "new"}).ours
    assert call("create_group", {"name": "new"}, number=2).ours
    assert not call("create_group", {"name": "new"}, number=2, left=("untouched",)).ours


def test_a_failure_says_whether_a_change_may_have_been_made(call: Call, directory: MemoryDirectory) -> None:
    for failure, ours in ((Transient("down"), False), (UnknownOutcome("lost"), True)):
        directory.fail_next(failure, on="ensure_group")
        with pytest.raises(ApplicationError) as caught:
            call("create_group", {"name": "new"})
        assert caught.value.details == (ours,)


def test_beats_repeat_what_was_left_last() -> None:
    env = ActivityEnvironment()
    env.info = dataclasses.replace(env.info, heartbeat_timeout=env.info.start_to_close_timeout)
    seen: list[tuple[object, ...]] = []
    env.on_heartbeat = lambda *details: seen.append(details)

    @heartbeating
    def work() -> None:
        leave("before", {"title": []})

    env.run(work)
    assert seen == [("before", {"title": []})]


# --- the shipped actions ---


def test_a_group_is_created_for_its_owners_and_undone_while_nobody_is_in_it(
    call: Call, directory: MemoryDirectory
) -> None:
    call("create_group", {"name": "new", "description": "For new things", "owners": ["ada"]})
    assert [owner.login for owner in directory.owners("new")] == ["ada"]
    directory.ensure_member(Membership(person_id="id-bob", group="new"))
    with pytest.raises(ApplicationError, match="take them out first") as caught:
        call("delete_group", {"name": "new"})
    assert caught.value.type == "conflict"
    assert call("delete_group", {"name": "new", "even_with_members": True}).changed


def test_an_unknown_owner_makes_no_group(call: Call, directory: MemoryDirectory) -> None:
    with pytest.raises(ApplicationError, match="'nobody'"):
        call("create_group", {"name": "new", "owners": ["nobody"]})
    assert directory.changes == []


def test_attributes_are_set_and_go_back_to_what_they_were(call: Call, directory: MemoryDirectory) -> None:
    given = {"login": "bob", "attributes": {"title": "Boss", "location": "Oslo"}}
    result = call("set_attributes", given)
    assert result.earlier == {"title": ("Clerk",), "location": ()}
    undo = SPECS["directory.restore_attributes"].use().taken_from(given, result.model_dump(mode="json"))
    assert call("restore_attributes", undo).left == ()
    bob = directory.person("id-bob")
    assert (bob.title, bob.location) == ("Clerk", None)


def test_what_others_changed_since_is_not_set_back(call: Call, directory: MemoryDirectory) -> None:
    given = {"login": "bob", "attributes": {"title": "Boss", "location": "Oslo"}}
    result = call("set_attributes", given)
    directory.ensure_attributes("id-bob", {"title": ("Director",)})
    undo = SPECS["directory.restore_attributes"].use().taken_from(given, result.model_dump(mode="json"))
    assert call("restore_attributes", undo).left == ("title",)
    bob = directory.person("id-bob")
    assert (bob.title, bob.location) == ("Director", None)


def test_an_attempt_after_an_unknown_outcome_knows_the_values_before_the_first(
    call: Call, directory: MemoryDirectory
) -> None:
    given = {"login": "bob", "attributes": {"title": "Boss"}}
    directory.lose_answers()
    with pytest.raises(ApplicationError):
        call("set_attributes", given)
    assert call.beats == [("before", {"title": ("Clerk",)})]
    result = call("set_attributes", given, number=2, left=("before", {"title": ["Clerk"]}))
    assert (result.changed, result.ours, result.earlier) == (False, True, {"title": ("Clerk",)})


def test_an_attempt_that_failed_before_its_write_lets_the_next_look_anew(
    call: Call, directory: MemoryDirectory
) -> None:
    given = {"login": "bob", "attributes": {"title": "Boss"}}
    directory.fail_next(Transient("down"), on="ensure_attributes")
    with pytest.raises(ApplicationError):
        call("set_attributes", given)
    assert call.beats[-1] == ("untouched",)
    directory.ensure_attributes("id-bob", {"title": ("Director",)})
    assert call("set_attributes", given, number=2, left=("untouched",)).earlier == {"title": ("Director",)}


@pytest.mark.parametrize("name", ["login", "userPassword", "manager"])
def test_only_attributes_of_the_list_can_be_set(call: Call, name: str) -> None:
    with pytest.raises(ApplicationError, match="cannot take this") as caught:
        call("set_attributes", {"login": "bob", "attributes": {name: "x"}})
    assert caught.value.type == "rejected"


def test_an_account_is_created_closed_opened_given_a_password_and_deleted(
    call: Call, directory: MemoryDirectory
) -> None:
    call("create_account", {"login": "svc-x", "name": "Service X", "owner": "ada"})
    assert not directory.person_by_login("svc-x").active
    call("enable_account", {"login": "svc-x"})
    call("set_password", {"login": "svc-x", "secret": "secret:1"})
    assert directory.authenticate("svc-x", "hunter2")
    call("disable_account", {"login": "svc-x"})
    assert directory.authenticate("svc-x", "hunter2") is None
    call("delete_account", {"login": "svc-x"})
    assert [change.kind for change in directory.changes] == [
        "ensure_account",
        "ensure_active",
        "set_password",
        "ensure_active",
        "ensure_no_account",
    ]


def test_a_password_is_in_no_result(call: Call, directory: MemoryDirectory) -> None:
    result = call("set_password", {"login": "bob", "secret": "secret:1"})
    assert "hunter2" not in result.model_dump_json()
    assert directory.changes == [Change("set_password", "bob")]


def test_a_secret_that_was_forgotten_sets_no_password(call: Call, directory: MemoryDirectory) -> None:
    with pytest.raises(ApplicationError, match="no such secret") as caught:
        call("set_password", {"login": "bob", "secret": "secret:gone"})
    assert caught.value.type == "not-found"
    assert directory.authenticate("bob", "old")


def test_the_people_in_a_group_are_looked_up_and_nothing_of_it_is_ours(call: Call) -> None:
    found = call("people_in_group", {"group": "wiki"}, number=2)
    assert [person.login for person in found.people] == ["bob"]
    assert not found.ours


def test_a_group_too_large_for_a_result_is_rejected(
    call: Call, directory: MemoryDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.directory_actions.MAX_PEOPLE", 0)
    with pytest.raises(ApplicationError, match="1 people are in 'wiki'"):
        call("people_in_group", {"group": "wiki"})
