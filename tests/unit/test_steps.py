"""The steps of an item, wherever they stand."""

from __future__ import annotations

from typing import Any

from support.builders import a_steps_item

from catalog.steps import stages


def asks(name: str) -> dict[str, Any]:
    """Return a step in which the manager decides."""
    stage = {"id": f"stage-{name}", "name": name, "approvers": ({"rule": "manager"},)}
    return {"id": f"ask-{name}", "do": "approve", "stage": stage}


def test_the_stages_in_the_middle_of_the_work_are_found_in_branches_and_loops() -> None:
    grant = {"id": "give", "do": "grant", "group": "wiki-readers"}
    loop = {"id": "each", "do": "for_each", "each": "{{ [1] }}", "steps": (grant, asks("inner"))}
    both = {"id": "both", "do": "parallel", "branches": {"left": (loop,), "right": (asks("right"),)}}
    assert [stage.name for stage in stages(a_steps_item(asks("first"), both, grant | {"id": "more"}).steps)] == [
        "first",
        "inner",
        "right",
    ]
