"""A directory in memory, for simulations and unit tests: see README.md."""

from activities.connectors.memory.directory import Group, MemoryDirectory, Write

__all__ = ["Group", "MemoryDirectory", "Write"]
