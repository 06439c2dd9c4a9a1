"""No change of an item goes untold, and no sentence shows what only a program reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from support.differing import CHOICE, GROUPED, NOTE, TEXT
from support.items import CLOCKS, GROUPS, PRIORITY, TERMS, plain, project

from catalog.diff import changes
from catalog.item import CatalogItem


def variants(value: Any) -> Iterator[Any]:
    """Yield plain data with one small thing changed, once for each thing."""
    match value:
        case dict():
            for key, one in value.items():
                yield from (value | {key: other} for other in variants(one))
        case list():
            for at, one in enumerate(value):
                yield from ([*value[:at], other, *value[at + 1 :]] for other in variants(one))
            yield value[:-1]
        case bool():
            yield not value
        case int():
            yield value + 1
        case str():
            yield from (f"{value}-2", "P9D")
        case _:
            yield "something"


def read(data: Any) -> CatalogItem | None:
    try:
        return CatalogItem.model_validate(data)
    except ValueError:
        return None


def test_no_change_goes_untold() -> None:
    old = project()
    tried = [new for data in variants(old.model_dump(mode="json")) if (new := read(data)) and new != old]
    assert len(tried) > 150
    for new in tried:
        found = changes(old, new)
        told_of = [*found.requesters, *found.approvers, *found.fulfillers, *found.authors[1:]]
        assert told_of or new.version != old.version, new


def large() -> dict[str, Any]:
    """Return the large item as data, with everything nested that a step can have."""
    data = project().model_dump(mode="json")
    data["notifications"] = [NOTE]
    data["clocks"] = plain(clocks=CLOCKS).model_dump(mode="json")["clocks"]
    data["priority"] = PRIORITY
    data["approvals"][0] |= TERMS | {"concerns": ["x"], "may_reduce": ["y"]}
    data["approvals"].append(GROUPED | {"id": "groups", "decide": GROUPS})
    data["eligibility"][0]["why_not"] = "Ask {{ requester.name }}."
    task, quota = (data["steps"][2]["branches"]["folder"][at] for at in (0, 1))
    task["evidence"] = [{**TEXT, "default": ["a"]}, CHOICE | {"labels": {"s": "Small"}}]
    quota["body"] = {"size": 10, "owner": {"login": "ada", "groups": ["x", {"y": None}]}}
    quota["headers"] = {"x-a": "b"}
    quota["retry"] = {"attempts": 3, "pause": "PT1M"}
    return data


def less(value: Any) -> Iterator[Any]:
    """Yield plain data with one entry of a group left out, once for each entry."""
    match value:
        case dict():
            for key, one in value.items():
                yield {name: other for name, other in value.items() if name != key}
                yield from (value | {key: other} for other in less(one))
        case list():
            for at, one in enumerate(value):
                yield from ([*value[:at], other, *value[at + 1 :]] for other in less(one))


CHANGED = [new for of in (variants, less) for data in of(large()) if (new := read(data))]
AS_PYTHON = re.compile(
    r"=None|='|=\(|\w\(\w+=|\{'|\['|\('|Field\(|Step\(|\bNone\b|\bTrue\b|\bFalse\b|timedelta|Decimal"
)


@settings(max_examples=300, deadline=None)
@given(old=st.sampled_from(CHANGED), new=st.sampled_from(CHANGED))
def test_no_sentence_shows_what_only_python_reads(old: CatalogItem, new: CatalogItem) -> None:
    found = changes(old, new)
    sentences = [*found.requesters, *found.approvers, *found.fulfillers, *found.authors]
    assert [sentence for sentence in sentences if AS_PYTHON.search(sentence)] == []
    assert len(set(sentences)) == len(sentences)


def test_the_large_item_shows_everything_nested() -> None:
    assert len(CHANGED) > 300
    bare = project()
    told_of = " ".join(changes(bare, CatalogItem.model_validate(large())).fulfillers)
    for said in (
        "as evidence of the step folder",
        "quota: body was nothing, now it is “size: 10",
        "headers “x-a” is new",
    ):
        assert said in told_of
