"""The register: the one door to the database (SQLite by default, PostgreSQL for real use).

Every method is one transaction. A database that cannot be reached raises `RegisterUnavailable`; nothing is then
half-written. Requests are numbered ``REQ-1001``, ``REQ-1002`` …; gaps may occur, doubles not.

What it does stands in the modules it is put together from: `database` (migrate, check, close), `intake`,
`journal`, `queries` and `notices`.
"""

from __future__ import annotations

from records.errors import Contradiction, KeyReused, RegisterUnavailable, UnknownRequest
from records.intake import Intake
from records.journal import Journal
from records.notices import Notices
from records.queries import Queries
from records.values import NewOrder, OwedNotice, Page, RequestView, Taken, TaskView

__all__ = [
    "Contradiction",
    "KeyReused",
    "NewOrder",
    "OwedNotice",
    "Page",
    "Register",
    "RegisterUnavailable",
    "RequestView",
    "Taken",
    "TaskView",
    "UnknownRequest",
]


class Register(Intake, Journal, Queries, Notices):
    """See the module. Safe to use from several threads and processes."""
