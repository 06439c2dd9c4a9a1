"""`commissary catalog docs`: the catalog as pages that need no server and no script."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from catalog import clock_words
from catalog.diff import changes
from catalog.duration import words as lasting
from catalog.fields import Field, RowsField
from catalog.graph import graph
from catalog.item import AudienceRule, CatalogItem
from catalog.loader import Loaded, read
from catalog.picture import svg
from catalog.registry import Known
from catalog.steps import ForEachStep, ParallelStep, Step
from catalog.text import capital, moment
from catalog.wording import Words, field_type, price_of
from cli.client import Trouble
from cli.kit.diff import AUDIENCES
from cli.kit.shelf import Catalogs, Database, NoSuchThing, directories, known, register

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_STYLE = Path(__file__).parent / "templates" / "style.css"
_DEEPEST = 6
"""The lowest level of heading there is."""
_LOWER = 2
"""An author's headings come below those of the page."""


class Edition(NamedTuple):
    """One version of an item; `published_at` is None for what only stands in a file."""

    item: CatalogItem
    published_at: datetime | None = None


def docs(
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="Directory to write; made if need be.")] = Path(
        "catalog-site"
    ),
    database_url: Database = None,
    catalogs: Catalogs = None,
) -> None:
    """Write the catalog as a static site: each item's picture, questions, approvals, steps and promise."""
    reading = read(directories(catalogs))
    if reading.problems:
        raise NoSuchThing("The catalog cannot be used:", tuple(map(str, reading.problems)))
    editions = {name: [Edition(loaded.value)] for name, loaded in reading.items.items()}
    if database_url:
        editions = _published(database_url, editions)
    guides = {name: _guide(loaded) for name, loaded in reading.items.items()}
    try:
        count = _write(out, editions, guides, known())
    except OSError as error:
        raise Trouble(f"{out} cannot be written: {error.strerror}. Choose another directory with --out.") from error
    print(f"Wrote {count} items; open {out / 'index.html'}")


def _published(url: str, editions: dict[str, list[Edition]]) -> dict[str, list[Edition]]:
    """Return the editions with what the register has of each item, newest first."""
    with register(url) as opened:
        return {
            name: _joined(here, [Edition(one.item, one.published_at) for one in opened.versions(name)])
            for name, here in editions.items()
        }


def _joined(here: list[Edition], published: list[Edition]) -> list[Edition]:
    """Return what is published, and before it what stands in the file if that is not."""
    return published if any(one.item == here[0].item for one in published) else [*here, *published]


def _guide(loaded: Loaded[CatalogItem]) -> str:
    """Return what an author wrote beside the item, in ``docs/<id>.md``; empty if nothing."""
    page = Path(loaded.file).parent / "docs" / f"{loaded.value.id}.md"
    return page.read_text(encoding="utf-8") if page.is_file() else ""


def _write(out: Path, editions: Mapping[str, list[Edition]], guides: Mapping[str, str], registered: Known) -> int:
    environment = Environment(
        loader=PackageLoader("cli.kit"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"markdown": _markdown, "lasting": lasting, "moment": lambda at: moment(at.isoformat())}
    items = {name: history[0].item for name, history in editions.items()}
    names = {name: item.name for name, item in items.items()}
    (out / "items").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_STYLE, out / "style.css")
    index = environment.get_template("index.html.j2").render(shelves=_shelves(items.values()), price_of=price_of)
    (out / "index.html").write_text(index, encoding="utf-8")
    page = environment.get_template("item.html.j2")
    for name, item in items.items():
        (out / "items" / f"{name}.svg").write_text(svg(graph(item, registered, names)), encoding="utf-8")
        facts = _facts(item, Words(item, registered, names)) | {
            "guide": guides[name],
            "history": list(_history(editions[name], registered)),
        }
        (out / "items" / f"{name}.html").write_text(page.render(items=items, **facts), encoding="utf-8")
    return len(items)


def _shelves(items: Any) -> list[tuple[str, list[CatalogItem]]]:
    """Return the items by category, in the order of their names; what cannot be ordered comes last."""
    shelves: dict[tuple[bool, str], list[CatalogItem]] = {}
    for item in sorted(items, key=lambda item: item.name.casefold()):
        offered = item.lifecycle == "published"
        shelves.setdefault((not offered, item.category if offered else "Not offered"), []).append(item)
    return [(name, shelves[closed, name]) for closed, name in sorted(shelves)]


def _facts(item: CatalogItem, words: Words) -> dict[str, Any]:
    """Return what an item's page tells."""
    return {
        "item": item,
        "words": words,
        "price": price_of(item),
        "fields": list(_fields(item.form, words)),
        "steps": list(_steps(item.steps, words)),
        "parts": {line.id: words.item(line.item) for line in item.lines},
        "visibility": _rules(item.visibility, words),
        "eligibility": _rules(item.eligibility, words),
        "checks": [words.text(check.message) for check in item.checks],
        "fulfilment": words.workflow(),
        "clocks": [clock_words.clock(clock) for clock in item.clocks],
        "priority": clock_words.priority(item.priority, words.text) if item.priority else "",
    }


def _rules(rules: tuple[AudienceRule, ...], words: Words) -> list[tuple[str, str]]:
    return [(words.condition(rule.when), words.text(rule.why_not)) for rule in rules]


class _Question(NamedTuple):
    label: str
    kind: str
    need: str
    help: str
    depth: int


def _fields(fields: tuple[Field, ...], words: Words, depth: int = 0) -> Iterator[_Question]:
    for field in fields:
        need = (
            {True: "needed", False: "optional"}.get(field.required is True)
            if isinstance(field.required, bool)
            else (f"needed if {words.condition(field.required)}")
        )
        asked = "" if field.visible is True else f"; asked only if {words.condition(field.visible)}"
        yield _Question(field.label, _kind(field), f"{need}{asked}", field.help, depth)
        if isinstance(field, RowsField):
            yield from _fields(field.fields, words, depth + 1)


def _kind(field: Field) -> str:
    choices = getattr(field, "choices", ())
    labels = getattr(field, "labels", {})
    if choices:
        return " | ".join(labels.get(choice, choice) for choice in choices)
    return field_type(field)


class _Done(NamedTuple):
    title: str
    kind: str
    about: list[str]
    depth: int


def _steps(steps: tuple[Step, ...], words: Words, depth: int = 0) -> Iterator[_Done]:
    for step in steps:
        about = words.about(step)
        about += [f"{capital(within)}."] if (within := words.within(step)) else []
        about += [f"Taken back, if need be: {undoing}."] if (undoing := words.undoing(step)) else []
        yield _Done(words.step(step), step.do.replace("_", " "), about, depth)
        if isinstance(step, ParallelStep):
            for name, branch in step.branches.items():
                yield _Done(name, "branch", [], depth + 1)
                yield from _steps(branch, words, depth + 2)
        elif isinstance(step, ForEachStep):
            yield from _steps(step.steps, words, depth + 1)


class _Entry(NamedTuple):
    version: str
    published_at: datetime | None
    changes: list[tuple[str, tuple[str, ...]]]


def _history(editions: list[Edition], registered: Known) -> Iterator[_Entry]:
    """Yield every version, newest first, with what it changed."""
    for at, (item, published_at) in enumerate(editions):
        earlier = editions[at + 1].item if at + 1 < len(editions) else item
        told = changes(earlier, item, registered)
        parts = [(title, getattr(told, audience)) for audience, title in AUDIENCES.items()]
        yield _Entry(item.version, published_at, [part for part in parts if part[1]])


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415  slow to load, and the other commands can do without

    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _markdown(text: str) -> Markup:
    """Return Markdown as HTML; HTML in it stays text, and headings come below the page's own."""
    parser = _parser()
    tokens = parser.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + _LOWER, _DEEPEST)}"
    return Markup(parser.renderer.render(tokens, parser.options, {}))  # noqa: S704  the renderer escapes all text
