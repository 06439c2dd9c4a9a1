"""Names for expressions to read, and how their failures and refusals are taken."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalog.expression import (
    ExpressionError,
    evaluate,
)

SECRET = "hunter2-of-a-user"  # a value that no message may hold
NAMES: dict[str, Any] = {
    "form": {
        "amount": 150,
        "price": Decimal("12.50"),
        "rate": 0.1,
        "device": "own device",
        "secret": SECRET,
        "open": None,
        "agreed": True,
        "on": date(2025, 3, 3),
        "at": datetime(2025, 3, 3, 12, tzinfo=UTC),
        "length": timedelta(days=21),
        "cost": {"amount": Decimal("9.90"), "currency": "EUR"},
        "boss": {"id": "p-2", "login": "ben", "name": "Ben Berg"},
        "people": [{"name": "Ada", "age": 41}, {"name": "Tim", "age": 23}],
        "groups": ["vpn", "mail", "vpn"],
        "items": "an answer",
        "numbers": [3, Decimal("1.5"), 2],
        "_hidden": 1,
    },
    "requester": {"name": "Tim", "department": "Finance"},
    "results": {"call_1": {"id": 7}},
}


def failure(source: str, run: Callable[[str, dict[str, Any]], Any] = evaluate) -> str:
    with pytest.raises(ExpressionError) as caught:
        run(source, NAMES)
    message = str(caught.value)
    assert SECRET not in message
    assert caught.value.__suppress_context__, "a traceback would show what Python said"
    return message
