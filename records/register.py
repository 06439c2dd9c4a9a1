"""The register: the one door to the database (SQLite by default, PostgreSQL for real use).

Every method is one transaction. A database that cannot be reached raises `RegisterUnavailable`; nothing is then
half-written. Requests are numbered ``REQ-1001``, ``REQ-1002`` …; gaps may occur, doubles not.

What it does stands in the modules it is put together from: `database` (migrate, check, close), `intake`,
`journal`, `queries`, `notices`, `publications`, `drafts`, `files`, `secrets`, `delegations`,
`milestones`, `watching`, `calendars` and `preferences`.
"""

from __future__ import annotations

from records.calendars import Calendars
from records.delegations import Delegations, Turn
from records.drafts import Drafts
from records.errors import (
    AlreadyOpen,
    Contradiction,
    DelegationRefused,
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
from records.milestones import Milestones
from records.notices import Notices
from records.preferences import Wishes
from records.publications import Publications
from records.queries import Queries
from records.secrets import Secrets
from records.values import (
    Background,
    Draft,
    Inbox,
    InboxQuery,
    NewOrder,
    OwedNotice,
    Page,
    Place,
    Publication,
    RequestView,
    Taken,
    TaskView,
    Upload,
)
from records.watching import Watching

__all__ = [
    "AlreadyOpen",
    "Background",
    "Contradiction",
    "DelegationRefused",
    "Draft",
    "Inbox",
    "InboxQuery",
    "KeyReused",
    "NewOrder",
    "OwedNotice",
    "Page",
    "Place",
    "Publication",
    "Register",
    "RegisterUnavailable",
    "RequestView",
    "Taken",
    "TaskView",
    "TooManyDrafts",
    "TooManyFiles",
    "TooManySecrets",
    "Turn",
    "UnknownDraft",
    "UnknownRequest",
    "UnknownSecret",
    "UnknownUpload",
    "Upload",
    "VersionTaken",
]


class Register(
    Intake,
    Journal,
    Queries,
    Notices,
    Publications,
    Drafts,
    Files,
    Secrets,
    Delegations,
    Milestones,
    Watching,
    Calendars,
    Wishes,
):
    """See the module. Safe to use from several threads and processes."""
