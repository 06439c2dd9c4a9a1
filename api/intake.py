"""Intake over HTTP: a body as a wish for the desk, what the desk says as an answer or a problem.

What is checked, and how an order is put together, is `activities.intake`'s business.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from activities.intake import Assessed, Desk, NotTaken, Received, Wish
from api.commands import visible_request
from api.problems import MOST_ERRORS, AlreadyOpen, IdempotencyConflict, Invalid, NotFound, NothingChanged
from api.schemas.orders import CopyOut, LeftOutOut, OrderIn, PlannedOut, PreviewOut
from api.schemas.requests import AmendmentIn
from catalog import amendment, answers
from catalog.form import FieldError
from catalog.model import digest
from catalog.people import Actor
from catalog.preview import Preview
from catalog.promise import kind_of, promise
from catalog.request import Amendment, Status
from records import register as records
from records.register import KeyReused, Register, RequestView, TaskView


def take(body: OrderIn, key: str, actor: Actor, *, at: datetime, desk: Desk, register: Register) -> Received:
    """Check an order and put it on record; one that is on record already is not checked again.

    Raises:
        Invalid: with everything that is wrong; nothing was written.
        AlreadyOpen: there is an open request for the same thing.
        IdempotencyConflict: the key stands for another order.
        ConnectorError, ChoicesUnavailable: somebody or something has to be looked up, and cannot be.
        RegisterUnavailable: nothing was written.
    """
    try:
        with _as_problems(register, actor):
            return desk.take(_wish(body, actor), key, _body_digest(body), at)
    except KeyReused as error:
        raise IdempotencyConflict("You have used this Idempotency-Key for another order; use a new one.") from error


def amend(
    view: RequestView, body: AmendmentIn, actor: Actor, *, at: datetime, desk: Desk, register: Register
) -> Amendment:
    """Return what an order becomes; its files and secrets are the request's from here on (feature row A22).

    Raises:
        Invalid: with everything that is wrong.
        NothingChanged: it says this already.
        AlreadyOpen: another request is open for what it would be.
        ConnectorError, ChoicesUnavailable, RegisterUnavailable: as `take`.
    """
    order = view.order
    with _as_problems(register, actor):
        judged = desk.amend(order, body.answers, at)
    if judged.order.answers == order.answers:
        raise NothingChanged(f"{order.number} says this already.")
    known = set(_texts(order.answers))
    try:
        # What the order names already is tied to it, or to what it is a part of.
        secrets = [ref for ref in judged.secrets if ref not in known]
        register.add_evidence(order.number, order.requester.id, judged.uploads, secrets)
    except (records.UnknownUpload, records.UnknownSecret) as error:
        raise _invalid((FieldError(field="answers", code="not-found", message=str(error)),)) from error
    return Amendment(answers=judged.order.answers, cost=judged.order.cost, of=order.subject)


def reduce(
    view: TaskView, given: dict[str, Any], actor: Actor, *, at: datetime, desk: Desk, register: Register
) -> Amendment | None:
    """Return what an approver makes of an order by approving it; None if that is what it says (feature row A11).

    Raises:
        Invalid: they may not make this smaller, or with everything that is wrong.
        ConnectorError, ChoicesUnavailable, RegisterUnavailable: as `take`.
    """
    order, task = view.request.order, view.task
    stage = next((one for one in order.stages if one.id == task.stage), None)
    if stage is None or task.kind != "approval":
        raise Invalid("Nothing is changed by deciding this.", errors=[_ANSWERS])
    with _as_problems(register, actor):
        judged = desk.amend(order, given, at)
    errors = amendment.refuse_reduction(order.item, stage, order.answers, judged.order.answers)
    if errors:
        raise Invalid("This goes beyond what you may change by approving.", errors=errors)
    if judged.order.answers == order.answers:
        return None
    return Amendment(answers=judged.order.answers, cost=judged.order.cost, of=order.subject)


_ANSWERS = FieldError(field="answers", code="unknown", message="Leave this out.")


@contextmanager
def _as_problems(register: Register, actor: Actor) -> Iterator[None]:
    """Say as a problem why an order is not taken, or not changed."""
    try:
        yield
    except NotTaken as error:
        raise _invalid(error.errors) from error
    except records.AlreadyOpen as error:
        raise _already_open(register, actor, error.number) from error


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in an answer."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def _invalid(errors: tuple[FieldError, ...]) -> Invalid:
    return Invalid("The order is not taken; correct what is wrong.", errors=errors[:MOST_ERRORS])


def _already_open(register: Register, actor: Actor, number: str) -> AlreadyOpen:
    """Return the problem that names the open request, if the actor may see it."""
    try:
        visible_request(register, actor, number)
    except NotFound:
        number = "A request"
    return AlreadyOpen(f"{number} is already open for this.")


def _wish(body: OrderIn, actor: Actor) -> Wish:
    return Wish(
        item=body.item,
        answers=body.answers,
        requester=actor.person,
        beneficiaries=(body.beneficiary,) if body.beneficiary else body.beneficiaries,
        skip_ineligible=body.skip_ineligible,
        follows=body.follows or "",
        replaces=body.replaces or "",
        operator=actor.operator,
        channel=actor.channel,
        auth=actor.auth,
    )


def _body_digest(body: OrderIn) -> str:
    """Return the digest of what was sent; what is not said does not count, so that old bodies keep theirs."""
    said = {"item": body.item, "answers": body.answers, "beneficiary": body.beneficiary}
    more = body.model_dump(mode="json", include=_LATER, exclude_defaults=True)
    return digest(said | more)


_LATER = {"beneficiaries", "skip_ineligible", "follows", "replaces"}
"""What can be said of an order since the first release."""


def look(body: OrderIn, actor: Actor, *, at: datetime, desk: Desk, register: Register) -> PreviewOut:
    """Return what would become of an order (feature row A3); nothing is written.

    Raises:
        ConnectorError, ChoicesUnavailable, RegisterUnavailable: as `take`.
    """
    try:
        assessed = desk.assess(_wish(body, actor), at)
    except NotTaken as error:
        return PreviewOut(may_be_ordered=False, errors=error.errors)
    errors = assessed.everything()
    may = not assessed.errors and bool(assessed.able()) and (body.skip_ineligible or not assessed.against)
    return PreviewOut(
        may_be_ordered=may,
        errors=errors[:MOST_ERRORS],
        left_out=_left_out(assessed) if may else (),
        orders=_planned(assessed, desk, register, at),
    )


def _planned(assessed: Assessed, desk: Desk, register: Register, at: datetime) -> tuple[PlannedOut, ...]:
    """Return what becomes of each order; of none that one may not place, for who would decide tells about people."""
    plans = [
        (one.order, desk.foresee(one))
        for whole in assessed.people
        if not whole.errors and not whole.denied
        for one in whole.all_orders()
    ]
    took = register.lengths([order for order, _ in plans])
    return tuple(
        PlannedOut.of(order, planned, promise(took[kind_of(order)], at, at, _owed(planned))) for order, planned in plans
    )


def _owed(planned: Preview) -> datetime:
    """Return by when an order is promised without any history."""
    return max(planned.due_at, planned.decided_by or planned.due_at)


def _left_out(assessed: Assessed) -> tuple[LeftOutOut, ...]:
    return tuple(
        LeftOutOut(login=login, why=" ".join(error.message for error in errors))
        for login, errors in assessed.against.items()
    )


def copy(view: RequestView, actor: Actor) -> CopyOut:
    """Return the body by which the requester can order the same again (feature row C9).

    Raises:
        NotFound: the request is somebody else's.
    """
    order = view.order
    if order.requester.id != actor.person.id:
        raise NotFound("Only who ordered it can order it again.")
    people = [line for line in order.lines if line.item == order.item.id]
    given = people[0].answers if people else order.answers
    return CopyOut(
        item=order.item.id,
        answers=answers.as_given(order.item.form, given),
        beneficiary=None if people else order.beneficiary.login,
        beneficiaries=tuple(line.beneficiary.login for line in people),
        follows=order.number if view.projection.status is Status.CLOSED else None,
    )
