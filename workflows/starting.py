"""How a request's workflow is started, by whoever starts it: the same id, queue and memo every time.

An id is never used twice: who starts also rejects duplicates.
"""

from __future__ import annotations

from typing import TypedDict

from catalog.request import Order
from workflows.messages import TASK_QUEUE

ORDERED = "ordered"
"""The memo that tells one order from another that was given the same number."""


class Start(TypedDict):
    """Arguments of `Client.start_workflow` beside the workflow's type and its order."""

    id: str
    task_queue: str
    static_summary: str
    memo: dict[str, str]


def start_of(order: Order) -> Start:
    """Return how an order's workflow is started."""
    return Start(
        id=order.number,
        task_queue=TASK_QUEUE,
        static_summary=f"{order.item.name} for {order.beneficiary.name}",
        memo={ORDERED: order.accepted_at.isoformat()},
    )
