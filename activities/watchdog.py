"""The activity that looks for timers that are late, and says so in the log. What makes one late is not decided here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from temporalio import activity

from activities.ports import Watch

log = logging.getLogger(__name__)


class Watching:
    """Looks at the record; tells `written` after a look that found something, so that notices go out without delay."""

    def __init__(
        self,
        watch: Watch,
        written: Callable[[], None] = lambda: None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._watch = watch
        self._written = written
        self._clock = clock

    @activity.defn(name="watchdog.timers")
    def timers(self) -> int:
        """Take note of the timers that have become late since the last look; return how many.

        Idempotent: one that was noticed is not late anew, so that an attempt may be repeated.
        """
        found = self._watch.look_for_late_timers(self._clock())
        for late in found:
            log.warning(
                "a timer is late: one of %s, since %s: %s",
                late.number,
                late.until.isoformat(timespec="seconds"),
                late.what,
            )
        if found:
            self._written()
        return len(found)
