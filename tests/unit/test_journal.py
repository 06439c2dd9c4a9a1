"""The journal's chain: whole when nobody touched it, and not when somebody did."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import NOON, a_person, an_actor

from catalog.journal import GENESIS, Chain, Entry, Kind, verify


def journal(length: int = 4, request: str = "REQ-1001") -> list[Entry]:
    chain = Chain(request)
    return [
        chain.append(Kind.COMMENT, NOON + timedelta(minutes=n), actor=an_actor(), data={"text": f"remark {n}"})
        for n in range(length)
    ]


def test_entries_are_numbered_from_one_and_each_names_the_one_before() -> None:
    entries = journal(3)
    assert [entry.seq for entry in entries] == [1, 2, 3]
    assert [entry.previous for entry in entries] == [GENESIS, entries[0].digest, entries[1].digest]


def test_an_entry_says_who_acted_by_which_road() -> None:
    entry = journal(1)[0]
    assert (entry.actor, entry.channel, entry.auth) == (a_person().ref(), "api", "password")


def test_an_entry_by_rule_names_no_actor() -> None:
    chain = Chain("REQ-1")
    entry = chain.append(
        Kind.VOTE, NOON, rule="approval.already-approved", from_status="checking", to_status="approval"
    )
    assert (entry.actor, entry.channel, entry.rule) == (None, "", "approval.already-approved")
    assert (entry.from_status, entry.to_status) == ("checking", "approval")
    assert (chain.seq, chain.head) == (1, entry.digest)


def test_an_untouched_journal_is_whole() -> None:
    assert verify([]) == []
    assert verify(journal(), last=4) == []


def test_a_journal_read_back_from_json_is_whole() -> None:
    assert verify([Entry.model_validate_json(entry.model_dump_json()) for entry in journal()]) == []


CHANGES: dict[str, Any] = {
    "request": "REQ-1002",
    "seq": 9,
    "at": NOON - timedelta(microseconds=1),
    "kind": Kind.CLOSED,
    "actor": a_person("Ben Okri").ref(),
    "on_behalf_of": a_person("Ben Okri").ref(),
    "channel": "cli",
    "auth": "token",
    "rule": "x",
    "from_status": "approval",
    "to_status": "closed",
    "data": {"text": "remark 0 "},
    "command": "c-1",
    "previous": "sha256:" + "1" * 64,
    "digest": "sha256:" + "2" * 64,
}


def test_every_field_of_an_entry_is_tried_below() -> None:
    assert set(CHANGES) == set(Entry.model_fields)


@pytest.mark.parametrize("field", CHANGES)
@pytest.mark.parametrize("at", range(4))
def test_a_change_of_any_field_of_any_entry_shows(field: str, at: int) -> None:
    entries = journal()
    entries[at] = entries[at].model_copy(update={field: CHANGES[field]})
    assert verify(entries)


@pytest.mark.parametrize("at", range(3))
def test_a_changed_entry_that_was_sealed_again_shows_in_the_next(at: int) -> None:
    entries = journal()
    entries[at] = entries[at].model_copy(update={"data": {"text": "forged"}}).sealed()
    assert verify(entries) == [f"entry {at + 2} does not continue the entry before it"]


def test_a_change_is_named() -> None:
    entries = journal()
    entries[1] = entries[1].model_copy(update={"data": {"text": "forged"}})
    assert verify(entries) == ["entry 2 was changed after it was written"]


def test_a_gap_is_named() -> None:
    entries = journal()
    assert "entry 3 follows entry 1: something in between is missing or doubled" in verify([entries[0], *entries[2:]])


def test_a_cut_off_end_shows_by_what_the_request_has_come_to() -> None:
    assert verify(journal()[:-1], last=4) == ["the journal ends with entry 3, but the request has come to entry 4"]
    assert verify([], last=4)


def removed(entries: list[Entry], at: int, _: int) -> list[Entry]:
    return entries[:at] + entries[at + 1 :]


def swapped(entries: list[Entry], at: int, other: int) -> list[Entry]:
    entries[at], entries[other] = entries[other], entries[at]
    return entries


def doubled(entries: list[Entry], at: int, other: int) -> list[Entry]:
    return [*entries[:other], entries[at], *entries[other:]]


def foreign(entries: list[Entry], at: int, other: int) -> list[Entry]:
    return [*entries[:other], journal(10, "REQ-2002")[at], *entries[other:]]


@given(st.sampled_from((removed, swapped, doubled, foreign)), st.integers(2, 8), st.data())
def test_a_removal_swap_doubling_or_insertion_anywhere_shows(
    tamper: Callable[[list[Entry], int, int], list[Entry]], length: int, data: st.DataObject
) -> None:
    entries = journal(length)
    at, other = data.draw(st.permutations(range(length)))[:2]
    assert verify(tamper(list(entries), at, other), last=length)
