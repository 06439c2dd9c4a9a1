"""Intake over HTTP: a body as a wish for the desk, what the desk says as an answer or a problem.

What is checked, and how an order is put together, is `activities.intake`'s business.
"""

from __future__ import annotations

from datetime import datetime

from activities.intake import Assessed, Desk, NotTaken, Received, Wish
from api.commands import visible_request
from api.problems import MOST_ERRORS, AlreadyOpen, IdempotencyConflict, Invalid, NotFound
from api.schemas import CopyOut, LeftOutOut, OrderIn, PlannedOut, PreviewOut
from catalog import answers
from catalog.form import FieldError
from catalog.model import digest
from catalog.people import Actor
from catalog.preview import Preview
from catalog.promise import kind_of, promise
from catalog.request import Status
from records import register as records
from records.register import KeyReused, Register, RequestView


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
        return desk.take(_wish(body, actor), key, _body_digest(body), at)
    except NotTaken as error:
        raise _invalid(error.errors) from error
    except KeyReused as error:
        raise IdempotencyConflict("You have used this Idempotency-Key for another order; use a new one.") from error
    except records.AlreadyOpen as error:
        raise _already_open(register, actor, error.number) from error


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
        channel=actor.channel,
        auth=actor.auth,
    )


def _body_digest(body: OrderIn) -> str:
    """Return the digest of what was sent; what is not said does not count, so that old bodies keep theirs."""
    said = {"item": body.item, "answers": body.answers, "beneficiary": body.beneficiary}
    more = body.model_dump(mode="json", include={"beneficiaries", "skip_ineligible", "follows"}, exclude_defaults=True)
    return digest(said | more)


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
