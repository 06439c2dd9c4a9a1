"""The timeline: a sentence for every entry, whatever the entry lacks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import NOON, a_person, an_actor

from catalog.journal import Chain, Entry, Kind
from catalog.timeline import describe

ADA, BEN, MARA = ({"id": n, "login": n.lower(), "name": n, "mail": None} for n in ("Ada", "Ben", "Mara Lind"))


def entry(kind: Kind, data: dict[str, Any], *, by: str | None = None, rule: str = "") -> Entry:
    actor = an_actor(by) if by else None
    return Chain("REQ-1001").append(kind, NOON, actor=actor, rule=rule, data=data)


OPENED = {"item": "VPN access", "version": "1.0.0", "requester": ADA, "beneficiary": BEN}
STAGE = {
    "stage": "manager",
    "name": "Line manager",
    "approvers": [MARA, BEN],
    "quorum": "any",
    "due_at": "2025-03-13T12:00:00+00:00",
    "rule": "approver.manager",
}
EFFECT = {"effect": "Add Ada to vpn-users"}
SEEN = {**EFFECT, "changed": True, "present": True, "where": "ldaps://dir.example"}
LONG_AGO = {"effect": "Take Ada out of vpn-users"}

SENTENCES = [
    (entry(Kind.RESOLVED, {"person": BEN, "group": ""}), "Ben was found in the directory"),
    (
        entry(Kind.STAGE_OPENED, {**STAGE, "quorum": 2}),
        "Stage 'Line manager' began: Mara Lind, Ben decide (2 of them), by 13 March 2025, 12:00 UTC",
    ),
    (
        entry(Kind.STAGE_OPENED, {**STAGE, "quorum": None, "due_at": None, "needs": "They must weigh 3 together."}),
        "Stage 'Line manager' began: Mara Lind, Ben decide. They must weigh 3 together",
    ),
    (
        entry(Kind.STAGE_OPENED, {"name": "Legal", "quorum": "responded", "needs": 3}),
        "Stage 'Legal' began: somebody decides",
    ),
    (
        entry(Kind.STAGE_SKIPPED, {"name": "Security", "because": "It is cheap."}),
        "Stage 'Security' is left out: 'It is cheap.'",
    ),
    (
        entry(Kind.STAGE_KEPT, {"name": "Security", "because": "form.x is not known"}),
        "Stage 'Security' is kept, because its condition cannot be worked out: 'form.x is not known'",
    ),
    (
        entry(Kind.STAGE_CLOSED, {"name": "Security", "status": "approved", "because": "On call"}, rule="auto.on-call"),
        "Stage 'Security' was approved: 'On call'",
    ),
    (
        entry(Kind.TASK_OPENED, {"title": "Label it", "people": [MARA], "due_at": "2025-03-13T12:00:00+00:00"}),
        "Work for Mara Lind: 'Label it', by 13 March 2025, 12:00 UTC",
    ),
    (entry(Kind.TASK_CLAIMED, {"title": "Label it"}, by="Mara Lind"), "Mara Lind took on 'Label it'"),
    (entry(Kind.TASK_RELEASED, {"title": "Label it"}, by="Mara Lind"), "Mara Lind gave back 'Label it'"),
    (entry(Kind.TASK_COMPLETED, {"title": "Label it"}, by="Mara Lind"), "Mara Lind completed 'Label it'"),
    (
        entry(Kind.TASK_DECLINED, {"title": "Label it", "reason": "No labels"}, by="Mara Lind"),
        "Mara Lind cannot do 'Label it': 'No labels'",
    ),
    (entry(Kind.TASK_OVERDUE, {"title": "Label it"}), "'Label it' is overdue; the operators were told"),
    (
        entry(Kind.TASK_REASSIGNED, {"title": "Label it", "people": [MARA]}),
        "Who could do 'Label it' has changed: now Mara Lind",
    ),
    (
        entry(Kind.STEP_SKIPPED, {"name": "Give access", "because": "not needed"}),
        "Step 'Give access' is left out: 'not needed'",
    ),
    (entry(Kind.STEP_DONE, {"to": ["Ada", "Ben"], "subject": "Ready"}), "Ada, Ben are told: 'Ready'"),
    (entry(Kind.STEP_DONE, {"to": ["Ada"], "subject": "Ready"}), "Ada is told: 'Ready'"),
    (
        entry(Kind.WAIT_BEGUN, {"what": "Delivery", "until": "2025-03-13T12:00:00+00:00"}),
        "Waiting: Delivery, until 13 March 2025, 12:00 UTC at the latest",
    ),
    (entry(Kind.WAIT_OVER, {"what": "Delivery"}), "No longer waiting: Delivery"),
    (entry(Kind.EVENT_REPORTED, {"event": "delivered"}, by="Ada"), "Ada reported 'delivered'"),
    (
        entry(Kind.REQUEST_PLACED, {"number": "REQ-7", "item": "VPN", "beneficiary": BEN}),
        "REQ-7 was placed: 'VPN' for Ben",
    ),
    (
        entry(Kind.REQUEST_CLOSED, {"number": "REQ-7", "outcome": "rejected", "reason": "no"}),
        "REQ-7 ended as rejected: 'no'",
    ),
    (
        entry(Kind.RESIDUE, {"effect": "Engrave it", "because": "For ever"}),
        "This cannot be taken back by itself: Engrave it: 'For ever'",
    ),
    (entry(Kind.OPENED, OPENED, by="Ada"), "Ada ordered 'VPN access' for Ben"),
    (entry(Kind.OPENED, {**OPENED, "beneficiary": ADA}, by="Ada"), "Ada ordered 'VPN access' for themselves"),
    (entry(Kind.OPENED, OPENED), "Ada ordered 'VPN access' for Ben"),
    (
        entry(Kind.RESOLVED, {"person": BEN, "group": "vpn-users", "already_member": False}),
        "Ben was found in the directory, not in vpn-users",
    ),
    (
        entry(Kind.RESOLVED, {"person": BEN, "group": "vpn-users", "already_member": True}),
        "Ben was found in the directory, already in vpn-users",
    ),
    (entry(Kind.RESOLVED, {"person": None}), "The person it is for was not found in the directory"),
    (
        entry(Kind.STAGE_OPENED, STAGE),
        "Stage 'Line manager' began: Mara Lind, Ben decide (one of them is enough), by 13 March 2025, 12:00 UTC",
    ),
    (
        entry(Kind.STAGE_OPENED, {**STAGE, "quorum": "all", "due_at": None}),
        "Stage 'Line manager' began: Mara Lind, Ben decide (all of them)",
    ),
    (
        entry(Kind.STAGE_OPENED, {**STAGE, "approvers": [MARA]}),
        "Stage 'Line manager' began: Mara Lind decides, by 13 March 2025, 12:00 UTC",
    ),
    (
        entry(Kind.APPROVER_SKIPPED, {"stage": "manager", "person": ADA}, rule="approval.skip-requester"),
        "Ada is not asked: who ordered does not decide",
    ),
    (
        entry(Kind.APPROVER_SKIPPED, {"person": ADA}, rule="approval.skip-on-leave"),
        "Ada is not asked: approval.skip-on-leave",
    ),
    (
        entry(Kind.APPROVER_SKIPPED, {"person": MARA}, rule="delegation.loop"),
        "The delegations come back to Mara Lind; nobody further stands in",
    ),
    (
        entry(Kind.APPROVER_SKIPPED, {"person": MARA}, rule="approver.manager-circle"),
        "The managers above Mara Lind go in a circle; nobody further up is found",
    ),
    (
        entry(Kind.APPROVER_SKIPPED, {"person": BEN}, rule="delegation.too-deep"),
        "Ben does not stand in: the chain of delegations is too long",
    ),
    (
        entry(Kind.APPROVER_SKIPPED, {"person": BEN}, rule="delegation.skip-inactive"),
        "Ben does not stand in: the account is not active",
    ),
    *(
        (
            entry(Kind.VOTE_FALLEN, {"name": "Legal", "voter": MARA}, rule=rule),
            f"What Mara Lind decided in stage 'Legal' no longer counts{why}",
        )
        for rule, why in (
            ("approval.amended", ": what it was about has changed"),
            ("approval.not-needed", ": people need not decide it any more"),
            ("approval.not-carried", ": the approval it followed from does not count any more"),
            ("approval.withdrawn", ": they took back the approval it followed from"),
            ("approval.unseated", ": who decides it has changed"),
            ("approval.fallen", ""),
        )
    ),
    *(
        (entry(Kind.STAGE_CLOSED, {"name": "Rooms", "status": status}, rule=rule), f"Stage 'Rooms' was {status}{why}")
        for status, rule, why in (
            ("approved", "approval.any", ""),
            ("approved", "approval.approved-by-silence", ", because it was not decided in time"),
            ("rejected", "approval.rejected-by-silence", ", because it was not decided in time"),
            ("skipped", "approval.skipped-by-silence", ", because it was not decided in time"),
            ("rejected", "approval.nobody", ", because too few may decide it"),
            ("cancelled", "approval.unanswered", ", because who ordered it did not answer a question"),
            ("superseded", "approval.amended", ", because what is decided on has changed"),
        )
    ),
    (
        entry(Kind.VOTE, {"stage": "manager", "choice": "approve", "reason": "fine\nwith me"}, by="Mara Lind"),
        "Mara Lind approved stage 'manager': 'fine with me'",
    ),
    (
        entry(Kind.VOTE, {"stage": "manager", "name": "Line manager", "choice": "reject"}, by="Mara Lind"),
        "Mara Lind rejected stage 'Line manager'",
    ),
    (
        entry(Kind.VOTE, {"stage": "data", "choice": "approve", "voter": MARA}, rule="approval.already-approved"),
        "Mara Lind counts as having approved stage 'data': an earlier stage has their approval",
    ),
    (entry(Kind.VOTE, {"stage": "data", "choice": "abstain"}), "somebody counts as having abstain stage 'data'"),
    (
        entry(Kind.INFO_ASKED, {"stage": "manager", "name": "Line manager", "text": "For how long?"}, by="Mara Lind"),
        "Mara Lind asked for information before deciding stage 'Line manager': 'For how long?'",
    ),
    (
        entry(Kind.INFO_GIVEN, {"stage": "manager", "name": "Line manager", "text": "A week"}, by="Ada"),
        "Ada gave the information asked for in stage 'Line manager': 'A week'",
    ),
    (entry(Kind.STAGE_CLOSED, {"name": "Line manager", "status": "approved"}), "Stage 'Line manager' was approved"),
    (entry(Kind.STAGE_CLOSED, {"name": "Line manager", "status": "expired"}), "Stage 'Line manager' expired"),
    (entry(Kind.EFFECT_INTENDED, EFFECT), "Add Ada to vpn-users: begun"),
    (entry(Kind.EFFECT_OBSERVED, SEEN), "Add Ada to vpn-users: done; read back from ldaps://dir.example"),
    (
        entry(Kind.EFFECT_OBSERVED, {**SEEN, "changed": False, "where": ""}),
        "Add Ada to vpn-users: nothing to do, it was so already; read back",
    ),
    (
        entry(Kind.EFFECT_FAILED, {**EFFECT, "fault": "rejected", "message": "no rights"}),
        "Add Ada to vpn-users: failed (rejected): 'no rights'",
    ),
    (entry(Kind.EFFECT_FAILED, EFFECT), "Add Ada to vpn-users: failed"),
    (entry(Kind.UNDO_INTENDED, LONG_AGO), "Undoing what was done: Take Ada out of vpn-users"),
    (entry(Kind.UNDO_OBSERVED, {**LONG_AGO, "changed": True}), "Take Ada out of vpn-users: done; read back"),
    (
        entry(Kind.OPERATOR_ASKED, {"task": "REQ-1.2", "problem": "no rights", "choices": ["retry", "cancel"]}),
        "An operator has to decide (retry, cancel): 'no rights'",
    ),
    (
        entry(Kind.OPERATOR_DECIDED, {"task": "REQ-1.2", "choice": "retry", "reason": "fixed"}, by="Olga Reyes"),
        "Olga Reyes decided as operator: retry: 'fixed'",
    ),
    (
        entry(Kind.APPROVERS_REMINDED, {"name": "Manager", "people": [{"name": "Mara"}]}, by="Ada"),
        "Ada reminded Mara of stage 'Manager'",
    ),
    (
        entry(
            Kind.APPROVERS_REMINDED,
            {
                "name": "Manager",
                "later": [
                    {"at": "2025-03-03T08:00:00+00:00", "people": [{"name": "Mara"}, {"name": "Rolf"}]},
                ],
            },
            by="Ada",
        ),
        "Ada has reminders of stage 'Manager' sent later: Mara, Rolf at 3 March 2025, 08:00 UTC",
    ),
    (
        entry(
            Kind.APPROVERS_REMINDED,
            {
                "name": "Manager",
                "people": [{"name": "Kim"}],
                "later": [
                    {"at": "2025-03-03T08:00:00+00:00", "people": [{"name": "Mara"}]},
                    {"at": 1, "people": 2},
                ],
            },
            by="Ada",
        ),
        "Ada reminded Kim of stage 'Manager'; later: Mara at 3 March 2025, 08:00 UTC, somebody at 1",
    ),
    (
        entry(Kind.APPROVERS_REMINDED, {"name": "Manager", "people": [{"name": "Mara"}]}),
        "Mara was reminded of stage 'Manager'",
    ),
    (
        entry(Kind.CANCEL_REQUESTED, {"reason": "changed my mind"}, by="Ada"),
        "Ada called the request off: 'changed my mind'",
    ),
    (entry(Kind.CANCEL_REQUESTED, {"reason": ""}, by="Ada"), "Ada called the request off"),
    (entry(Kind.COMMENT, {"text": "is\u202e it\r\ndone?"}, by="Ada"), "Ada remarked: 'is it done?'"),
    (
        entry(Kind.CLOSED, {"outcome": "fulfilled", "reason": "Ada was seen in vpn-users."}),
        "The request was closed as fulfilled: 'Ada was seen in vpn-users.'",
    ),
]


@pytest.mark.parametrize(("given_entry", "sentence"), SENTENCES)
def test_an_entry_is_said_in_a_sentence(given_entry: Entry, sentence: str) -> None:
    assert describe(given_entry) == sentence


def test_who_stood_in_for_somebody_is_said() -> None:
    vote = entry(Kind.VOTE, {"stage": "manager", "choice": "approve"}, by="Mara Lind")
    vote = vote.model_copy(update={"on_behalf_of": a_person("Ben Okri").ref()})
    assert describe(vote) == "Mara Lind on behalf of Ben Okri approved stage 'manager'"


@pytest.mark.parametrize("kind", Kind)
def test_an_entry_without_data_is_still_said(kind: Kind) -> None:
    sentence = describe(entry(kind, {}))
    assert sentence
    assert "None" not in sentence
    assert "''" not in sentence


KEYS = sorted({key for given_entry, _ in SENTENCES for key in given_entry.data})
odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "login"]), inner),
    max_leaves=4,
)


@given(st.sampled_from(Kind), st.dictionaries(st.sampled_from(KEYS), odd), st.booleans(), st.text(max_size=8))
def test_whatever_an_entry_holds_one_line_comes_out(kind: Kind, data: dict[str, Any], acted: bool, rule: str) -> None:
    sentence = describe(entry(kind, data, by="Ada" if acted else None, rule=rule))
    assert sentence.splitlines() == [sentence]


def test_who_stands_in_for_those_who_are_asked_is_said() -> None:
    data = {"name": "Manager", "approvers": [{"name": "Mara Lind"}], "deputies": {"Mara Lind": "Grace Guard"}}
    said = describe(entry(Kind.STAGE_OPENED, data))
    assert said == "Stage 'Manager' began: Mara Lind decides; Grace Guard stands in for Mara Lind"
    assert describe(entry(Kind.STAGE_OPENED, {**data, "deputies": ["odd"]})).endswith("Mara Lind decides")


def test_a_look_up_that_changed_nothing_says_no_more_than_that() -> None:
    looked = entry(Kind.APPROVERS_CHANGED, {"name": "Data", "asked": [], "gone": []}, rule="people.asked")
    assert describe(looked) == "Who was asked for stage 'Data' was looked up"
