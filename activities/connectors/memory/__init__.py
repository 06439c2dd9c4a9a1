"""A directory, a journal and secrets in memory, for simulations and unit tests: see README.md."""

from activities.connectors.memory.directory import Change, Group, MemoryDirectory, Write
from activities.connectors.memory.journal import MemoryJournal
from activities.connectors.memory.secrets import MemorySecrets

__all__ = ["Change", "Group", "MemoryDirectory", "MemoryJournal", "MemorySecrets", "Write"]
