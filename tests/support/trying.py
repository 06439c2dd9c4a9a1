"""How hard property tests try: for minutes altogether, or for hours with ``HYPOTHESIS_PROFILE=nightly``."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "unit")
USUALLY = 150
"""How many examples a property is tried with that does not say otherwise."""
TIMES = {"unit": 1, "nightly": 50}[PROFILE]
"""How many times as many of them this run takes."""


def examples(usually: int) -> settings:
    """Return the settings of a property that is tried with so many examples in ``make test``."""
    return settings(max_examples=usually * TIMES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
