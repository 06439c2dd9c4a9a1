"""`commissary catalog docs`: the pages of a catalog."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from support.authoring import WIKI, Run, broken
from support.items import FILE


class Page(HTMLParser):
    """A page: its text, its links and the tags in it."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src") and value]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def site(run: Run, items: Path) -> Path:
    """The site of a catalog with hostile Markdown in it."""
    hostile = "description: |\n  # Big\n  <script>alert(1)</script> [x](javascript:alert(1)) **bold**\n"
    (items / "wiki.yaml").write_text(WIKI.replace("description: Edit the wiki.\n", hostile))
    (items / "project.yaml").write_text(FILE.read_text())
    retired = WIKI.replace("id: wiki\n", "id: old\nlifecycle: retired\nsuccessor: wiki\n")
    (items / "old.yaml").write_text(retired)
    (items / "docs").mkdir()
    (items / "docs" / "wiki.md").write_text("Ask *Ines*.")
    assert run("docs", "-c", "items", "-o", "site") == (0, "Wrote 3 items; open site/index.html\n")
    return Path("site")


def test_every_link_of_the_site_leads_somewhere(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) == 4
    for page in pages:
        for link in Page(page).links:
            target, _, anchor = link.partition("#")
            assert (page.parent / target).exists(), f"{page}: {link}"
            assert not anchor or f'id="{anchor}"' in page.read_text()


def test_the_index_lists_items_by_category_and_those_not_offered_last(site: Path) -> None:
    text = Page(site / "index.html").text
    assert text.index("Collaboration") < text.index("Docs") < text.index("Not offered")


def test_a_page_tells_all_of_an_item(site: Path) -> None:
    text = " ".join(Page(site / "items" / "new-project.html").text.split())
    for said in (
        "within 30 days",
        "120 EUR once",
        "Name of the project",
        "Up to 10 people | large",
        "All of them must approve.",
        "Create the shared folder",
        "Cannot be taken back: Quotas are only raised.",
        "Others are told: “Only employees may have a project space",
        "A large project needs a budget.",
    ):
        assert said in text


def test_what_authors_write_is_no_markup(site: Path) -> None:
    page = Page(site / "items" / "wiki.html")
    assert "script" not in page.tags
    assert not [link for link in page.links if link.startswith("javascript")]
    assert "strong" in page.tags
    assert page.tags.count("h1") == 1


def test_a_retired_item_leads_to_its_successor_and_a_guide_is_shown(site: Path) -> None:
    assert "wiki.html" in Page(site / "items" / "old.html").links
    assert "Ask Ines." in Page(site / "items" / "wiki.html").text


def test_pages_need_no_script_and_know_dark(site: Path) -> None:
    assert not [page for page in site.rglob("*.html") if "script" in Page(page).tags]
    assert "prefers-color-scheme: dark" in (site / "style.css").read_text()


def test_history_comes_from_the_register(run: Run, items: Path, published: str) -> None:
    url = published
    (items / "wiki.yaml").write_text(WIKI.replace("1.0.0", "1.1.0").replace("15 days", "14 days"))
    assert run("docs", "-c", "items", "-o", "site", "--database-url", url)[0] == 0
    text = " ".join(Page(Path("site/items/wiki.html")).text.split())
    assert "It is promised sooner: within 14 days instead of 15 days." in text
    assert "1.0.0 published 2 March 2026, 12:00 UTC The first version." in text


def test_docs_say_what_is_wrong(run: Run, items: Path) -> None:
    Path("file").write_text("")
    code, said = run("docs", "-c", "items", "-o", "file")
    assert (code, "cannot be written" in said) == (1, True)
    code, said = run("docs", "-c", "items", "--database-url", "nonsense://x")
    assert (code, said.startswith("Error: The register cannot be read")) == (1, True)
    broken(items)
    code, said = run("docs", "-c", "items")
    assert (code, said.splitlines()[0]) == (2, "Error: The catalog cannot be used:")
