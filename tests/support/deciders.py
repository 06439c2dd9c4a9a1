"""Those who decide one stage, and the seats and approvals in which tests put them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from support.builders import NOON, a_person, a_stage, after, approvals_of, opening

from catalog.ballot import Approvals
from catalog.delegation import Deputy
from catalog.people import Person, PersonRef
from catalog.slate import Seat

ADA, TIM, BEN, CLEO, DORA, EVE, SAM, KAI = (
    a_person(name)
    for name in ("Ada Byron", "Tim Hall", "Ben Okri", "Cleo Moss", "Dora Fry", "Eve Ash", "Sam Poe", "Kai Lee")
)
"""Ada orders for Tim."""
M = "manager"
OVER = NOON + timedelta(days=10)
"""When the time of a stage is over, and that of those who stand in for somebody."""


def deputed(person: Person, *deputies: Person, **other: Any) -> Seat:
    """Return somebody's seat, with those who stand in for them."""
    chain = tuple(Deputy(person=one.ref(), via=("d1",)) for one in deputies)
    return Seat(person=person.ref(), deputies=chain, **other)


def life(*people: Person | Seat, **stage: Any) -> Approvals:
    """Return approvals whose one stage these people are asked to decide."""
    return after(approvals_of(a_stage(**stage), beneficiary=TIM), opening(*people))


def logins(people: Iterable[PersonRef]) -> list[str]:
    return [person.login for person in people]
