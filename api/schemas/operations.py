"""What operators look after."""

from __future__ import annotations

from datetime import datetime

from api.schemas.base import In, Limit, Out


class LateTimersQuery(In):
    """How many timers at most."""

    limit: Limit = 50


class LateTimerOut(Out):
    """A timer of an open request that should have fired at `until`; `seen_at` is when that was noticed."""

    number: str
    what: str
    until: datetime
    seen_at: datetime
