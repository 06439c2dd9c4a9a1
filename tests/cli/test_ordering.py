"""`commissary request order`, `request report` and `draft`, against the API itself."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from support.api_world import ApiWorld
from support.terminal import Commissary
from support.waiting import eventually

from catalog.request import Order, Status

PIN = "quark-on-toast"


def placed(world: ApiWorld) -> Order:
    """Return the newest order on record."""
    return world.register.requests(viewer=None).items[0].order


def order(commissary: Commissary, *options: str) -> str:
    said = commissary("Ada Byron", "request", "order", "office-kit", *options)
    assert said.code == 0, said.text
    return said.text


def test_answers_of_every_kind_are_written_as_text(world: ApiWorld, commissary: Commissary, tmp_path: Path) -> None:
    offer, pin = tmp_path / "offer €.txt", tmp_path / "pin"
    offer.write_text("cheap")
    pin.write_text(f"{PIN}\n")
    said = order(
        commissary,
        *("-a", "why=a=b", "-a", "count=3", "-a", "urgent=Yes", "-a", "day=2025-05-31", "-a", "how_soon=now"),
        *("-a", "colours=red", "-a", "colours=green", "-a", 'team=["ben", "mara"]', "-a", f"offer=@{offer}"),
        *("-a", 'desks={"room": "1.07", "height": 72}', "-a", f"pin=@{pin}"),
    )
    assert "Ordered: REQ-1001" in said
    answers = placed(world).answers
    assert (answers["why"], answers["count"], answers["urgent"], answers["day"]) == ("a=b", 3, True, "2025-05-31")
    assert answers["colours"] == ["red", "green"]
    assert [person["login"] for person in answers["team"]] == ["ben", "mara"]
    assert answers["desks"] == [{"room": "1.07", "height": 72}]
    (file,) = answers["offer"]
    assert (file["name"], file["media_type"]) == ("offer €.txt", "text/plain")
    assert world.register.content(file["digest"]) == b"cheap"
    assert world.parts.secrets.reveal(answers["pin"]["secret"]) == PIN


def test_answers_come_from_a_file_and_single_ones_on_top(
    world: ApiWorld, commissary: Commissary, tmp_path: Path
) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text(
        "why: from the file\ncount: 3\nurgent: false\nday: 2025-05-31\ncolours: [red]\ndesks: [{room: '7'}]\n"
    )
    order(commissary, "--answers", str(file), "-a", "why=on top")
    answers = placed(world).answers
    assert (answers["why"], answers["count"], answers["day"]) == ("on top", 3, "2025-05-31")
    assert (answers["colours"], answers["desks"]) == (["red"], [{"room": "7"}])
    file.write_text(json.dumps({"why": "JSON", "colours": ["green"]}))
    order(commissary, "--answers", str(file))
    assert placed(world).answers == {"why": "JSON", "colours": ["green"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [", "holds no answers"),
        (b"- a", "holds no answers"),
        (b"", "holds no answers"),
        (b"\xff\xfe\x00", "holds no answers"),
        (b"a: &x 1\nb: *x", "alias"),
    ],
)
def test_a_file_of_no_answers_is_a_line(commissary: Commissary, tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "answers.yaml"
    file.write_bytes(content)
    said = commissary("Ada Byron", "request", "order", "office-kit", "--answers", str(file))
    assert said.code == 1
    assert message in said.text


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("why", "write it as FIELD=VALUE"),
        ("offer=@/nothing/there", "/nothing/there cannot be read: No such file"),
        ("pin=@/nothing/there", "/nothing/there cannot be read"),
        ("desks=[{", "desks: this is no JSON"),
        (f"pin={PIN}", "leave it out to be asked"),
    ],
)
def test_an_answer_that_cannot_be_read_is_a_line(
    world: ApiWorld, commissary: Commissary, pair: str, message: str
) -> None:
    said = commissary("Ada Byron", "request", "order", "office-kit", "-a", "why=x", "-a", pair)
    assert said.code == 1
    assert message in said.text
    assert PIN not in said.text
    assert world.count() == 0


def test_what_is_wrong_is_told_field_by_field(commissary: Commissary) -> None:
    said = commissary("Ada Byron", "request", "order", "office-kit", "-a", "count=three", "-a", "height=3")
    assert said.code == 1
    for part in ("• why: Why: an answer is needed.", "• count: How many: give a whole number", "• height: "):
        assert part in said.text


def test_at_a_terminal_what_is_not_given_is_asked_and_secrets_are_not_shown(
    world: ApiWorld, commissary: Commissary, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    offer = tmp_path / "offer.txt"
    offer.write_text("cheap")
    types = {"Why": "work", "Urgent": "no", "Offer": str(offer), "PIN": PIN}
    hidden: dict[str, bool] = {}

    def prompt(question: str, **options: Any) -> str:
        label = re.split(r" [\[(]", question)[0]
        hidden[label] = options["hide_input"]
        return types.get(label, "")

    monkeypatch.setattr("cli.answers.typer.prompt", prompt)
    monkeypatch.setattr("cli.answers.sys.stdin.isatty", lambda: True)
    order(commissary, "-a", "count=1")
    assert hidden == dict.fromkeys(("Why", "Urgent", "Day", "Colours", "Team", "Offer", "How soon"), False) | {
        "PIN": True
    }
    answers = placed(world).answers
    assert (answers["why"], answers["count"], answers["urgent"]) == ("work", 1, False)
    assert answers["offer"][0]["name"] == "offer.txt"
    assert world.parts.secrets.reveal(answers["pin"]["secret"]) == PIN


def test_an_order_is_for_one_or_for_several_people(world: ApiWorld, commissary: Commissary) -> None:
    order(commissary, "-a", "why=x", "--for", "ben")
    assert placed(world).beneficiary.login == "ben"
    order(commissary, "-a", "why=x", "--for", "ben", "--for", "sam")
    assert [line.beneficiary.login for line in placed(world).lines] == ["ben", "sam"]


def test_an_order_replaces_an_open_one_and_both_say_so(world: ApiWorld, commissary: Commissary) -> None:
    order(commissary, "-a", "why=x")
    eventually(lambda: world.status("REQ-1001") is Status.APPROVAL)
    order(commissary, "-a", "why=y", "--replaces", "REQ-1001")
    assert (placed(world).number, placed(world).replaces) == ("REQ-1002", "REQ-1001")
    assert "Replaces REQ-1001" in commissary("Ada Byron", "request", "show", "REQ-1002").text
    said = commissary("Ada Byron", "request", "order", "office-kit", "-a", "why=z", "--replaces", "REQ-9999")
    assert said.code == 1
    assert "• replaces: There is no such request, or you may not see it." in said.text


def test_a_draft_is_ordered_in_the_place_of_the_request_that_it_names(world: ApiWorld, commissary: Commissary) -> None:
    order(commissary, "-a", "why=x")
    eventually(lambda: world.status("REQ-1001") is Status.APPROVAL)
    order(commissary, "-a", "why=y", "--replaces", "REQ-1001", "--draft")
    said = commissary("Ada Byron", "draft", "order", drafts(commissary)[0]["id"])
    assert "Ordered: REQ-1002" in said.text
    assert placed(world).replaces == "REQ-1001"


def test_a_preview_orders_nothing(world: ApiWorld, commissary: Commissary) -> None:
    said = order(commissary, "-a", "why=x", "--preview")
    assert "It can be ordered." in said
    assert "Mara Lind" in said
    said = order(commissary, "--preview")
    assert "It cannot be ordered: • why: Why: an answer is needed." in said
    assert world.count() == 0


def test_a_key_makes_ordering_again_safe(world: ApiWorld, commissary: Commissary) -> None:
    for _ in range(2):
        order(commissary, "-a", "why=x", "--key", "k")
    assert world.count() == 1


def test_the_order_is_printed_as_json(commissary: Commissary) -> None:
    assert json.loads(order(commissary, "-a", "why=x", "--json"))["number"] == "REQ-1001"


# Drafts.


def drafts(commissary: Commissary) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(commissary("Ada Byron", "draft", "list", "--json").text)
    return found


def test_a_draft_is_kept_shown_ordered_and_gone(world: ApiWorld, commissary: Commissary) -> None:
    assert "Kept as draft" in order(commissary, "-a", "count=3", "--for", "ben", "--draft")
    assert world.count() == 0
    (draft,) = drafts(commissary)
    assert (draft["answers"], draft["beneficiary"]) == ({"count": 3}, "ben")
    assert "office-kit ben 1" in commissary("Ada Byron", "draft", "list").text
    shown = json.loads(commissary("Ada Byron", "draft", "show", draft["id"]).text)
    assert (shown["item"], shown["answers"]) == ("office-kit", {"count": 3})
    said = commissary("Ada Byron", "draft", "order", draft["id"])
    assert (said.code, "why" in said.text) == (1, True)
    assert drafts(commissary), "a draft that cannot be ordered is kept"


def test_an_ordered_draft_is_deleted(world: ApiWorld, commissary: Commissary) -> None:
    order(commissary, "-a", "why=x", "--for", "ben", "--for", "sam", "--draft")
    said = commissary("Ada Byron", "draft", "order", drafts(commissary)[0]["id"])
    assert "Ordered: REQ-1001" in said.text
    assert drafts(commissary) == []
    assert len(placed(world).lines) == 2
    assert commissary("Ada Byron", "draft", "list").text == "You have no drafts."


def test_a_draft_is_deleted_once(commissary: Commissary) -> None:
    order(commissary, "--draft")
    (draft,) = drafts(commissary)
    assert commissary("Ada Byron", "draft", "delete", draft["id"]) == (0, "Deleted.")
    assert commissary("Ada Byron", "draft", "delete", draft["id"]) == (1, "Error: You have no such draft.")
