"""Why somebody is asked to decide an open stage, in words that a mail says to them (feature rows A8, A9, A10, A13).

Pure, and only words: who is asked was decided before. `why` says the same of everybody, to all who see the request.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from catalog.ballot import StageState
from catalog.slate import Seat
from catalog.text import one_line
from catalog.why import some

UNANSWERED = "Your question was not answered in time: you are asked to decide without an answer."
AMENDED = "What was ordered has changed since this was first asked, so it is to be decided anew."


def why_you(stage: StageState) -> Mapping[str, list[str]]:
    """Return by person id, of all who may decide an open stage, why they are asked, in sentences.

    There are none for whom a rule names, and who decides for themselves: that needs no word.
    """
    empty = stage.empty()
    by_rule: dict[str, list[Seat]] = defaultdict(list)
    above: dict[str, list[Seat]] = defaultdict(list)
    for seat in empty:
        for one in seat.fillers if stage.stands(seat) else ():
            by_rule[one.id].append(seat)
    for seat in stage.escalated if empty else ():
        for one in seat.fillers:
            above[one.id].append(seat)
    found = {person: list(_said(person, seats)) for person, seats in by_rule.items()}
    late = {person: [*_said(person, seats), _LATE] for person, seats in above.items() if person not in found}
    return defaultdict(list, found | late)


_LATE = "It has come to you because it was not decided in time."


def _said(person: str, seats: Sequence[Seat]) -> Iterator[str]:
    """Yield what is to be said to somebody about the seats they may fill."""
    own = next((seat for seat in seats if seat.person.id == person), None)
    if own and own.instead_of:
        yield f"The decision was handed on to you from {one_line(own.instead_of.name)}."
    if own and own.joined:
        yield "One of those who decide has asked that you approve it as well."
    others = [seat.person for seat in seats if seat.person.id != person]
    if others:
        yield f"You are asked {'for yourself, and ' if own else ''}in the place of {some(others)}, by delegation."
    deputies = {seat.acting.id: seat.acting for seat in seats if seat.acting.id != person}
    if deputies:
        stand = "stands in for you and is" if len(deputies) == 1 else "stand in for you and are"
        yield f"{some([*deputies.values()])} {stand} asked as well; you may still decide yourself."
