"""A directory, a journal, delegations, calendars and secrets in memory, for simulations and tests: see README.md."""

from activities.connectors.memory.calendars import MemoryCalendars
from activities.connectors.memory.delegations import MemoryDelegations
from activities.connectors.memory.directory import Change, Group, MemoryDirectory, Write
from activities.connectors.memory.journal import MemoryJournal
from activities.connectors.memory.secrets import MemorySecrets

__all__ = [
    "Change",
    "Group",
    "MemoryCalendars",
    "MemoryDelegations",
    "MemoryDirectory",
    "MemoryJournal",
    "MemorySecrets",
    "Write",
]
