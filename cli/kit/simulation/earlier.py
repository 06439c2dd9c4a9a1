"""Earlier requests: those for the same item that were fulfilled before a story begins, as the register knows them.

They are ordered as in earnest, but no workflow carries them out: what they went through is written as a workflow would.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from catalog.journal import Chain, Kind
from catalog.request import Batch, Order, Outcome, Projection, Status, Task
from cli.kit.simulation.world import World


def remember(world: World) -> None:
    """Put the earlier requests of a story on record, each to its end just before the story begins.

    Raises:
        RefusedOrder: the intake does not take them.
    """
    scenario = world.story.scenario
    begins = scenario.began.astimezone(UTC)
    courses = [earlier.took for earlier in scenario.earlier for _ in range(earlier.times)]
    for place, took in enumerate(courses):
        placed = begins - sum(took.values(), timedelta(0)) - timedelta(minutes=1)
        order = world.order(placed, key=f"earlier-{place}")
        for batch in _course(order, took, placed):
            world.register.record(batch)


def _course(order: Order, took: Mapping[str, timedelta], begins: datetime) -> Iterator[Batch]:
    """Yield what is written of an order that goes through these phases and is fulfilled."""
    chain, at = Chain(order.number), begins
    stages = {stage.id for stage in order.item.approvals}
    for phase, length in took.items():
        status = Status.APPROVAL if phase in stages else Status.FULFILMENT
        entry = chain.append(Kind.STAGE_OPENED if phase in stages else Kind.EFFECT_INTENDED, at, to_status=status)
        tasks = (_approval(order, phase, chain.seq, at),) if phase in stages else ()
        standing = Projection(number=order.number, seq=chain.seq, status=status, tasks=tasks, updated_at=at)
        yield Batch(entries=(entry,), projection=standing)
        at += length
    entry = chain.append(Kind.CLOSED, at, to_status=Status.CLOSED, data={"outcome": Outcome.FULFILLED})
    ended = Projection(
        number=order.number,
        seq=chain.seq,
        status=Status.CLOSED,
        outcome=Outcome.FULFILLED,
        updated_at=at,
        closed_at=at,
    )
    yield Batch(entries=(entry,), projection=ended)


def _approval(order: Order, stage: str, seq: int, at: datetime) -> Task:
    """Return the decision of a stage, open; nobody in the story has to do with it."""
    return Task(
        id=f"{order.number}.{seq}",
        kind="approval",
        title=stage,
        stage=stage,
        choices=("approve", "reject"),
        subject=order.subject,
        opened_at=at,
    )
