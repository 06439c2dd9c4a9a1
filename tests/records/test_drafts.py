from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from support.builders import NOON

from records.drafts import MAX_DRAFTS
from records.register import Draft, Register, TooManyDrafts, UnknownDraft


def a_draft(draft_id: str = "d-1", minutes: int = 0, **other: Any) -> Draft:
    plain = {
        "id": draft_id,
        "owner_id": "id-ada",
        "item": "wiki-editor",
        "answers": {"why": "Größe ≥ 10 µm, 🦊 \\ \u0000", "half": {"a": [1, None, True]}},
        "updated_at": NOON + timedelta(minutes=minutes),
    }
    return Draft(**plain | other)


def test_a_draft_is_read_back_as_it_was_saved(register: Register) -> None:
    draft = a_draft(beneficiary="bob")
    register.save_draft(draft)
    assert register.draft("id-ada", "d-1") == draft
    assert register.drafts("id-ada") == [draft]


def test_a_draft_saved_again_replaces_what_was_kept(register: Register) -> None:
    register.save_draft(a_draft(beneficiary="bob"))
    changed = a_draft(minutes=1, answers={}, item="vpn")
    register.save_draft(changed)
    assert register.drafts("id-ada") == [changed]


def test_drafts_are_listed_by_when_they_were_changed_last_first(register: Register) -> None:
    for draft in (a_draft("d-1", 2), a_draft("d-2", 1), a_draft("d-3", 3)):
        register.save_draft(draft)
    register.save_draft(a_draft("d-2", 4))
    assert [draft.id for draft in register.drafts("id-ada")] == ["d-2", "d-3", "d-1"]


def test_nobody_reads_changes_or_deletes_the_draft_of_another(register: Register) -> None:
    draft = a_draft()
    register.save_draft(draft)
    with pytest.raises(UnknownDraft, match="no draft d-1 of yours"):
        register.save_draft(a_draft(owner_id="id-eve", answers={}))
    assert register.draft("id-eve", "d-1") is None
    assert register.drafts("id-eve") == []
    assert not register.delete_draft("id-eve", "d-1")
    assert register.drafts("id-ada") == [draft]


def test_a_deleted_draft_is_gone_and_cannot_be_deleted_twice(register: Register) -> None:
    register.save_draft(a_draft("d-1"))
    register.save_draft(a_draft("d-2"))
    assert register.delete_draft("id-ada", "d-1")
    assert not register.delete_draft("id-ada", "d-1")
    assert [draft.id for draft in register.drafts("id-ada")] == ["d-2"]


@pytest.mark.parametrize("nothing", ["", "nothing", "d-1\x00", "\ud800", "x" * 5_000])
def test_an_unknown_or_malformed_id_finds_nothing(register: Register, nothing: str) -> None:
    register.save_draft(a_draft())
    assert register.draft("id-ada", nothing) is None
    assert not register.delete_draft("id-ada", nothing)


def test_a_person_has_a_hundred_drafts_at_most_and_may_still_change_them(register: Register) -> None:
    for n in range(MAX_DRAFTS):
        register.save_draft(a_draft(f"d-{n}"))
    with pytest.raises(TooManyDrafts, match="100 drafts; delete one"):
        register.save_draft(a_draft("one-more"))
    register.save_draft(a_draft("d-7", 1))
    register.save_draft(a_draft("hers", owner_id="id-eve"))
    assert len(register.drafts("id-ada")) == MAX_DRAFTS
    register.delete_draft("id-ada", "d-7")
    register.save_draft(a_draft("one-more"))


def test_of_two_people_who_save_by_the_same_id_at_once_one_gets_it(connect: Callable[[], Register]) -> None:
    registers = [connect() for _ in range(8)]

    def save(register: Register, owner_id: str) -> bool:
        try:
            register.save_draft(a_draft(owner_id=owner_id))
        except UnknownDraft:
            return False
        return True

    owners = [f"id-{n}" for n in range(8)]
    with ThreadPoolExecutor(8) as threads:
        saved = dict(zip(owners, threads.map(save, registers, owners), strict=True))
    assert {owner_id: bool(registers[0].drafts(owner_id)) for owner_id in owners} == saved
    assert sum(saved.values()) == 1
