"""The unit tests run with the settings of `support.trying`, and are left the time these take."""

from __future__ import annotations

import pytest
from hypothesis import settings
from support.trying import PROFILE, USUALLY, examples

settings.register_profile(PROFILE, examples(USUALLY))
settings.load_profile(PROFILE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the nightly run the hours it takes."""
    if PROFILE == "nightly":
        for item in items:
            item.add_marker(pytest.mark.timeout(0), append=False)  # before one of its own
