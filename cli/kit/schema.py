"""`commissary catalog schema`: the JSON Schema of item files, for editors."""

from __future__ import annotations

import json

from catalog.schema import item_schema
from cli.kit.shelf import Out, write


def text() -> str:
    """Return the schema as a file's content."""
    return json.dumps(item_schema(), indent=1, ensure_ascii=False) + "\n"


def schema(*, out: Out = None) -> None:
    """Write the JSON Schema of item files: completion and errors while typing, in editors that know YAML."""
    write(text(), out)
