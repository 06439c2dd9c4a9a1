"""Messages of an item's own: to whom, with what, and never in the way of the request."""

from __future__ import annotations

from typing import Any

import pytest
from support.builders import NOON, a_person, an_item, an_order

from catalog import message
from catalog.expression import ExpressionError
from catalog.fields import PeopleField, TextField
from catalog.item import Notification

ADA, BEN = a_person(), a_person("Ben Okri")
MARA = {"id": "id-mara", "login": "mara", "name": "Mara Lind", "mail": "mara@example.org"}


def notification(**other: Any) -> Notification:
    plain = {"on": "closed", "to": ("requester",), "subject": "{{ item.name }}", "text": "{{ outcome }}: {{ reason }}"}
    return Notification(**plain | other)


def told(*notifications: Notification, event: str = "closed", answers: dict[str, Any] | None = None) -> list[Any]:
    form = (TextField(id="why", type="text", label="Why"), PeopleField(id="team", type="people", label="Team"))
    order = an_order(item=an_item(notifications=notifications, form=form), beneficiary=BEN.ref(), answers=answers or {})
    sent = message.own(order, event, NOON, {"outcome": "fulfilled", "reason": "Seen."})
    return [(person.login, text["subject"], text["text"]) for person, text in sent]


def test_a_message_is_sent_at_its_event_only() -> None:
    assert told(notification()) == [("ada", "Wiki editor", "fulfilled: Seen.")]
    assert told(notification(), event="opened") == []


def test_a_message_has_a_condition() -> None:
    assert told(notification(when="outcome == 'rejected'")) == []


def test_each_recipient_gets_one_however_often_they_are_named() -> None:
    to = ("requester", "beneficiary", "{{ form.team }}", "desk@example.org", "requester", "{{ form.why }}")
    people = [person for person, _, _ in told(notification(to=to), answers={"team": [MARA]})]
    assert people == ["ada", "ben", "mara", "desk@example.org"]


def test_a_message_that_cannot_be_worked_out_is_left_out_and_the_others_are_sent() -> None:
    assert told(notification(text="{{ form.typo }}"), notification()) == [("ada", "Wiki editor", "fulfilled: Seen.")]


def test_a_subject_that_comes_out_empty_or_fails_is_the_items_name_and_the_message_is_sent() -> None:
    odd = (notification(subject="{{ form.why }}"), notification(subject="{{ form.typo }}"))
    assert [subject for _, subject, _ in told(*odd)] == ["Wiki editor", "Wiki editor"]


def test_people_are_named_in_a_message_that_is_one_expression() -> None:
    [(_, subject, text)] = told(
        notification(subject="{{ form.team }}", text="{{ form.team }}"), answers={"team": [MARA]}
    )
    assert (subject, text) == ("Mara Lind", "Mara Lind")


def test_a_recipient_who_is_nobody_is_the_items_fault() -> None:
    with pytest.raises(ExpressionError, match="a recipient is"):
        message.recipients(an_order(), ("mara",), {})


def test_a_person_without_what_makes_one_is_the_items_fault() -> None:
    with pytest.raises(ExpressionError, match="a recipient is a person"):
        message.recipients(an_order(), ("{{ form.who }}",), {"form": {"who": {**MARA, "mail": 5}}})
