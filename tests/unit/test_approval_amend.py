"""What is decided on changes: which votes fall and which stand; what counts on several stages (A6, A11, A21, A22)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from support.builders import (
    NOON,
    a_person,
    a_slate,
    a_stage,
    after,
    an_item,
    an_order,
    approvals_of,
    cast,
    changed,
    opening,
    refused,
    stage_of,
)

from catalog.approval import begin
from catalog.ballot import (
    Amend,
    Approvals,
    Ask,
    Cancel,
    Change,
    Due,
    Hand,
    Join,
    Resolve,
    StageState,
    StageStatus,
    Supersede,
    Verdict,
    Withdraw,
)
from catalog.fields import TextField
from catalog.people import Person
from catalog.plan import PlannedStage, plan
from catalog.request import Order
from catalog.slate import Parties
from catalog.stages import AutoApproval, Stage
from catalog.standing import said

ADA, BEN, CLEO, EVE, KAI = (a_person(name) for name in ("Ada", "Ben", "Cleo", "Eve", "Kai"))
LATER = NOON + timedelta(hours=1)
FIRST, SECOND = (a_stage(id=name, name=name.title(), quorum="all", after=()) for name in ("first", "second"))
"""Two stages side by side; all must approve."""


def both(*events: Any, second: tuple[Person, ...] = (CLEO,)) -> Approvals:
    """Return two stages that have begun: Ben decides the first, and these the second."""
    begun = (opening(BEN, stage="first"), opening(*second, stage="second"))
    return after(approvals_of(FIRST, SECOND), *begun, *events)


def amend(
    first: str = "sha256:1", second: str = "sha256:1", *, stages: tuple[Stage, ...] = (FIRST, SECOND), **other: Any
) -> Amend:
    """Return that what the two stages decide on is this now."""
    return Amend(planned=plan(stages, {}), subjects={"first": first, "second": second}, **other)


def fallen(change: Change) -> list[tuple[str, str]]:
    return [(stage, vote.voter.login) for stage, vote in change.fallen]


def stage(state: Approvals, name: str) -> StageState:
    return stage_of(state, name)


# ---------------------------------------------------------------- an amendment


def test_a22_only_votes_on_what_has_changed_fall() -> None:
    state = both(cast(BEN, stage="first"), second=(CLEO, EVE))
    state = after(state, cast(CLEO, stage="second"))
    change = changed(state, amend(first="sha256:2"), LATER)
    assert fallen(change) == [("first", "ben")]
    assert (change.closed, stage(change.state, "first").status) == ((), StageStatus.WAITING)
    assert [vote.voter.login for vote in stage(change.state, "second").votes] == ["cleo"]


def test_a22_an_open_stage_whose_subject_changed_begins_once_more() -> None:
    change = changed(both(), amend(first="sha256:2"), LATER)
    (closed,) = change.closed
    assert (closed.stage.id, closed.status, closed.closed_at, closed.rule) == (
        "first", StageStatus.SUPERSEDED, LATER, "approval.amended",
    )  # fmt: skip
    assert said(closed) == "Stage 'First' was superseded: what was to be decided has changed."
    again = stage(change.state, "first")
    assert (again.status, again.subject, again.round) == (StageStatus.WAITING, "sha256:2", 2)
    assert [ready.stage.id for ready in change.state.ready()] == ["first"]
    state = after(change.state, opening(BEN, stage="first"))
    assert refused(state, cast(BEN, stage="first", subject="sha256:1")).code == "subject-changed"
    assert after(state, cast(BEN, stage="first", subject="sha256:2")).outcome is StageStatus.WAITING


def test_a22_a_stage_that_nobody_was_asked_about_yet_is_asked_for_the_first_time() -> None:
    state = approvals_of(FIRST, SECOND)
    assert stage(after(state, amend(first="sha256:2")), "first").round == 1


def test_a22_where_nothing_has_changed_nothing_happens() -> None:
    state = both(cast(BEN, stage="first"), Ask(stage="second", by=CLEO.ref(), text="?"))
    change = changed(state, amend())
    assert (change.state, change.fallen, change.closed) == (state, (), ())


def test_a22_what_was_counted_because_of_a_vote_that_falls_falls_with_it() -> None:
    state = both(cast(BEN, stage="first"), second=(BEN, CLEO))
    assert [vote.rule for vote in stage(state, "second").votes] == ["approval.already-approved"]
    change = changed(state, amend(first="sha256:2"), LATER)
    assert fallen(change) == [("first", "ben"), ("second", "ben")]
    second = stage(change.state, "second")
    assert (second.status, second.votes) == (StageStatus.OPEN, ())
    assert [person.login for person in second.undecided()] == ["ben", "cleo"]


def test_a22_a_stage_that_had_closed_with_such_a_vote_keeps_the_others_and_begins_once_more() -> None:
    third = a_stage(id="third")
    state = after(
        approvals_of(FIRST, SECOND, third),
        opening(BEN, stage="first"),
        opening(BEN, CLEO, stage="second"),
        cast(CLEO, stage="second"),
        cast(BEN, stage="first"),
    )
    assert stage(state, "second").status is StageStatus.APPROVED
    change = changed(state, amend(first="sha256:2", stages=(FIRST, SECOND, third)), LATER)
    assert fallen(change) == [("first", "ben"), ("second", "ben")]
    second = stage(change.state, "second")
    assert (second.status, second.round) == (StageStatus.WAITING, 2)
    for person in (BEN, CLEO):
        assert refused(change.state, cast(person, stage="second")).code == "stage-not-open"
    again = changed(change.state, opening(BEN, CLEO, stage="second"), LATER)
    assert [person.login for person in again.asked] == ["ben"]
    assert stage(after(again.state, cast(BEN, stage="second")), "second").status is StageStatus.APPROVED


def test_a22_of_such_a_stage_the_vote_of_somebody_who_is_no_longer_named_falls_if_the_stage_says_so() -> None:
    for revalidate, votes in ((False, ["cleo"]), (True, [])):
        second = a_stage(id="second", quorum="all", after=(), revalidate=revalidate)
        stages = (FIRST, second, a_stage(id="third"))
        state = after(
            approvals_of(*stages),
            opening(BEN, stage="first"),
            opening(BEN, CLEO, stage="second"),
            cast(CLEO, stage="second"),
            cast(BEN, stage="first"),
            amend(first="sha256:2", stages=stages),
        )
        change = changed(state, opening(BEN, EVE, stage="second"))
        assert [vote.voter.login for vote in stage(change.state, "second").votes] == votes
        assert fallen(change) == ([("second", "cleo")] if revalidate else [])


def test_a22_it_stays_approved_if_the_other_votes_are_enough() -> None:
    either = a_stage(id="second", name="Second", after=("first", "third"))
    third = a_stage(id="third", name="Third", after=())
    stages = (FIRST, third, either)
    state = after(
        approvals_of(*stages, a_stage(id="last")),
        opening(BEN, stage="first"),
        opening(CLEO, stage="third"),
        cast(BEN, stage="first"),
        cast(CLEO, stage="third"),
        opening(BEN, CLEO, stage="second"),
    )
    assert len(stage(state, "second").votes) == 2
    subjects = {"first": "sha256:2", "third": "sha256:1", "second": "sha256:1", "last": "sha256:1"}
    change = changed(state, Amend(planned=plan((*stages, a_stage(id="last")), {}), subjects=subjects))
    assert fallen(change) == [("first", "ben"), ("second", "ben")]
    assert stage(change.state, "second").status is StageStatus.APPROVED


def test_a22_a_stage_that_is_not_needed_any_more_is_called_off_with_its_votes() -> None:
    state = both(cast(CLEO, stage="second"), second=(CLEO, EVE))
    change = changed(state, amend(stages=(FIRST,)), LATER)
    assert change.state.stage("second") is None
    assert fallen(change) == [("second", "cleo")]
    assert [(one.stage.id, one.status) for one in change.closed] == [("second", StageStatus.SUPERSEDED)]


def test_a22_a_stage_that_is_needed_only_now_begins() -> None:
    state = after(approvals_of(FIRST), opening(BEN, stage="first"))
    change = changed(state, amend(), LATER)
    assert [one.stage.id for one in change.state.ready()] == ["second"]
    assert stage(change.state, "second").subject == "sha256:1"


def test_a22_if_nothing_is_left_to_approve_the_request_is_approved() -> None:
    assert changed(both(), Amend(planned=(), subjects={})).state.outcome is StageStatus.APPROVED


def automatic(stages: tuple[Stage, ...], *names: str) -> tuple[PlannedStage, ...]:
    """Return the plan in which a rule approves these."""
    return tuple(
        one.model_copy(update={"auto": "auto.cheap"}) if one.stage.id in names else one for one in plan(stages, {})
    )


def test_a23_a_rule_that_holds_only_now_approves_a_stage_instead_of_people() -> None:
    event = amend().model_copy(update={"planned": automatic((FIRST, SECOND), "first")})
    change = changed(both(), event, LATER)
    first = stage(change.state, "first")
    assert (first.status, first.rule, change.closed[0].stage.id) == (StageStatus.APPROVED, "auto.cheap", "first")


def test_a23_a_rule_that_does_not_hold_any_more_leaves_the_stage_to_people() -> None:
    cheap = AutoApproval(id="cheap", when=True, because="It is cheap.")
    state = approvals_of(a_stage(id="first", auto_approve=(cheap,)), SECOND)
    assert stage(state, "first").status is StageStatus.APPROVED
    kept = changed(state, amend().model_copy(update={"planned": automatic((FIRST, SECOND), "first")}))
    assert stage(kept.state, "first").rule == "auto.cheap"
    change = changed(state, amend())
    assert (stage(change.state, "first").status, stage(change.state, "first").rule) == (StageStatus.WAITING, "")


def test_a22_nothing_is_amended_once_it_is_decided() -> None:
    state = both(cast(BEN, Verdict.REJECT, stage="first"))
    found = refused(state, amend(first="sha256:2"))
    assert (found.code, found.message) == ("stage-closed", "Stage 'First' was rejected by Ben (reject).")


def test_a22_an_amendment_after_people_have_left_may_leave_too_few() -> None:
    """Ben's approval was counted on the second stage, which names him no more; it falls, and his seat with it."""
    two = a_stage(id="second", quorum=2, after=())
    state = after(
        approvals_of(FIRST, two),
        opening(BEN, KAI, stage="first"),
        opening(BEN, CLEO, EVE, stage="second"),
        cast(BEN, stage="first"),
        Resolve(stage="second", slate=a_slate(CLEO)),
    )
    assert [*stage(state, "second").may_act()] == [CLEO.id]
    change = changed(state, amend(first="sha256:2", stages=(FIRST, two)))
    assert [seat.person.login for seat in stage(change.state, "second").slate.seats] == ["cleo"]
    assert change.due == (Due(kind="nobody", stage="second"),)


# ---------------------------------------------------------------- by an approver


def test_a11_who_reduces_what_was_ordered_decides_on_that_while_others_are_asked_again() -> None:
    state = both(cast(CLEO, stage="second"), second=(CLEO, EVE))
    change = changed(state, amend("sha256:2", "sha256:2", by_stage="first"), LATER)
    assert [closed.stage.id for closed in change.closed] == ["second"]
    assert fallen(change) == [("second", "cleo")]
    first = stage(change.state, "first")
    assert (first.status, first.subject, first.round, first.due_at) == (
        StageStatus.OPEN, "sha256:2", 2, stage(state, "first").due_at,
    )  # fmt: skip
    state = after(change.state, cast(BEN, stage="first", subject="sha256:2"))
    assert stage(state, "first").votes[0].subject == "sha256:2"


def test_a11_those_who_have_decided_the_same_stage_decide_again() -> None:
    state = after(approvals_of(FIRST, SECOND), opening(BEN, CLEO, stage="first"), cast(BEN, stage="first"))
    change = changed(state, amend("sha256:2", "sha256:2", by_stage="first"))
    assert fallen(change) == [("first", "ben")]
    assert [person.login for person in stage(change.state, "first").undecided()] == ["ben", "cleo"]


def test_a11_a_stage_that_has_not_begun_reduces_nothing() -> None:
    change = changed(approvals_of(FIRST, SECOND), amend("sha256:2", by_stage="first"))
    assert stage(change.state, "first").status is StageStatus.WAITING


# ---------------------------------------------------------------- what is decided on


def ordered(**answers: Any) -> Order:
    form = tuple(TextField(id=name, type="text", label=name) for name in ("why", "size"))
    asks = a_stage(id="asks", concerns=(), when="form.why != ''")
    stages = (a_stage(id="all"), a_stage(id="size", concerns=("size",)), asks)
    return an_order(item=an_item(form=form, approvals=stages), answers={"why": "work", "size": "large"} | answers)


def test_a22_a_stage_decides_on_all_answers_or_on_those_it_names_and_those_it_depends_on() -> None:
    before, why, size = ordered(), ordered(why="home"), ordered(size="small")
    changes = {
        one.id: [before.subject_of(one) != order.subject_of(one) for order in (why, size)] for one in before.stages
    }
    assert changes == {"all": [True, True], "size": [False, True], "asks": [True, False]}


def test_a22_a_vote_keeps_the_digest_of_what_it_was_cast_on() -> None:
    state = both(cast(BEN, stage="first"))
    assert stage(state, "first").votes[0].subject == "sha256:1"


def test_a_stage_without_a_subject_has_an_empty_one() -> None:
    state = begin(plan((FIRST,), {}), Parties(requester_id=ADA.id, beneficiary_id=ADA.id), {})
    assert stage(state, "first").subject == ""


# ---------------------------------------------------------------- counted on several stages


def different() -> Approvals:
    """Return two stages that decide on different things; Ben is asked by both."""
    state = approvals_of(FIRST, SECOND, second="sha256:9")
    return after(state, opening(BEN, stage="first"), opening(BEN, CLEO, stage="second"))


def test_a6_an_approval_counts_elsewhere_only_if_the_very_same_is_decided_there() -> None:
    change = changed(different(), cast(BEN, stage="first"))
    assert change.carried == ()
    assert stage(change.state, "second").votes == ()


def test_a22_nobody_has_approved_what_they_never_saw_by_an_older_approval_of_something_else() -> None:
    """Ben approved the first stage; what the second decides on changes. He is asked, and nothing is counted for him."""
    state = after(different(), cast(BEN, stage="first"), cast(BEN, stage="second"))
    change = changed(state, amend(second="sha256:10"))
    state = after(change.state, opening(BEN, CLEO, stage="second"))
    assert stage(state, "second").votes == ()


def test_a6_a_deputy_is_counted_elsewhere_for_themselves_only() -> None:
    state = both(cast(BEN, stage="first"), second=(BEN, CLEO))
    assert stage(state, "second").votes[0].seats == (BEN.id,)


def test_a6_an_approval_that_closes_a_stage_beside_its_own_says_so() -> None:
    change = changed(both(second=(BEN,)), cast(BEN, stage="first"))
    assert [name for name, _ in change.carried] == ["second"]
    assert [one.stage.id for one in change.closed] == ["first", "second"]


# ---------------------------------------------------------------- votes taken back


def test_a21_a_vote_is_taken_back_and_cast_anew() -> None:
    state = after(approvals_of(a_stage(quorum="all")), opening(BEN, CLEO), cast(BEN))
    change = changed(state, Withdraw(stage="manager", voter=BEN.ref()))
    assert (fallen(change), [person.login for person in change.asked]) == ([("manager", "ben")], ["ben"])
    assert after(change.state, cast(BEN, Verdict.REJECT)).outcome is StageStatus.REJECTED


def test_a21_with_it_goes_what_was_counted_elsewhere_as_far_as_that_is_open() -> None:
    stages = (FIRST, SECOND, a_stage(id="third", after=()), a_stage(id="last"))
    state = after(
        approvals_of(*stages),
        opening(BEN, CLEO, stage="first"),
        opening(BEN, CLEO, stage="second"),
        opening(BEN, stage="third"),
        cast(BEN, stage="first"),
    )
    assert stage(state, "third").status is StageStatus.APPROVED
    change = changed(state, Withdraw(stage="first", voter=BEN.ref()))
    assert fallen(change) == [("first", "ben"), ("second", "ben")]
    assert stage(change.state, "third").status is StageStatus.APPROVED


def test_a22_a_stage_that_was_decided_with_a_vote_taken_back_since_is_left_alone_by_other_changes() -> None:
    third = a_stage(id="third", after=())
    state = after(
        approvals_of(FIRST, SECOND, third),
        opening(BEN, EVE, stage="first"),
        opening(CLEO, stage="second"),
        opening(BEN, stage="third"),
        cast(BEN, stage="first"),
        Withdraw(stage="first", voter=BEN.ref()),
    )
    subjects = {"first": "sha256:1", "second": "sha256:2", "third": "sha256:1"}
    change = changed(state, Amend(planned=plan((FIRST, SECOND, third), {}), subjects=subjects), LATER)
    assert fallen(change) == []
    assert stage(change.state, "third") == stage(state, "third")
    assert stage(state, "third").status is StageStatus.APPROVED


def test_a21_of_a_stage_that_begins_once_more_goes_what_is_taken_back_meanwhile() -> None:
    third = a_stage(id="third", quorum="all", after=())
    state = after(
        approvals_of(FIRST, SECOND, third),
        opening(BEN, EVE, stage="first"),
        opening(BEN, CLEO, stage="second"),
        opening(CLEO, EVE, stage="third"),
        cast(BEN, stage="first"),
        cast(CLEO, stage="third"),
    )
    assert stage(state, "second").status is StageStatus.APPROVED
    subjects = {"first": "sha256:1", "second": "sha256:1", "third": "sha256:2"}
    state = after(state, Amend(planned=plan((FIRST, SECOND, third), {}), subjects=subjects), at=LATER)
    waits = stage(state, "second")
    assert (waits.status, [vote.voter.login for vote in waits.votes]) == (StageStatus.WAITING, ["ben"])
    change = changed(state, Withdraw(stage="first", voter=BEN.ref()), LATER)
    assert fallen(change) == [("first", "ben"), ("second", "ben")]
    assert stage(change.state, "second").votes == ()
    again = after(change.state, opening(BEN, CLEO, stage="second"), at=LATER)
    assert [person.login for person in stage(again, "second").undecided()] == ["ben", "cleo"]


def test_a21_what_was_counted_elsewhere_can_be_taken_back_by_itself() -> None:
    state = both(cast(BEN, stage="first"), second=(BEN, CLEO))
    change = changed(state, Withdraw(stage="second", voter=BEN.ref()))
    assert fallen(change) == [("second", "ben")]
    assert after(change.state, cast(BEN, Verdict.REJECT, stage="second")).outcome is StageStatus.REJECTED


def test_a21_without_a_vote_there_is_nothing_to_take_back() -> None:
    assert refused(both(), Withdraw(stage="first", voter=BEN.ref())).code == "not-voted"


# ---------------------------------------------------------------- how it ends


def test_a_request_that_is_replaced_by_another_ends_so() -> None:
    change = changed(both(cast(BEN, stage="first")), Supersede(), LATER)
    assert change.state.outcome is StageStatus.SUPERSEDED
    assert [(one.stage.id, one.status) for one in change.closed] == [("second", StageStatus.SUPERSEDED)]
    assert refused(change.state, Cancel()).code == "stage-closed"


def test_a21_joining_and_handing_on_do_not_outlive_a_change_of_the_subject() -> None:
    state = both(
        Join(stage="first", by=BEN.ref(), person=KAI.ref()),
        Hand(stage="first", by=BEN.ref(), seat=BEN.id, to=EVE.ref()),
    )
    state = after(state, amend(first="sha256:2"), opening(BEN, stage="first"))
    assert [*stage(state, "first").may_act()] == [BEN.id]
