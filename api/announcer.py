"""The announcer: tells open requests when a delegation begins or ends, so that whoever is covered is asked at once.

What is to be announced stands in the register: set and withdrawn delegations as well as those whose time has come.
While the engine is down it stays there, and is announced when the engine is back. Any number of processes may announce;
a request that is told twice finds nothing to do the second time.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta

from api.auth import Clock
from api.gateway import EngineUnavailable, Gateway
from records.register import Register, RegisterUnavailable, Turn
from workflows.messages import LookAgain

_log = logging.getLogger(__name__)

BATCH = 100
"""How many beginnings and ends are read at a time."""


class Announcer:
    """See the module.

    Args:
        every: how long to pause between two looks into the register, unless it is woken.
    """

    def __init__(
        self, register: Register, gateway: Gateway, clock: Clock, *, every: timedelta = timedelta(seconds=2)
    ) -> None:
        self._register, self._gateway, self._clock, self._every = register, gateway, clock, every
        self._woken = asyncio.Event()
        self._down = ""

    def wake(self) -> None:
        """Look at once; call it on the event loop after a delegation was set or withdrawn."""
        self._woken.set()

    async def run(self) -> None:
        """Announce until cancelled."""
        while True:
            self._woken.clear()
            await self.announce()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every.total_seconds()):
                    await self._woken.wait()

    async def announce(self) -> None:
        """Announce what has begun or ended; stop at the first that shows that the engine or the register is down."""
        try:
            for turn in await asyncio.to_thread(self._register.turning, self._clock(), BATCH):
                await self._tell(turn)
        except (EngineUnavailable, RegisterUnavailable) as error:
            if not self._down:
                _log.warning("delegations wait to be announced: %s", error)
            self._down = str(error)
        except Exception:  # noqa: BLE001  the announcer outlives whatever it meets; nobody would notice its end
            _log.exception("a delegation cannot be announced; trying again")
        else:
            self._down = ""

    async def _tell(self, turn: Turn) -> None:
        """Tell every request that waits for somebody whose chain of deputies this changes, then note it."""
        at = self._clock()
        people = await asyncio.to_thread(self._register.principals, turn.delegation.person.id, at)
        message = LookAgain(people=tuple(sorted(people)), rule=f"delegation.{turn.what}")
        for number in await asyncio.to_thread(self._register.deciding, people):
            await self._gateway.look_again(number, message)
        await asyncio.to_thread(self._register.mark_announced, turn, at)
