"""How much work something is, in calls of functions: what depends on neither the machine nor what else runs on it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any


def calls_in(module: ModuleType, do: Callable[[], Any]) -> int:
    """Return how many functions of a module are called, and generators of it resumed, while something is done."""
    found = 0

    def count(frame: FrameType, event: str, _: Any) -> None:
        nonlocal found
        found += event == "call" and frame.f_code.co_filename == module.__file__

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        do()
    finally:
        sys.setprofile(before)
    return found
