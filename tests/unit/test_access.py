"""Access: the evidence of an effect, as it travels."""

from __future__ import annotations

from support.builders import NOON

from catalog.access import Membership, Observed


def test_what_was_seen_arrives_as_it_was_seen() -> None:
    seen = Observed(present=True, changed=False, at=NOON, where="ldaps://dir.example")
    assert Observed.model_validate_json(seen.model_dump_json()) == seen


def test_a_membership_is_the_same_thing_for_the_same_person_and_group() -> None:
    assert Membership(person_id="id-ada", group="vpn-users") == Membership(person_id="id-ada", group="vpn-users")
    assert Membership(person_id="id-ada", group="vpn-users") != Membership(person_id="id-ben", group="vpn-users")
