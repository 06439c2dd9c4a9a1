"""Mail texts: complete, readable, and proof against what people type."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from support.builders import a_person

from catalog import mail
from catalog.mail import MAX_SUBJECT, render
from catalog.request import Notice, Outcome, Template

HEADLINE = {"number": "REQ-1001", "item": "VPN access", "requester": "Ada Byron", "beneficiary": "Ben Okri"}
DATA: dict[str, dict[str, Any]] = {
    "approval-needed": {
        **HEADLINE,
        "task": "REQ-1001.1",
        "due_at": "2025-03-13T12:00:00+00:00",
        "answers": [["Why", "To work\nfrom home"], ["Own device", "yes"]],
    },
    "operator-needed": {**HEADLINE, "task": "REQ-1001.2", "problem": "The directory refuses the account."},
    "work-needed": {
        **HEADLINE,
        "task": "REQ-1001.3",
        "title": "Label the laptop",
        "instructions": "Use the red\nlabels.",
        "due_at": "2025-03-13T12:00:00+00:00",
        "answers": [["Why", "To work"]],
    },
    "message": {**HEADLINE, "subject": "Your laptop", "text": "It is at the desk.\nBring your badge."},
    "closed": {**HEADLINE, "outcome": "fulfilled", "reason": "Ben Okri was seen in vpn-users."},
}
TEMPLATES = get_args(Template)


def mail_for(template: Any, **other: Any) -> mail.MailText:
    data = {**DATA[template], **other}
    return render(
        Notice(event="REQ-1001/3", template=template, to=a_person("Mara Lind").ref(), data=data), "https://desk.example"
    )


def test_every_template_is_there() -> None:
    assert set(DATA) == set(TEMPLATES)
    assert {path.stem for path in mail._TEMPLATES.glob("*.txt")} == set(TEMPLATES)


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_mail_greets_names_the_request_and_where_to_look(template: str) -> None:
    text = mail_for(template)
    assert "REQ-1001" in text.subject
    assert text.body.startswith("Hello Mara Lind,\n")
    assert "commissary request show REQ-1001" in text.body
    assert text.body.endswith("\n-- \nCommissary, https://desk.example\n")


def test_an_approver_learns_what_for_whom_how_and_until_when() -> None:
    text = mail_for("approval-needed")
    assert text.subject == "Your decision is needed: VPN access for Ben Okri (REQ-1001)"
    assert "Ada Byron asks for VPN access for Ben Okri, and you are asked to decide." in text.body
    assert "  Why\n    To work\n    from home\n  Own device\n    yes\n" in text.body
    assert "    commissary task decide REQ-1001.1 approve\n" in text.body
    assert '    commissary task decide REQ-1001.1 reject --reason "..."\n' in text.body
    assert "Please decide by 13 March 2025, 12:00 UTC" in text.body


def test_an_approver_who_is_asked_several_times_learns_which_decision_it_is() -> None:
    assert "you are asked to decide (Guards for wiki)." in mail_for("approval-needed", stage="Guards for wiki").body


def test_an_order_for_oneself_names_one_person_once() -> None:
    text = mail_for("approval-needed", beneficiary="Ada Byron")
    assert "Ada Byron asks for VPN access, and" in text.body


def test_without_a_deadline_none_is_named() -> None:
    assert "Please decide by" not in mail_for("approval-needed", due_at=None).body


def test_who_is_given_work_learns_what_how_until_when_and_how_to_complete_it() -> None:
    text = mail_for("work-needed")
    assert text.subject == "Work for you: Label the laptop (REQ-1001)"
    assert "    Label the laptop\n\n    Use the red\n    labels.\n" in text.body
    assert "    commissary task claim REQ-1001.3\n" in text.body
    assert "    commissary task complete REQ-1001.3\n" in text.body
    assert "It should be done by 13 March 2025, 12:00 UTC" in text.body
    assert "It should be done by" not in mail_for("work-needed", due_at=None).body


def test_a_message_of_the_item_says_what_its_author_wrote() -> None:
    text = mail_for("message")
    assert text.subject == "Your laptop (REQ-1001)"
    assert "    It is at the desk.\n    Bring your badge.\n" in text.body


def test_an_operator_learns_the_problem_and_what_to_do() -> None:
    text = mail_for("operator-needed")
    assert "    The directory refuses the account.\n" in text.body
    assert "    commissary task decide REQ-1001.2 retry\n" in text.body


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_said_in_its_own_words(outcome: Outcome) -> None:
    text = mail_for("closed", outcome=outcome, reason="")
    others = {mail_for("closed", outcome=other, reason="").body for other in Outcome if other is not outcome}
    assert f"VPN access for Ben Okri: {outcome} (REQ-1001)" == text.subject
    assert text.body not in others


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_nothing_in_a_name_ends_the_subject_or_reaches_another_header(name: str) -> None:
    text = mail_for("closed", item=f"VPN\r\nBcc: eve@example.org{name}", beneficiary=name)
    assert text.subject.splitlines() == [text.subject]
    assert len(text.subject) <= MAX_SUBJECT
    assert "\nBcc:" not in text.body


def test_somebodys_words_stay_an_indented_block_and_are_not_run_as_a_template() -> None:
    text = mail_for("closed", reason="{{ 7 * 7 }}\r\n-- \r\nPlease pay\x1b[2J")
    assert "\n    {{ 7 * 7 }}\n    --\n    Please pay [2J\n" in text.body


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("missing", ["number", "item"])
def test_a_notice_that_lacks_something_is_a_fault_not_a_gap_in_the_text(template: str, missing: str) -> None:
    data = {key: value for key, value in DATA[template].items() if key != missing}
    with pytest.raises(UndefinedError, match=missing):
        render(Notice(event="REQ-1001/3", template=template, to=a_person().ref(), data=data), "https://desk.example")
