"""The messages an item itself sends, beside those of every request (feature row N2): to whom, and what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from catalog import names
from catalog.data import fill, fill_text, fill_title, holds
from catalog.expression import ExpressionError
from catalog.people import PersonRef
from catalog.request import Order

ROLES = ("requester", "beneficiary")
"""Whom a recipient can name by role; anybody else is a person from an answer, or a mail address."""


def own(order: Order, event: str, at: datetime, facts: Mapping[str, str]) -> Iterator[tuple[PersonRef, dict[str, str]]]:
    """Yield the recipients and texts of an item's messages at an event.

    One that cannot be evaluated is left out: a message is never a reason for which a request stops. Without a subject
    it is about the item.
    """
    known = names.of_order(order, at) | {"outcome": facts.get("outcome", ""), "reason": facts.get("reason", "")}
    for one in order.item.notifications:
        if one.on != event:
            continue
        try:
            if holds(one.when, known):
                subject = fill_title(one.subject, known, order.item.name)
                text = {"subject": subject, "text": fill_text(one.text, known)}
                people = recipients(order, one.to, known)
                yield from ((person, text) for person in people)
        except ExpressionError:
            continue


def recipients(order: Order, to: tuple[Any, ...], known: Mapping[str, Any]) -> tuple[PersonRef, ...]:
    """Return who is meant, each once.

    Raises:
        ExpressionError: a recipient cannot be worked out, or is neither a role, nor a person, nor a mail address.
    """
    found = {person.id: person for one in to for person in _recipients(order, one, known)}
    return tuple(found.values())


def _recipients(order: Order, to: Any, known: Mapping[str, Any]) -> Iterator[PersonRef]:
    match fill(to, known):
        case "requester":
            yield order.requester
        case "beneficiary":
            yield order.beneficiary
        case None | "":
            return
        case str(address) if "@" in address:
            yield PersonRef(id=f"mail:{address}", login=address, name=address, mail=address)
        case {"id": str(), "login": str(), "name": str()} as person:
            try:
                yield PersonRef.model_validate(person)
            except ValidationError:
                raise ExpressionError("a recipient is a person; what was given here is none") from None
        case list(several):
            for one in several:
                yield from _recipients(order, one, known)
        case _:
            raise ExpressionError("a recipient is requester, beneficiary, a person from an answer or a mail address")
