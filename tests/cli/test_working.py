"""`commissary task` and `request report`, against the API itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.api_world import ApiWorld
from support.terminal import Commissary
from support.workshop import Workshop

from workflows.messages import Report, Work


@pytest.fixture
def shop(world: ApiWorld) -> Workshop:
    return Workshop(world)


def test_the_list_tells_work_from_decisions_and_who_has_it(shop: Workshop, commissary: Commissary) -> None:
    said = commissary("Ben Bright", "task", "list").text
    assert f"{shop.task.id} work Label it Ada Byron claim | complete | decline" in said
    commissary("Mara Lind", "task", "claim", shop.task.id)
    said = commissary("Ben Bright", "task", "list").text
    assert f"{shop.task.id} work Label it Ada Byron Mara Lind" in said
    assert "claim |" not in said


def test_a_task_is_shown_with_how_it_is_done_and_what_it_asks_for(shop: Workshop, commissary: Commissary) -> None:
    said = commissary("Mara Lind", "task", "show", shop.task.id).text
    for part in (
        "Stick it on the lid.",
        "Mara Lind, Ben Bright",
        "tag text Asset tag",
        "photo attachment Photo (optional)",
    ):
        assert part in said
    for act in ("claim", "complete", "decline"):
        assert f"commissary task {act} {shop.task.id}" in said


def test_work_is_claimed_given_back_and_declined(shop: Workshop, commissary: Commissary) -> None:
    assert "Mara Lind took on 'Label it'" in commissary("Mara Lind", "task", "claim", shop.task.id).text
    said = commissary("Ben Bright", "task", "claim", shop.task.id)
    assert said == (1, "Error: Label it: Mara Lind has taken this.")
    assert "gave back" in commissary("Mara Lind", "task", "release", shop.task.id).text
    assert commissary("Ben Bright", "task", "decline", shop.task.id).code == 2
    said = commissary("Ben Bright", "task", "decline", shop.task.id, "--reason", "no lid")
    assert "Ben Bright cannot do 'Label it': 'no lid'" in said.text
    assert shop.task.decided == "declined"


def test_work_is_completed_with_its_evidence(
    world: ApiWorld, shop: Workshop, commissary: Commissary, tmp_path: Path
) -> None:
    photo = tmp_path / "lid.png"
    photo.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(30))
    evidence = ("-a", "tag=L-7", "-a", f"photo=@{photo}", "-a", "witness=ada")
    said = commissary("Mara Lind", "task", "complete", shop.task.id, *evidence)
    assert "Mara Lind completed 'Label it'" in said.text
    assert shop.task.answers["tag"] == "L-7"
    assert world.register.file_of(shop.number, shop.task.answers["photo"][0]["id"])
    assert "completed by Mara Lind" in commissary("Mara Lind", "task", "show", shop.task.id).text


def test_evidence_that_is_missing_is_told(shop: Workshop, commissary: Commissary) -> None:
    said = commissary("Mara Lind", "task", "complete", shop.task.id)
    assert said.code == 1
    assert "• tag: Asset tag: an answer is needed." in said.text


def test_a_key_makes_working_again_safe(shop: Workshop, commissary: Commissary) -> None:
    for _ in range(2):
        assert commissary("Mara Lind", "task", "claim", shop.task.id, "--key", "k").code == 0
    sent: list[Any] = shop.commands
    assert [command.act for command in sent if isinstance(command, Work)] == ["claim"]


def test_an_event_is_reported_with_its_data(shop: Workshop, commissary: Commissary) -> None:
    data = ("-d", "place=desk", "-d", "count=3", "-d", 'tags=["a"]', "-d", "note=a=b")
    said = commissary("Otto Operator", "request", "report", shop.number, "delivered", *data)
    assert "Otto Operator reported 'delivered'" in said.text
    (sent,) = shop.commands
    assert isinstance(sent, Report)
    assert sent.data == {"place": "desk", "count": 3, "tags": ["a"], "note": "a=b"}


def test_an_event_that_is_none_or_not_theirs_to_report_is_a_line(shop: Workshop, commissary: Commissary) -> None:
    said = commissary("Otto Operator", "request", "report", shop.number, "lost")
    assert (said.code, "it knows: delivered" in said.text) == (1, True)
    said = commissary("Ada Byron", "request", "report", shop.number, "delivered")
    assert (said.code, "Only operators" in said.text) == (1, True)
    said = commissary("Otto Operator", "request", "report", shop.number, "delivered", "-d", "x")
    assert (said.code, "NAME=VALUE" in said.text) == (1, True)
