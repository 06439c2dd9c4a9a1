"""The watchdog: what is looked after at regular intervals, whatever becomes of the requests themselves.

A Temporal Schedule starts it (`worker/scheduling.py`). It is no flow of requests: it has no frame and no journal.
"""

from __future__ import annotations

from temporalio import workflow

from workflows.options import WATCH

with workflow.unsafe.imports_passed_through():
    from activities.watchdog import Watching


@workflow.defn(name="Watchdog")
class Watchdog:
    """One look.

    1. Compare the timers that should have fired with the record; report the late ones.
    """

    @workflow.run
    async def run(self) -> int:
        """See the class; returns how many timers have become late."""
        return await workflow.execute_activity_method(Watching.timers, summary="Look for late timers", **WATCH)
