"""The sweeper: the one way in which workflows are started.

An accepted order lies in the register until its workflow is known to have begun. A fresh order is passed to the
sweeper at once; whatever was missed, because the engine, the database or this process was down, it finds in the
register, oldest first, for ever. Any number of processes may sweep: the engine starts a number once only.

On its rounds it also drops files and secrets that were handed in and that no order has come to name.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from api.auth import Clock
from api.gateway import EngineUnavailable, Gateway
from catalog.request import Order
from records.register import Register, RegisterUnavailable

_log = logging.getLogger(__name__)

AT_ONCE = 4
"""How many orders are started at the same time."""

BATCH = 100
"""How many orders are read at a time."""

TIDY_EVERY = timedelta(hours=1)
UNUSED_FOR = timedelta(days=1)
"""How long a file or a secret waits for an order that names it."""

LONGEST_PAUSE = timedelta(seconds=10)
"""Between two tries while the engine or the register is down."""


class Sweeper:
    """See the module.

    Args:
        every: how long to pause between two looks into the register.
        settle: how old an order must be to be swept; a younger one is being started by the process that took it, or
            its workflow has not come to its first entry yet.
    """

    def __init__(
        self,
        register: Register,
        gateway: Gateway,
        clock: Clock,
        *,
        every: timedelta = timedelta(seconds=2),
        settle: timedelta = timedelta(seconds=3),
    ) -> None:
        self._register, self._gateway, self._clock = register, gateway, clock
        self._every, self._settle = every, settle
        self._fresh: asyncio.Queue[Order] = asyncio.Queue(maxsize=1_000)
        self._down = ""
        self._pause = every
        self._tidied: datetime | None = None

    def nudge(self, order: Order) -> None:
        """Have a fresh order started at once, unless that is hopeless or too much: then it is found in its time."""
        if not self._down:
            with suppress(asyncio.QueueFull):
                self._fresh.put_nowait(order)

    async def run(self) -> None:
        """Start orders until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(self._start_fresh())
            tasks.create_task(self._sweep_for_ever())

    async def _start_fresh(self) -> None:
        while True:
            await self._start(await self._fresh.get(), note=False)

    async def _sweep_for_ever(self) -> None:
        while True:
            await self.sweep()
            await self.tidy()
            self._pause = min(self._pause * 2, LONGEST_PAUSE) if self._down else self._every
            await asyncio.sleep(self._pause.total_seconds())

    async def sweep(self) -> None:
        """Start the orders that lie in the register; stop at the first that shows that the engine is down."""
        try:
            orders = await asyncio.to_thread(self._lying)
        except RegisterUnavailable as error:
            self._is_down(f"the register does not answer: {error}")
            return
        except Exception:  # noqa: BLE001  the sweeper outlives whatever it meets; nobody would notice its end
            _log.exception("accepted orders cannot be read; trying again")
            return
        # One alone first: while the engine is down, one try says so.
        for some in (orders[:1], *(orders[at : at + AT_ONCE] for at in range(1, len(orders), AT_ONCE))):
            if not all(await asyncio.gather(*(self._start(order, note=True) for order in some))):
                return
        self._is_up()

    async def tidy(self) -> None:
        """Drop files and secrets that nobody came to use; does nothing if that is less than an hour ago."""
        now = self._clock()
        if self._tidied and now < self._tidied + TIDY_EVERY:
            return
        try:
            await asyncio.to_thread(self._drop_unused, now - UNUSED_FOR)
        except RegisterUnavailable:
            return  # the next round tries again
        except Exception:  # noqa: BLE001  the sweeper outlives whatever it meets; nobody would notice its end
            _log.exception("unused files and secrets cannot be dropped; trying again in an hour")
        self._tidied = now

    def _drop_unused(self, before: datetime) -> None:
        while self._register.drop_unattached(before):
            pass
        self._register.drop_unused_secrets(before)

    def _lying(self) -> Sequence[Order]:
        # While the engine is down nobody else is starting the young ones.
        settle = timedelta(0) if self._down else self._settle
        return self._register.unstarted(before=self._clock() - settle, limit=BATCH)

    async def _start(self, order: Order, *, note: bool) -> bool:
        """Start one order; return false if the engine or the register is down.

        A fresh order's start is not noted here: the first entry of its workflow notes it too, so that is one write
        less for each. Where that entry is late, because no worker runs, the next look notes it.
        """
        try:
            await self._gateway.start(order)
            if note:
                await asyncio.to_thread(self._register.mark_started, order.number, self._clock())
        except EngineUnavailable as error:
            self._is_down(f"the workflow engine does not answer: {error}")
            return False
        except RegisterUnavailable as error:
            self._is_down(f"the register does not answer: {error}")
            return False
        except Exception:  # noqa: BLE001  one order that cannot be started must not keep the others from it
            _log.exception("%s cannot be started; it will be tried again", order.number)
        return True

    def _is_down(self, why: str) -> None:
        if not self._down:
            _log.warning("accepted orders wait: %s", why)
        self._down = why

    def _is_up(self) -> None:
        if self._down:
            _log.warning("accepted orders are being started again")
        self._down = ""
