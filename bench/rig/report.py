"""How every benchmark of the project ends: what it found, what was wanted, and whether that was met."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Target:
    """Where a figure is to lie; both ends belong to it."""

    min: float | None = None
    max: float | None = None

    def met(self, figure: float) -> bool:
        """Return whether the figure lies there."""
        return (self.min is None or figure >= self.min) and (self.max is None or figure <= self.max)


def conclude(bench: str, figures: dict[str, Any], targets: dict[str, Target]) -> None:
    """Print what was missed, and the closing JSON line; each target is named after the figure it is about."""
    missed = [name for name, target in targets.items() if not target.met(figures[name])]
    wanted = {
        name: {end: value for end, value in asdict(target).items() if value is not None}
        for name, target in targets.items()
    }
    for name in missed:
        print(
            f"missed: {name} is {figures[name]}, wanted {' and '.join(f'{end} {v}' for end, v in wanted[name].items())}"
        )
    print(json.dumps({"bench": bench, "figures": figures, "targets": wanted, "met": not missed}), flush=True)
