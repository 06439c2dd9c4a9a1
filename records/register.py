"""The register: the one door to the database (SQLite by default, PostgreSQL for real use).

Every method is one transaction. A database that cannot be reached raises `RegisterUnavailable`; nothing is then
half-written. Requests are numbered ``REQ-1001``, ``REQ-1002`` …; gaps may occur, doubles not.

What it does stands in the modules it is put together from: `database` (migrate, check, close), `intake`,
`journal`, `queries`, `notices`, `publications`, `drafts`, `files` and `secrets`.
"""

from __future__ import annotations

from records.drafts import Drafts
from records.errors import (
    AlreadyOpen,
    Contradiction,
    KeyReused,
    RegisterUnavailable,
    TooManyDrafts,
    TooManyFiles,
    TooManySecrets,
    UnknownDraft,
    UnknownRequest,
    UnknownSecret,
    UnknownUpload,
    VersionTaken,
)
from records.files import Files
from records.intake import Intake
from records.journal import Journal
from records.notices import Notices
from records.publications import Publications
from records.queries import Queries
from records.secrets import Secrets
from records.values import Draft, NewOrder, OwedNotice, Page, Publication, RequestView, Taken, TaskView, Upload

__all__ = [
    "AlreadyOpen",
    "Contradiction",
    "Draft",
    "KeyReused",
    "NewOrder",
    "OwedNotice",
    "Page",
    "Publication",
    "Register",
    "RegisterUnavailable",
    "RequestView",
    "Taken",
    "TaskView",
    "TooManyDrafts",
    "TooManyFiles",
    "TooManySecrets",
    "UnknownDraft",
    "UnknownRequest",
    "UnknownSecret",
    "UnknownUpload",
    "Upload",
    "VersionTaken",
]


class Register(Intake, Journal, Queries, Notices, Publications, Drafts, Files, Secrets):
    """See the module. Safe to use from several threads and processes."""
