"""Intake: from what a client sends to an order on record, or to everything that is wrong with it.

Nothing is written before everything was checked. How answers are checked is `catalog.form`'s business, how an
order becomes a workflow the sweeper's.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from activities.errors import NotFound
from activities.ports import Directory
from api.problems import MOST_ERRORS, IdempotencyConflict, Invalid
from api.schemas import OrderIn
from catalog import form
from catalog.form import FieldError
from catalog.item import CatalogItem
from catalog.loader import Catalog
from catalog.model import digest
from catalog.people import Actor, PersonRef
from records.register import KeyReused, NewOrder, Register, Taken


def take(
    body: OrderIn, key: str, actor: Actor, *, at: datetime, catalog: Catalog, directory: Directory, register: Register
) -> Taken:
    """Check an order and put it on record; one that is on record already is not checked again.

    Raises:
        Invalid: with every field that is wrong; nothing was written.
        IdempotencyConflict: the key stands for another order.
        ConnectorError: somebody has to be looked up, and the directory does not answer; nothing was written.
        RegisterUnavailable: nothing was written.
    """
    body_digest = digest({"item": body.item, "answers": body.answers, "beneficiary": body.beneficiary})
    try:
        # The first answer again, whatever has become of the item, the people or the directory since.
        standing = register.taken(actor.person.id, key, body_digest)
        if standing is not None:
            return Taken(order=standing, fresh=False)
        return register.take(_checked(body, key, body_digest, actor, at=at, catalog=catalog, directory=directory))
    except KeyReused as error:
        raise IdempotencyConflict("You have used this Idempotency-Key for another order; use a new one.") from error


def _checked(
    body: OrderIn, key: str, body_digest: str, actor: Actor, *, at: datetime, catalog: Catalog, directory: Directory
) -> NewOrder:
    item = catalog.get(body.item)
    if item is None:
        raise Invalid(
            "There is no such item.",
            errors=[FieldError(field="item", code="unknown", message="The catalog has no item of this id.")],
        )
    people = _People(directory)
    beneficiary = _beneficiary(body.beneficiary, actor, people)
    answers = _answers(item, body.answers, people)
    if people.errors or beneficiary is None:
        raise Invalid("The order is not taken; correct what is wrong.", errors=people.errors)
    return NewOrder(
        item=item,
        item_digest=catalog.digest_of(item.id),
        answers=answers,
        requester=actor.person,
        beneficiary=beneficiary,
        channel=actor.channel,
        auth=actor.auth,
        idempotency_key=key,
        body_digest=body_digest,
        accepted_at=at,
    )


def _beneficiary(login: str | None, actor: Actor, people: _People) -> PersonRef | None:
    """Return for whom it is ordered; nobody is looked up for an order for oneself."""
    if login is None or login.casefold() == actor.person.login.casefold():
        return actor.person
    return people.look_up("beneficiary", login)


def _answers(item: CatalogItem, answers: dict[str, Any], people: _People) -> dict[str, Any]:
    """Return the answers as they are stored: people by their immutable id."""
    if len(answers) > len(item.form) + MOST_ERRORS:
        people.errors.append(
            FieldError(field="answers", code="unknown", message="There are far more answers than asked.")
        )
        return {}
    checked = form.check(item.form, answers)
    people.errors += checked.errors
    stored = dict(checked.answers)
    for field, login in checked.people.items():
        person = people.look_up(field, login)
        stored[field] = person and {"id": person.id, "login": person.login, "name": person.name}
    return stored


class _People:
    """Looks people up and gathers what is wrong."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self.errors: list[FieldError] = []

    def look_up(self, field: str, login: str) -> PersonRef | None:
        """Return the person, or None and an error more."""
        try:
            person = self._directory.person_by_login(login)
        except NotFound:
            self.errors.append(
                FieldError(field=field, code="not-found", message="The directory knows nobody of this login.")
            )
            return None
        if not person.active:
            self.errors.append(
                FieldError(field=field, code="value", message=f"The account of {person.name} is not active.")
            )
            return None
        return person.ref()
