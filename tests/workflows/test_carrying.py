"""What one run of a request hands to the next: it comes out as it went in, and with the order it is not too much."""

from __future__ import annotations

import secrets

import pytest
from support.builders import a_stage, an_order, approvals_of
from support.story import a_task

from workflows.approvals import DeskSoFar
from workflows.carrying import MOST_BEGUN_WITH, Carried, Run, fits
from workflows.record import RecordSoFar


def a_run(*, written: int = 10, said: int = 10) -> Run:
    """Return a run whose order holds so many characters of people's words, and what is handed over so many more."""
    tasks = (a_task("REQ-1001", instructions=secrets.token_hex(said // 2)),)
    carried = Carried(record=RecordSoFar(seq=7, tasks=tasks), desk=DeskSoFar(state=approvals_of(a_stage())))
    return Run(**{**dict(an_order(answers={"why": "x" * written})), "carried": carried})


def test_a25_what_is_handed_over_is_read_as_it_was_written() -> None:
    run = a_run()
    assert Run.model_validate_json(run.model_dump_json()) == run


def test_a25_what_an_earlier_release_handed_over_is_read() -> None:
    run = a_run()
    assert run.carried
    released = run.model_dump(mode="json") | {"carried": run.carried.model_dump(mode="json")}
    assert Run.model_validate(released) == run


@pytest.mark.parametrize(
    ("written", "said", "taken"),
    [(10, 10, True), (1_000_000, 10, True), (10, 3_000_000, False), (1_000_000, 1_800_000, False)],
)
def test_a25_the_order_counts_with_what_is_handed_over(written: int, said: int, *, taken: bool) -> None:
    run = a_run(written=written, said=said)
    assert fits(run) is taken
    assert (len(run.model_dump_json()) <= MOST_BEGUN_WITH) is taken
