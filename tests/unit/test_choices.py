"""What is asked of a provider, and within which bounds."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from catalog.choices import Choice, Choices, ChoicesQuery


def test_a_query_is_for_a_screenful_unless_it_says_otherwise() -> None:
    query = ChoicesQuery(provider="groups", requester_id="a", beneficiary_id="b")
    assert (query.search, query.value, query.limit) == ("", None, 50)


@pytest.mark.parametrize("limit", [0, -1, 201])
def test_a_query_for_none_or_for_too_many_is_refused(limit: int) -> None:
    with pytest.raises(ValidationError, match="limit"):
        ChoicesQuery(provider="groups", requester_id="a", beneficiary_id="b", limit=limit)


def test_an_answer_of_a_newer_worker_can_be_read() -> None:
    newer = {"choices": [{"value": "a", "label": "A", "colour": "red"}], "of": 7}
    assert Choices.model_validate(newer) == Choices(choices=(Choice(value="a", label="A"),))
