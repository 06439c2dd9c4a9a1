"""The simulator: plays scenarios with the real workflows, on an ephemeral engine, against a company in memory (row K2).

`simulate` is the whole of it for tests and scripts. A company's own systems are never touched: what is not in memory
only pretends.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from catalog.loader import CatalogError
from cli.kit.simulation.running import Progress, Simulator
from cli.kit.simulation.stories import Stories, Story, read_stories
from cli.kit.simulation.verdict import Happening, Verdict

__all__ = ["Happening", "Simulator", "Stories", "Story", "Verdict", "chosen", "read_stories", "simulate"]


def simulate(*paths: Path | str, only: str = "", progress: Progress = lambda _: None) -> list[Verdict]:
    """Play the scenarios of items and return what came of each, in their order.

    Args:
        paths: directories of items, files of items, or files of scenarios.
        only: play only scenarios whose item and name hold this text, in any case.
        progress: told of each verdict as it comes.

    Raises:
        CatalogError: something is wrong with an item or a scenario; nothing was played.
    """
    reading = read_stories([Path(path) for path in paths])
    if reading.problems:
        raise CatalogError(reading.problems)
    stories = chosen(reading.stories, only)
    if not stories:
        return []
    with Simulator() as simulator:
        return simulator.run(stories, progress)


def chosen(stories: Sequence[Story], only: str) -> list[Story]:
    """Return the stories whose title holds a text."""
    return [story for story in stories if only.casefold() in story.title.casefold()]
