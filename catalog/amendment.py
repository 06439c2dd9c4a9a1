"""Changing what was ordered while it is being approved: by who ordered it, or, to less, by who decides (rows A11, A22).

Pure. Changed answers are checked as those of a new order are, which is the intake's business; which votes fall is
`approval`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from catalog import form
from catalog.fields import DateField, DatetimeField, DecimalField, DurationField, Field, IntegerField, MoneyField
from catalog.form import FieldError
from catalog.item import CatalogItem
from catalog.stages import Stage

MEASURED = (IntegerField, DecimalField, MoneyField, DateField, DatetimeField, DurationField)
"""The fields of which one answer is smaller than another: fewer, cheaper, earlier, shorter."""


def merged(stored: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers of an order with some of them changed; None takes an answer away."""
    return {name: answer for name, answer in {**stored, **given}.items() if answer is not None}


def outdated(errors: Iterable[FieldError], given: Mapping[str, Any]) -> set[str]:
    """Return the earlier answers that nobody gives now and that have no place beside those that are given.

    What is no longer asked goes, and what fills itself in is filled in anew.
    """
    return {error.field for error in errors if error.code in ("hidden", "read-only")} - given.keys()


def refuse_reduction(
    item: CatalogItem, stage: Stage, before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[FieldError, ...]:
    """Return what in a change goes beyond what those who decide a stage may do: make its own answers smaller (row A11).

    What people cannot answer themselves follows from the other answers, and may be anything.

    Args:
        item: whose form it is.
        stage: names the answers in `may_reduce`.
        before: all answers, in their stored form.
        after: the same, changed.
    """
    changed = (field for field in item.form if before.get(field.id) != after.get(field.id))
    errors = (_refused(field, stage, before, after) for field in changed if field.read_only is not True)
    return tuple(error for error in errors if error)


def _refused(field: Field, stage: Stage, before: Mapping[str, Any], after: Mapping[str, Any]) -> FieldError | None:
    if field.id not in stage.may_reduce:
        message = f"{field.label}: {stage.name} decides on this as it is."
        return FieldError(field=field.id, code="not-allowed", message=message)
    if not isinstance(field, MEASURED) or field.id not in before or field.id not in after:
        message = f"{field.label}: there is nothing to make smaller."
        return FieldError(field=field.id, code="not-allowed", message=message)
    if _measure(field, after[field.id]) < _measure(field, before[field.id]):
        return None
    most = form.shown(field, before[field.id])
    return FieldError(field=field.id, code="range", message=f"{field.label}: this can only be less than {most}.")


def _measure(field: Field, stored: Any) -> Any:
    """Return an answer as what it is compared by."""
    value = form.typed(field, stored)
    return value["amount"] if isinstance(field, MoneyField) else value
