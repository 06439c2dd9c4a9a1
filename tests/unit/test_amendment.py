"""Changing an order: what becomes of its answers, and what an approver may make smaller (feature rows A11, A22)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import a_person, a_stage, after, an_item, an_order, approvals_of, cast, opening, stage_of

from catalog import amendment, form
from catalog.ballot import Amend, StageStatus
from catalog.form import FieldError
from catalog.item import CatalogItem
from catalog.plan import plan
from catalog.request import Amendment

FIELDS: list[dict[str, Any]] = [
    {"id": "count", "type": "integer", "label": "How many", "required": False},
    {"id": "size", "type": "decimal", "label": "Size", "required": False},
    {"id": "budget", "type": "money", "label": "Budget", "currency": "EUR", "required": False},
    {"id": "day", "type": "date", "label": "Day", "required": False},
    {"id": "at", "type": "datetime", "label": "At", "required": False},
    {"id": "length", "type": "duration", "label": "Length", "required": False},
    {"id": "why", "type": "text", "label": "Why", "required": False},
    {"id": "ends", "type": "text", "label": "Ends", "read_only": True, "default": "{{ form.count }}"},
    {"id": "note", "type": "text", "label": "Note", "read_only": "form.count == 1", "required": False},
]
MARA, BEN = a_person("Mara Lind"), a_person("Ben Bright")
MEASURED = ("count", "size", "budget", "day", "at", "length")
STAGE = a_stage(may_reduce=(*MEASURED, "why"))


def an_item_of_measures() -> CatalogItem:
    return CatalogItem.model_validate(an_item().model_dump() | {"form": FIELDS})


ITEM = an_item_of_measures()


def refused(before: dict[str, Any], after: dict[str, Any], **stage: Any) -> list[tuple[str, str]]:
    """Return what is wrong with a reduction of these answers, as a client gives them."""
    stored = [form.check(ITEM.form, answers, {}).answers for answers in (before, after)]
    errors = amendment.refuse_reduction(ITEM, STAGE.model_copy(update=stage), *stored)
    return [(error.field, error.code) for error in errors]


SMALLER: dict[str, tuple[Any, Any]] = {
    "count": (10, 9),
    "size": ("1.50", "1.5"[:1]),
    "budget": ({"amount": 1000, "currency": "EUR"}, {"amount": 999, "currency": "EUR"}),
    "day": ("2025-03-10", "2025-03-09"),
    "at": ("2025-03-10T12:00:00+00:00", "2025-03-10T12:59:00+01:00"),
    "length": ("1 week", "6 days"),
}


@pytest.mark.parametrize("field", MEASURED)
def test_a11_less_of_every_kind_is_less_and_more_is_not(field: str) -> None:
    more, less = SMALLER[field]
    assert refused({field: more}, {field: less}) == []
    assert refused({field: less}, {field: more}) == [(field, "range")]


def test_a11_the_same_length_in_other_words_is_not_less() -> None:
    assert refused({"length": "1 week"}, {"length": "7 days"}) in ([], [("length", "range")])
    assert refused({"length": "1 week"}, {"length": "8 days"}) == [("length", "range")]


def test_a11_only_what_the_stage_names_is_made_smaller() -> None:
    assert refused({"count": 3, "size": 2}, {"count": 2, "size": 1}, may_reduce=("count",)) == [("size", "not-allowed")]
    assert refused({"count": 3}, {"count": 2}, may_reduce=()) == [("count", "not-allowed")]


def test_a11_what_has_no_size_is_never_made_smaller() -> None:
    assert refused({"why": "work"}, {"why": "play"}) == [("why", "not-allowed")]


def test_a11_answers_neither_come_nor_go() -> None:
    assert refused({}, {"count": 1}) == [("count", "not-allowed")]
    assert refused({"count": 1}, {}) == [("count", "not-allowed")]


def test_a11_what_follows_from_other_answers_may_be_anything_and_what_people_can_answer_may_not() -> None:
    errors = amendment.refuse_reduction(ITEM, STAGE, {"count": 2, "ends": "2"}, {"count": 1, "ends": "1"})
    assert errors == ()
    errors = amendment.refuse_reduction(ITEM, STAGE, {"count": 2, "note": "a"}, {"count": 1, "note": "b"})
    assert [error.field for error in errors] == ["note"]


def test_a11_what_is_refused_says_how_much_there_is() -> None:
    (error,) = amendment.refuse_reduction(ITEM, STAGE, {"count": 2}, {"count": 3})
    assert error.message == "How many: this can only be less than 2."


@given(st.integers(-50, 50), st.integers(-50, 50))
def test_a11_a_number_is_granted_exactly_if_it_is_less(before: int, after: int) -> None:
    assert bool(refused({"count": before}, {"count": after})) is (after > before)


def test_a22_changed_answers_are_laid_over_the_others_and_nothing_takes_one_away() -> None:
    assert amendment.merged({"a": 1, "b": 2, "c": 3}, {"b": 5, "c": None, "d": None}) == {"a": 1, "b": 5}


def test_a22_what_has_no_place_any_more_goes_unless_it_is_given_now() -> None:
    codes = {"a": "hidden", "b": "read-only", "c": "hidden", "d": "missing"}
    errors = [FieldError(field=name, code=code, message="x") for name, code in codes.items()]
    assert amendment.outdated(errors, {"c": 1}) == {"a", "b"}


# ---------------------------------------------------------------- what follows from a change


def test_a11_who_makes_an_order_so_small_that_they_are_not_needed_still_decides_it() -> None:
    state = after(approvals_of(a_stage(), beneficiary=BEN), opening(MARA))
    large, small, subjects = (a_stage(when="form.days > 30"),), {"form": {"days": 7}}, {"manager": "sha256:2"}
    event = Amend(planned=plan(large, small, by_stage="manager"), subjects=subjects, by_stage="manager")
    theirs = after(state, event)
    assert stage_of(theirs).status is StageStatus.OPEN
    assert after(theirs, cast(MARA)).outcome is StageStatus.APPROVED
    anybodys = after(state, Amend(planned=plan(large, small), subjects=subjects))
    assert anybodys.stage("manager") is None


def test_c12_an_order_stands_for_its_item_its_person_and_what_tells_it_from_others() -> None:
    item = an_item(distinct_by=("why",))
    order = an_order(item=item, answers={"why": "paint", "other": 1})
    same = order.model_copy(update={"answers": {"why": "paint", "other": 2}})
    other = order.amended(Amendment(answers={"why": "glue"}))
    assert order.stands_for == same.stands_for
    assert order.stands_for != other.stands_for
    assert an_order(item=an_item(duplicates="allow")).stands_for is None
