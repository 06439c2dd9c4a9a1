"""The activity by which a request orders another item: the same intake as a person's order, on record at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from temporalio import activity

from activities.mapping import connector_errors
from catalog.model import Model
from catalog.people import PersonRef
from catalog.request import Order


class ChildOrder(Model):
    """What a request orders.

    Attributes:
        parent: number of the request that orders.
        line: for which of its parts; with `parent` it makes a repeat answer the order that stands.
        item: id of the item; its newest published version is taken, or `version`.
        requester: whose order it counts as.
        beneficiary: login of the person it is for.
        answers: as a client would send them.
    """

    parent: str
    line: str
    item: str
    version: str | None = None
    requester: PersonRef
    beneficiary: str
    answers: dict[str, Any] = {}
    channel: str = "api"
    auth: str = ""


class Placed(Model):
    """An order on record, or why there is none."""

    order: Order | None = None
    refused: str = ""


class Ordering:
    """Places the orders of requests.

    `take` puts an order on record, `begin` starts its workflow; both may be repeated. One that was taken and has not
    begun when this worker dies is begun by the next attempt, or by the sweeper.
    """

    def __init__(self, take: Callable[[ChildOrder], Placed], begin: Callable[[Order], Awaitable[None]]) -> None:
        self._take = take
        self._begin = begin

    @activity.defn(name="orders.place")
    async def place(self, child: ChildOrder) -> Placed:
        """Put an order on record and begin it, or say why not; a repeat answers the order that stands."""
        placed = await asyncio.to_thread(connector_errors(self._take), child)
        if placed.order:
            await self._begin(placed.order)
        return placed
