"""How any change is made: look, write only if need be, and look again until it shows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from activities.connectors.ldap.connection import Session
from activities.connectors.ldap.results import SUCCESS, Result
from activities.connectors.ldap.settings import LdapSettings
from activities.errors import NotApplied
from catalog.access import Observed

_WRITES = 2  # a write that was accepted and is not to be seen is repeated once
_FIRST_PAUSE = 0.05  # seconds between two looks at a change; doubles up to the longest
_LONGEST_PAUSE = 1.0


def make_so(
    session: Session,
    settings: LdapSettings,
    doing: str,
    *,
    is_so: Callable[[], bool],
    write: Callable[[], Result],
    already: Callable[[Result], bool],
) -> bool:
    """Make something true and see it; return whether this call changed it.

    Args:
        session: the connection it happens on.
        settings: how long a change may take to be seen.
        doing: what is tried, for messages.
        is_so: looks whether it is true.
        write: makes it true.
        already: whether a refusal says that somebody else was first.

    Raises:
        ConnectorError: as the server answered.
        NotApplied: two accepted writes did not show.
    """
    if is_so():
        return False
    changed = False
    with session.writing():
        for _ in range(_WRITES):
            result = write()
            if result.code != SUCCESS and not already(result):
                raise result.error(f"{session.url}: {doing}")
            changed = changed or result.code == SUCCESS
            if _seen(is_so, settings.read_back_within):
                return changed
    raise NotApplied(
        f"{session.url}: {doing}: the server does not show it after {_WRITES} accepted writes and "
        f"{settings.read_back_within:g} s each; see its log"
    )


def observed(session: Session, *, present: bool, changed: bool) -> Observed:
    """Return what was seen just now."""
    return Observed(present=present, changed=changed, at=datetime.now(UTC), where=session.url)


def _seen(is_so: Callable[[], bool], within: float) -> bool:
    """Look until it is true or the time for that is over."""
    deadline = time.monotonic() + within
    pause = _FIRST_PAUSE
    while not is_so():
        if time.monotonic() >= deadline:
            return False
        threading.Event().wait(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
    return True
