"""`commissary catalog graph` and `schema`: what is drawn and described, and what is said where it cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from support.authoring import Run, broken
from support.items import plain

from cli.kit.shelf import known


def test_an_item_is_drawn_to_a_file(run: Run, items: Path) -> None:
    assert run("graph", "wiki", "-c", "items", "-o", "out/wiki.svg") == (0, "Wrote out/wiki.svg\n")
    assert ET.parse("out/wiki.svg").getroot().tag.endswith("svg")


def test_an_item_of_a_file_is_drawn_as_text_for_mermaid(run: Run, items: Path) -> None:
    code, said = run("graph", "items/wiki.yaml", "--format", "mermaid")
    assert (code, said.splitlines()[0]) == (0, "flowchart TD")


def test_an_unknown_item_gets_its_nearest_match(run: Run, items: Path) -> None:
    assert run("graph", "wikki", "-c", "items") == (2, "Error: There is no item 'wikki'. Did you mean 'wiki'?\n")
    assert run("graph", "items/wikki.yaml") == (
        2,
        "Error: There is no file items/wikki.yaml. Did you mean 'items/wiki.yaml'?\n",
    )


def test_an_item_with_a_mistake_is_said_to_have_one(run: Run, items: Path) -> None:
    broken(items)
    for name in ("broken", "items/broken.yaml"):
        code, said = run("graph", name, "-c", "items")
        assert (code, "categry: there is no such field" in said) == (2, True)


def test_a_catalog_that_cannot_be_read_is_said_to_be_none(run: Run) -> None:
    code, said = run("graph", "wiki", "-c", "lost")
    assert (code, said.splitlines()[0]) == (2, "Error: The catalog cannot be read:")


def test_what_cannot_be_written_is_said(run: Run) -> None:
    Path("file").write_text("")
    code, said = run("schema", "-o", "file/schema.json")
    assert (code, "cannot be written" in said) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        ((), "Commissary catalog item"),
        (("--kind", "item"), "Commissary catalog item"),
        (("--kind", "policy"), "Commissary approval policy"),
        (("--kind", "scenario"), "Commissary scenarios of an item"),
    ],
)
def test_the_schema_of_each_kind_of_file_is_json(run: Run, arguments: tuple[str, ...], title: str) -> None:
    code, said = run("schema", *arguments)
    assert (code, json.loads(said)["title"]) == (0, title)


def test_what_is_registered_is_known_to_the_kit() -> None:
    assert "AccessRequest" in known().workflows
    assert plain().workflow in known().workflows
