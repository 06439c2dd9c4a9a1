"""Telling: verdicts and timelines as people read them at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.text import Text

from catalog.text import one_line
from cli.kit.simulation.verdict import Happening, Sort, Verdict

_MARKS: dict[Sort, tuple[str, str]] = {
    "entry": (" ", ""),
    "problem": ("?", "yellow"),
    "told": ("✉", "dim"),
    "wait": ("⋯", "cyan"),
    "deed": ("▸", "bold"),
    "fault": ("!", "red"),
    "attempt": ("·", "dim"),
}


def report(verdicts: Sequence[Verdict], seconds: float, *, timelines: bool, trace: bool) -> Iterator[Text]:
    """Yield everything there is to tell, a line each; `trace` adds the attempts of activities to the timelines."""
    for verdict in verdicts:
        yield _verdict(verdict)
        if timelines:
            yield from _timeline(verdict, trace=trace)
        yield from _reasons(verdict)
    failed = sum(not verdict.passed for verdict in verdicts)
    days = sum((_days(verdict) for verdict in verdicts), 0)
    told = f"{len(verdicts) - failed} of {len(verdicts)} scenarios passed; {days} days in {seconds:.1f} s"
    yield Text()
    yield Text(told, style="bold red" if failed else "bold green")


def _verdict(verdict: Verdict) -> Text:
    mark, style = ("✓", "bold green") if verdict.passed else ("✗", "bold red")
    return Text.assemble((mark, style), " ", (one_line(verdict.story.title), "bold"), f"  ({verdict.outcome})")


def _reasons(verdict: Verdict) -> Iterator[Text]:
    """Yield why a story did not pass, and where it stands."""
    for sentence in verdict.unmet:
        yield Text(f"    ✗ {one_line(sentence)}", style="red")
    if not verdict.passed:
        yield Text(f"      {verdict.story.file}:{verdict.story.line}", style="cyan")


def _timeline(verdict: Verdict, *, trace: bool) -> Iterator[Text]:
    """Yield what happened, a line each, grouped by day."""
    zone = ZoneInfo(verdict.story.scenario.zone)
    began = verdict.story.scenario.began.date()
    day = None
    for line in verdict.timeline:
        if line.sort == "attempt" and not trace:
            continue
        at = line.at.astimezone(zone)
        if at.date() != day:
            day = at.date()
            yield Text(f"  day {(day - began).days + 1} · {at:%A} {at.day} {at:%B %Y}", style="underline")
        yield _line(line, at)


def _days(verdict: Verdict) -> int:
    lines = verdict.timeline
    return (lines[-1].at - lines[0].at).days + 1 if lines else 0


def _line(line: Happening, at: datetime) -> Text:
    mark, style = _MARKS[line.sort]
    whose = f"{line.request}  " if line.request else ""
    clock = "     " if line.sort in ("problem", "wait", "told") else f"{at:%H:%M}"
    return Text.assemble("    ", (clock, "dim"), f"  {mark} ", (whose, "dim"), (one_line(line.text), style))
