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

DUE = "2025-03-13T12:00:00+00:00"
HEADLINE = {"number": "REQ-1001", "item": "VPN access", "requester": "Ada Byron", "beneficiary": "Ben Okri"}
DATA: dict[str, dict[str, Any]] = {
    "approval-needed": {
        **HEADLINE,
        "task": "REQ-1001.1",
        "due_at": DUE,
        "answers": [["Why", "To work\nfrom home"], ["Own device", "yes"]],
    },
    "operator-needed": {**HEADLINE, "task": "REQ-1001.2", "problem": "The directory refuses the account."},
    "work-needed": {
        **HEADLINE,
        "task": "REQ-1001.3",
        "title": "Label the laptop",
        "instructions": "Use the red\nlabels.",
        "due_at": DUE,
        "answers": [["Why", "To work"]],
    },
    "message": {**HEADLINE, "subject": "Your laptop", "text": "It is at the desk.\nBring your badge."},
    "late-timer": {**HEADLINE, "what": "Line manager: a decision is needed", "until": DUE},
    "closed": {**HEADLINE, "outcome": "fulfilled", "reason": "Ben Okri was seen in vpn-users."},
}
DELEGATION = {
    "id": "dlg-1",
    "person": "Ada Byron",
    "delegate": "Kim Okoro",
    "begins": DUE,
    "ends": "2025-03-20T12:00:00+00:00",
    "scope": "everything",
    "reason": "On leave",
    "by": "Otto Operator",
}
DATA |= {"delegation-set": DELEGATION, "delegation-withdrawn": DELEGATION}
STAGE = {
    **HEADLINE,
    "task": "REQ-1001.1",
    "stage": "Line manager",
    "due_at": DUE,
    "at_deadline": "The request expires.",
    "answers": [["Why", "To work\nfrom home"]],
}
QUESTION = {"asker": "Mara Lind", "question": "What for?\nSay more."}
DATA |= {
    "reminder": STAGE,
    "deadline-near": STAGE,
    "question": {**STAGE, **QUESTION},
    "advice-needed": {**STAGE, **QUESTION},
    "answered": {**STAGE, "by": "Ada Byron", "answer": "To work\nfrom home."},
    "amended": {**HEADLINE, "by": "Mara Lind", "reason": "Enough", "changed": [["Weeks", "40", "8"], ["Why", "x", ""]]},
    "clock": {**HEADLINE, "name": "Decision", "percent": 75, "due_at": DUE},
}
ENTRY = {**HEADLINE, "task": "REQ-1001.1", "stage": "Guards", "due_at": DUE, "reminded": True}
OTHER = {**HEADLINE, "beneficiary": "Ada Byron", "task": "REQ-1001.2", "stage": None, "due_at": None, "reminded": False}
DATA["digest"] = {"entries": [ENTRY, OTHER], "more": 0}
TEMPLATES = get_args(Template)
ABOUT_REQUESTS = [template for template in TEMPLATES if not template.startswith(("delegation-", "digest"))]


def mail_for(template: Any, **other: Any) -> mail.MailText:
    data = {**DATA[template], **other}
    return render(
        Notice(event="REQ-1001/3", template=template, to=a_person("Mara Lind").ref(), data=data), "https://desk.example"
    )


def test_every_template_is_there() -> None:
    assert set(DATA) == set(TEMPLATES)
    assert {path.stem for path in mail._TEMPLATES.glob("*.txt")} == set(TEMPLATES)


@pytest.mark.parametrize("template", ABOUT_REQUESTS)
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


def test_a_reminder_says_what_happens_otherwise_and_what_else_can_be_done() -> None:
    text = mail_for("reminder")
    assert text.subject == "Reminder: your decision on VPN access for Ben Okri is awaited (REQ-1001)"
    assert "Please decide by 13 March 2025, 12:00 UTC. What happens then: The request expires." in text.body
    assert "    commissary task reassign REQ-1001.1 --to LOGIN\n" in text.body
    assert "Please decide by" not in mail_for("reminder", due_at=None).body
    assert "still waits for VPN access for Ben Okri. It is not decided yet (Line manager).\n" in text.body


def test_a_question_is_quoted_and_says_how_to_answer_it() -> None:
    text = mail_for("question")
    assert "Mara Lind wants to know, before deciding on VPN access for Ben Okri (Line manager):\n" in text.body
    assert "    What for?\n    Say more.\n" in text.body
    assert '    commissary task answer REQ-1001.1 "..."\n' in text.body


def test_what_has_changed_is_told_with_what_it_is_now() -> None:
    body = mail_for("amended").body
    assert "  Weeks\n    8\n" in body
    assert "  Why\n    nothing any more\n" in body
    assert "Why:\n\n    Enough" in body
    assert "Why:" not in mail_for("amended", reason="").body


def test_a_deadline_that_is_near_is_named() -> None:
    text = mail_for("deadline-near")
    assert text.subject == "The time to decide is nearly over: VPN access for Ben Okri (REQ-1001)"
    assert "Ada Byron asks for VPN access for Ben Okri, and it is not decided yet (Line manager). Your" in text.body
    assert (
        "Your time to decide ends on 13 March 2025, 12:00 UTC. What happens then: The request expires.\n" in text.body
    )
    assert "Your time to decide is nearly over.\n" in mail_for("deadline-near", due_at=None, at_deadline="").body


def test_a_clock_says_how_much_of_its_time_is_over() -> None:
    assert mail_for("clock").subject.startswith("75 % of the time is over: Decision of VPN access for Ben Okri")
    assert "has taken 75 % of its time; it is due by 13 March 2025" in mail_for("clock").body
    late = mail_for("clock", percent=100, due_at=None)
    assert late.subject.startswith("Late: Decision of VPN access")
    assert "longer than was promised" in late.body


def test_an_approver_who_is_asked_several_times_learns_which_decision_it_is() -> None:
    assert "you are asked to decide (Guards for wiki)." in mail_for("approval-needed", stage="Guards for wiki").body


def test_an_order_for_oneself_names_one_person_once() -> None:
    text = mail_for("approval-needed", beneficiary="Ada Byron")
    assert "Ada Byron asks for VPN access, and" in text.body


@pytest.mark.parametrize("then", ["It goes to Rolf Chief as well for 2 days.", "It counts as approved."])
def test_an_approver_learns_what_comes_of_silence(then: str) -> None:
    body = mail_for("approval-needed", at_deadline=then).body
    assert f"Please decide by 13 March 2025, 12:00 UTC. What happens then: {then}\n\nWhat has happened" in body
    assert "expires" not in body


def test_of_an_earlier_release_an_approver_learns_until_when_only() -> None:
    body = mail_for("approval-needed").body
    assert "at_deadline" not in DATA["approval-needed"]
    assert "Please decide by 13 March 2025, 12:00 UTC.\n\nWhat has happened" in body


IN_PLACE = ["You are asked in the place of Kim Okoro, by delegation.", "It has come to you late."]


@pytest.mark.parametrize("template", ["approval-needed", "reminder", "deadline-near"])
def test_a8_whoever_is_asked_learns_why_in_a_paragraph_of_its_own(template: str) -> None:
    said = "\n\nYou are asked in the place of Kim Okoro, by delegation. It has come to you late.\n\n  Why\n"
    assert said in mail_for(template, asked=IN_PLACE).body
    without = mail_for(template, asked=[])
    assert without == mail_for(template)
    assert "in the place of" not in without.body
    assert "\n\n\n" not in without.body


def test_an_approver_who_is_asked_while_a_question_is_open_learns_what_it_is() -> None:
    body = mail_for("approval-needed", **QUESTION, due_at=None).body
    said = "Mara Lind has asked Ada Byron a question, and the time to decide stands still until it is answered:"
    assert f"\n\n{said}\n\n    What for?\n    Say more.\n\n  Why\n" in body


def test_an_answer_says_what_the_question_was_and_to_whom_it_is_still_to_be_decided() -> None:
    body = mail_for("answered", question="What for?", asked=IN_PLACE[:1], awaited=True).body
    assert "Hello Mara Lind,\n\nThe question was:\n\n    What for?\n\nAda Byron answers:\n\n    To work\n" in body
    assert f"\n\nYour decision (Line manager) is awaited. {IN_PLACE[0]} To decide:\n\n    commissary task" in body
    over = mail_for("answered", awaited=False).body
    assert "Ada Byron says:\n" in over
    assert "To decide" not in over
    assert "task decide" not in over


def test_who_is_asked_for_advice_is_told_how_to_give_it() -> None:
    body = mail_for("advice-needed").body
    assert "Mara Lind has to decide whether Ben Okri gets VPN access, and asks you:\n\n    What for?\n" in body
    assert 'it helps Mara Lind to decide. To answer:\n\n    commissary task answer REQ-1001.1 "..."\n' in body


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


def test_an_operator_learns_which_timer_is_late_and_since_when() -> None:
    text = mail_for("late-timer")
    assert text.subject == "A timer is late: REQ-1001, VPN access"
    assert "    Line manager: a decision is needed\n" in text.body
    assert "13 March 2025, 12:00 UTC" in text.body


def test_a_mail_about_a_delegation_says_who_set_it_for_whom_until_when_and_how_it_is_withdrawn() -> None:
    text = mail_for("delegation-set")
    assert text.subject == "Kim Okoro may decide in the place of Ada Byron from 13 March 2025, 12:00 UTC"
    assert "Hello Mara Lind,\n\nOtto Operator has set that Kim Okoro may decide in the place of Ada Byron." in text.body
    assert "  Until\n    20 March 2025, 12:00 UTC\n  For\n    everything\n  Why\n    On leave\n" in text.body
    assert "    commissary delegate withdraw dlg-1\n" in text.body
    assert "Why" not in mail_for("delegation-set", reason="").body


def test_a_mail_about_a_delegation_that_was_withdrawn_says_by_whom_and_what_stays() -> None:
    text = mail_for("delegation-withdrawn")
    assert text.subject == "Kim Okoro no longer decides in the place of Ada Byron"
    assert "Otto Operator has withdrawn that Kim Okoro may decide" in text.body
    assert "What Kim Okoro has decided stays as it is." in text.body


def test_a_digest_lists_what_waits_and_how_each_is_decided() -> None:
    text = mail_for("digest")
    assert text.subject == "2 decisions wait for you"
    assert text.body.startswith("Hello Mara Lind,\n\nthese decisions wait for you, the most pressing first:\n\n")
    assert "VPN access for Ben Okri (REQ-1001, Guards): you were reminded\n\n    Ada Byron asks for it.\n" in text.body
    assert "    Please decide by 13 March 2025, 12:00 UTC.\n    commissary task show REQ-1001.1\n\n" in text.body
    assert "\n\nVPN access for Ada Byron (REQ-1001)\n\n    commissary task show REQ-1001.2\n\n" in text.body
    assert "more" not in text.body
    assert text.body.endswith("\n-- \nCommissary, https://desk.example\n")


def test_a8_a_digest_says_of_each_decision_why_it_is_asked() -> None:
    text = mail_for("digest", entries=[{**ENTRY, "asked": IN_PLACE}, {**OTHER, "asked": None}])
    assert f"    Ada Byron asks for it.\n    {' '.join(IN_PLACE)}\n    Please decide by" in text.body
    assert text.body.count("You are asked") == 1


def test_a_digest_of_one_decision_says_so_and_one_of_many_how_many_more() -> None:
    one = mail_for("digest", entries=[OTHER])
    assert one.subject == "1 decision waits for you"
    assert "this decision waits for you:" in one.body
    many = mail_for("digest", more=7)
    assert many.subject == "9 decisions wait for you"
    assert "There are 7 more. All of them: commissary task list" in many.body


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_said_in_its_own_words(outcome: Outcome) -> None:
    text = mail_for("closed", outcome=outcome, reason="")
    others = {mail_for("closed", outcome=other, reason="").body for other in Outcome if other is not outcome}
    assert f"VPN access for Ben Okri: {outcome} (REQ-1001)" == text.subject
    assert text.body not in others


def test_what_expired_may_have_waited_for_a_decision_or_for_an_event() -> None:
    body = mail_for("closed", outcome="expired", reason="In vain waited for: the parcel").body
    assert "VPN access for Ben Okri has expired: what it waited for did not come in time. It can be ordered" in body
    assert "\n\n    In vain waited for: the parcel\n" in body
    assert "decided" not in body


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_nothing_in_a_name_ends_the_subject_or_reaches_another_header(name: str) -> None:
    text = mail_for("closed", item=f"VPN\r\nBcc: eve@example.org{name}", beneficiary=name)
    assert text.subject.splitlines() == [text.subject]
    assert len(text.subject) <= MAX_SUBJECT
    assert "\nBcc:" not in text.body


def test_somebodys_words_stay_an_indented_block_and_are_not_run_as_a_template() -> None:
    text = mail_for("closed", reason="{{ 7 * 7 }}\r\n-- \r\nPlease pay\x1b[2J")
    assert "\n    {{ 7 * 7 }}\n    --\n    Please pay [2J\n" in text.body


@pytest.mark.parametrize("template", ABOUT_REQUESTS)
@pytest.mark.parametrize("missing", ["number", "item"])
def test_a_notice_that_lacks_something_is_a_fault_not_a_gap_in_the_text(template: str, missing: str) -> None:
    data = {key: value for key, value in DATA[template].items() if key != missing}
    with pytest.raises(UndefinedError, match=missing):
        render(Notice(event="REQ-1001/3", template=template, to=a_person().ref(), data=data), "https://desk.example")
