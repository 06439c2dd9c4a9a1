"""What the catalog language costs: loading, linting and checking answers, beside pydantic alone on the same data.

Run it as ``python bench/language.py``; docs/benchmarks.md says what is compared. The last line is JSON.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# So that it runs alone.
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT))

from pydantic import BaseModel, Field, create_model
from rich.console import Console
from rich.table import Table

import catalog
from activities import plugins
from bench.rig.report import Target, conclude
from catalog import form
from catalog.fields import ChoiceField, DateField, IntegerField, TextField, YesNoField
from catalog.item import CatalogItem
from catalog.lint import lint
from catalog.loader import read
from catalog.source import parse

ITEMS, ROUNDS, CHECKS = 1_000, 5, 200
TARGETS = {"load_and_lint_s": Target(max=2.0), "check_ms": Target(max=1.0)}
SHIPPED = Path(catalog.__file__).parent

OWN = """\
id: item-{n}
version: 1.0.0
name: Item {n}
summary: The item number {n}.
description: What number {n} is good for.
category: Bench
owner: ada
price: {{one_off: "{{{{ form.seats * {n} }}}}", currency: EUR}}
form:
  - {{id: seats, type: integer, label: Seats, least: 1, most: {n}}}
  - {{id: why, type: text, label: Why, required: form.seats > {n}, visible: form.seats != {n}}}
approvals:
  - id: manager
    name: Line manager
    approvers: [{{rule: manager}}]
    when: cost.one_off > {n} and form.seats > 1
steps:
  - {{id: give, do: grant, group: "group-{n}-{{{{ form.seats }}}}"}}
sla: {{target: 5 days}}
"""
"""An item whose every expression is its own: the worst there is, because no program can be used twice."""


def shipped_copies(directory: Path, count: int) -> None:
    """Write so many items like those that are shipped; copies share their expressions, as items of a company do."""
    files = sorted((SHIPPED / "items").glob("*.yaml"))
    taken = [path.stem for path in files]
    (directory / "policies").symlink_to(SHIPPED / "policies")
    for n in range(count):
        path = files[n % len(files)]
        text = path.read_text()
        for name in taken:
            text = text.replace(f"id: {name}\n", f"id: {name}-{n // len(files)}\n")
            text = text.replace(f"item: {name}\n", f"item: {name}-{n // len(files)}\n")
        (directory / f"{path.stem}-{n}.yaml").write_text(text)


def own_items(directory: Path, count: int) -> None:
    """Write so many items that share nothing."""
    for n in range(1, count + 1):
        (directory / f"item-{n}.yaml").write_text(OWN.format(n=n))


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    begun = perf_counter()
    call()
    return perf_counter() - begun


def catalog_figures(write: Callable[[Path, int], None], count: int, rounds: int) -> tuple[float, float, int]:
    """Return the seconds that loading with linting take, those of pydantic alone, and how many errors were found."""
    known = plugins.known()
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        write(directory, count)
        plain = [parse(path.read_text())[0] for path in sorted(directory.glob("*.yaml"))]
        found = lint(read([directory]), known)
        errors = sum(one.severity == "error" for one in found)
        ours = [seconds(lambda: lint(read([directory]), known)) for _ in range(rounds)]
        theirs = [seconds(lambda: [_validated(one) for one in plain]) for _ in range(rounds)]
    return median(ours), median(theirs), errors


def first_time(count: int) -> float:
    """Return the seconds for items that share nothing, in a process that has never seen them."""
    with tempfile.TemporaryDirectory() as folder:
        own_items(Path(folder), count)
        return seconds(lambda: lint(read([Path(folder)]), plugins.known()))


def _validated(one: dict[str, Any]) -> CatalogItem:
    return CatalogItem.model_validate(one)


def forty_fields() -> tuple[tuple[Any, ...], dict[str, Any], type[BaseModel]]:
    """Return a form of forty fields, answers to it, and a pydantic model that asks the same."""
    fields: list[Any] = []
    model: dict[str, Any] = {}
    answers: dict[str, Any] = {}
    for n in range(8):
        when = "form.yes_0" if n % 2 else True
        fields += [
            TextField(id=f"text_{n}", type="text", label="Text", max_length=200, visible=when),
            IntegerField(id=f"number_{n}", type="integer", label="Number", least=0, most=1_000, required=when),
            ChoiceField(id=f"choice_{n}", type="choice", label="Choice", choices=("a", "b", "c")),
            YesNoField(id=f"yes_{n}", type="yes_no", label="Yes or no"),
            DateField(id=f"day_{n}", type="date", label="Day"),
        ]
        answers |= {f"text_{n}": "some words", f"number_{n}": n, f"choice_{n}": "b", f"yes_{n}": True}
        answers[f"day_{n}"] = "2026-03-02"
        model |= {
            f"text_{n}": (str, Field(max_length=200)),
            f"number_{n}": (int, Field(ge=0, le=1_000)),
            f"choice_{n}": (str, Field(pattern="^[abc]$")),
            f"yes_{n}": (bool, ...),
            f"day_{n}": (str, Field(pattern=r"^\d{4}-\d\d-\d\d$")),
        }
    return tuple(fields), answers, create_model("Forty", **model)


def form_figures() -> tuple[float, float]:
    """Return the milliseconds that one check of a form of forty fields takes, and those of pydantic alone."""
    fields, answers, model = forty_fields()
    checked = form.check(fields, answers, {})
    assert not checked.errors, checked.errors
    ours = [seconds(lambda: [form.check(fields, answers, {}) for _ in range(CHECKS)]) for _ in range(ROUNDS)]
    theirs = [seconds(lambda: [model.model_validate(answers) for _ in range(CHECKS)]) for _ in range(ROUNDS)]
    return 1e3 * median(ours) / CHECKS, 1e3 * median(theirs) / CHECKS


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=ITEMS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    sizes = parser.parse_args()
    if sizes.items < 1 or sizes.rounds < 1:
        parser.error("items and rounds are at least 1")
    own_first = first_time(sizes.items)
    linted, validated, errors = catalog_figures(shipped_copies, sizes.items, sizes.rounds)
    assert not errors, "the copies are as sane as the shipped items"
    checked, alone = form_figures()
    made = Table(title=f"{sizes.items} items, {sizes.rounds} rounds; medians")
    for heading in ("", "ours", "pydantic alone", "target"):
        made.add_column(heading, justify="right" if heading else "left")
    made.add_row("load and lint, like the shipped ones", f"{linted:.2f} s", f"{validated:.2f} s", "<= 2 s")
    made.add_row("the same, every expression its own, first time", f"{own_first:.2f} s", "", "")
    made.add_row("check the answers to 40 fields", f"{checked:.3f} ms", f"{alone:.4f} ms", "<= 1 ms")
    Console(width=110).print(made)
    figures = {
        "items": sizes.items,
        "load_and_lint_s": round(linted, 3),
        "pydantic_s": round(validated, 3),
        "own_expressions_first_time_s": round(own_first, 3),
        "check_ms": round(checked, 4),
        "pydantic_check_ms": round(alone, 4),
    }
    conclude("language", figures, TARGETS)


if __name__ == "__main__":
    main()
