from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.api_world import KNOWN, ApiWorld
from support.builders import NOON
from support.waiting import until

from api.shelf import MOST_KEPT, MOST_TOLD, Shelf
from catalog.loader import Reading, read
from records.register import Register, RegisterUnavailable

WIKI = """\
id: {id}
version: {version}
name: {name}
description: Edit the wiki.
category: access
owner: mara
lifecycle: {lifecycle}
form:
  - {{id: why, type: text, label: "{label}"}}
approvals:
  - {{id: manager, name: Manager, approvers: [{{rule: manager}}]}}
workflow: AccessRequest
entitlement: {{group: wiki-editors}}
sla: {{target: 2 days}}
cancel: {{reason: true}}
"""


class Files:
    """Directories of items, and a shelf over them."""

    def __init__(self, home: Path, register: Register) -> None:
        self.one, self.two = home / "one", home / "two"
        self.one.mkdir()
        self.register = register
        self.write("wiki")
        self.shelf = self.another()

    def another(self, *directories: Path) -> Shelf:
        """Return a shelf as another process has it, after its first look."""
        shelf = Shelf(directories or (self.one,), self.register, KNOWN, lambda: NOON)
        shelf.look()
        return shelf

    def write(self, item: str = "wiki", to: Path | None = None, **other: Any) -> Path:
        path = (to or self.one) / f"{item}.yaml"
        path.parent.mkdir(exist_ok=True)
        plain = {"id": item, "version": "1.0.0", "name": item.title(), "lifecycle": "published", "label": "Why"}
        path.write_text(WIKI.format(**plain | other))
        return path

    def there(self, shelf: Shelf | None = None) -> dict[str, str]:
        """Return id -> version of what is on the shelf, after a look."""
        shelf = shelf or self.shelf
        shelf.look()
        return {item.id: item.version for item in shelf.stock.catalog}

    def wrong(self) -> list[tuple[str, int | None, str]]:
        return [(Path(one.file).name, one.line, one.rule) for one in self.shelf.stock.broken]


@pytest.fixture
def files(tmp_path: Path, resting: ApiWorld) -> Files:
    (tmp_path / "x").mkdir()
    return Files(tmp_path / "x", resting.register)


def test_what_files_say_is_published_and_put_on_the_shelf(files: Files) -> None:
    assert files.there() == {"wiki": "1.0.0"}
    publication = files.register.published("wiki", "1.0.0")
    assert publication
    assert publication.source.endswith("one/wiki.yaml")


def test_a_new_version_is_picked_up_and_a_new_file_too(files: Files) -> None:
    files.write("wiki", version="1.1.0", label="Why so")
    files.write("blog")
    assert files.there() == {"blog": "1.0.0", "wiki": "1.1.0"}
    assert [one.item.version for one in files.register.versions("wiki")] == ["1.1.0", "1.0.0"]


def test_a_draft_changes_under_its_version_and_leaves_the_published_one_on_offer(files: Files) -> None:
    files.there()
    files.write("wiki", version="2.0.0", lifecycle="draft", label="Why")
    files.write("blog", lifecycle="draft")
    assert files.there() == {"wiki": "1.0.0"}
    files.write("wiki", version="2.0.0", lifecycle="draft", label="Why so")
    assert files.there() == {"wiki": "1.0.0"}
    assert files.wrong() == []
    files.write("wiki", version="2.0.0", label="Why so")
    assert files.there() == {"wiki": "2.0.0"}


def test_unchanged_files_are_not_read_again(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Sequence[Path]] = []

    def noted(directories: Sequence[Path]) -> Reading:
        seen.append(directories)
        return read(directories)

    monkeypatch.setattr("api.shelf.read", noted)
    files.shelf.look()
    assert seen == []
    files.write("wiki", version="1.1.0")
    files.shelf.look()
    assert seen == [(files.one,)]


def test_a_file_that_breaks_keeps_the_last_good_version_and_is_told_once(
    files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    path = files.write("wiki", version="1.1.0")
    assert files.there() == {"wiki": "1.1.0"}
    path.write_text(path.read_text() + "\tbroken: [")
    assert files.there() == {"wiki": "1.1.0"}
    ((file, line, rule),) = files.wrong()
    assert (file, rule) == ("wiki.yaml", "yaml-syntax")
    assert line
    files.write("blog")
    assert files.there() == {"blog": "1.0.0", "wiki": "1.1.0"}
    assert [record.levelno for record in caplog.records if "wiki.yaml" in record.message] == [logging.ERROR]
    files.write("wiki", version="1.2.0")
    assert files.there() == {"blog": "1.0.0", "wiki": "1.2.0"}
    assert files.wrong() == []


def test_a_file_with_thousands_of_mistakes_fills_neither_the_log_nor_the_memory(
    files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    path = files.write("wiki", version="1.1.0")
    path.write_text(path.read_text() + "".join(f"odd_{n}: 1\n" for n in range(2_000)))
    (files.one / "blog.yaml").write_text("id: [")
    assert files.there() == {"wiki": "1.0.0"}
    assert [file for file, _, _ in files.wrong()].count("wiki.yaml") == MOST_KEPT
    told = [record.getMessage() for record in caplog.records if "wiki.yaml" in record.getMessage()]
    assert len(told) == MOST_TOLD + 1
    assert "180 findings more" in told[-1]
    assert any("blog.yaml" in record.getMessage() for record in caplog.records)
    before = len(caplog.records)
    files.there()
    assert len(caplog.records) == before


def test_a_process_that_starts_beside_a_broken_file_has_its_last_good_version(files: Files) -> None:
    (files.one / "wiki.yaml").write_text("id: [")
    files.write("blog")
    assert files.there(files.another()) == {"blog": "1.0.0", "wiki": "1.0.0"}


def test_an_unwise_item_is_kept_out_and_its_last_version_stays(files: Files) -> None:
    files.write("wiki", version="1.1.0", label="{{ form.why }}")
    path = files.write("blog")
    path.write_text(path.read_text().replace("AccessRequest", "NoSuchWorkflow"))
    assert files.there() == {"wiki": "1.1.0"}
    assert [(file, rule) for file, _, rule in files.wrong()] == [("blog.yaml", "unknown-workflow")]


def test_the_same_version_with_another_content_is_refused_and_both_files_are_named(files: Files) -> None:
    other = files.write("wiki", to=files.two, label="Something else")
    shelf = files.another(files.two)
    (broken,) = shelf.stock.broken
    assert broken.file == str(other)
    assert str(files.one / "wiki.yaml") in broken.message
    assert broken.rule == "version-not-bumped"
    assert files.there(shelf) == {"wiki": "1.0.0"}
    assert "Something else" not in str(list(shelf.stock.catalog))


def test_the_same_id_in_two_directories_is_refused_and_both_files_are_named(files: Files) -> None:
    other = files.write("wiki", to=files.two, version="2.0.0")
    shelf = files.another(files.one, files.two)
    (broken,) = shelf.stock.broken
    assert broken.file == str(other)
    assert str(files.one / "wiki.yaml") in broken.message
    assert files.there(shelf) == {"wiki": "1.0.0"}


def test_a_version_lower_than_what_is_published_is_refused(files: Files) -> None:
    files.write("wiki", version="2.0.0")
    assert files.there() == {"wiki": "2.0.0"}
    files.write("wiki", version="1.0.0")
    assert files.there() == {"wiki": "2.0.0"}
    assert [rule for _, _, rule in files.wrong()] == ["version-too-low"]


def test_a_file_that_is_removed_takes_its_item_off_the_shelf(files: Files) -> None:
    files.write("blog")
    assert set(files.there()) == {"blog", "wiki"}
    (files.one / "wiki.yaml").unlink()
    assert set(files.there()) == {"blog"}
    assert not files.shelf.offers("wiki")
    assert files.shelf.offers("blog")


def test_a_directory_that_goes_away_takes_nothing_away(files: Files) -> None:
    files.write("blog")
    files.there()
    (files.one / "blog.yaml").unlink()
    files.there()
    files.one.rename(files.one.with_name("elsewhere"))
    assert set(files.there()) == {"wiki"}
    assert [rule for _, _, rule in files.wrong()] == ["no-directory"]


def test_a_shared_policy_that_breaks_keeps_the_items_that_use_it(files: Files) -> None:
    policies = files.one / "policies"
    policies.mkdir()
    policy = policies / "usual.yaml"
    policy.write_text("id: usual\nname: Usual\nstages: [{id: m, name: M, approvers: [{rule: manager}]}]\n")
    path = files.write("blog")
    text = path.read_text()
    start, end = text.index("approvals:"), text.index("workflow:")
    path.write_text(text[:start] + "approval_policy: usual\n" + text[end:])
    assert files.there() == {"blog": "1.0.0", "wiki": "1.0.0"}
    policy.write_text("id: usual")
    assert files.there() == {"blog": "1.0.0", "wiki": "1.0.0"}
    assert {file for file, _, _ in files.wrong()} == {"blog.yaml", "usual.yaml"}


def test_a_shared_policy_that_is_unwise_for_an_item_keeps_that_item_out(files: Files) -> None:
    (files.one / "policies").mkdir()
    stages = "stages: [{id: m, name: M, approvers: [{rule: manager}], when: form.urgent}]"
    (files.one / "policies" / "usual.yaml").write_text(f"id: usual\nname: Usual\n{stages}\n")
    for item, field in (("blog", "why"), ("news", "urgent")):
        path = files.write(item)
        text = path.read_text().replace("id: why", f"id: {field}")
        start, end = text.index("approvals:"), text.index("workflow:")
        path.write_text(text[:start] + "approval_policy: usual\n" + text[end:])
    assert files.there() == {"news": "1.0.0", "wiki": "1.0.0"}
    assert files.wrong() == [("usual.yaml", 3, "unknown-name")]


def test_several_processes_publish_the_same_side_by_side(files: Files) -> None:
    shelves = [files.another() for _ in range(3)]
    assert [files.there(shelf) for shelf in shelves] == [{"wiki": "1.0.0"}] * 3
    assert len(files.register.versions("wiki")) == 1


def test_with_the_register_away_the_shelf_stays_and_catches_up(
    files: Files, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away() -> None:
        raise RegisterUnavailable("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(files.register, "check", away)
        files.write("wiki", version="1.1.0")
        assert files.there() == {"wiki": "1.0.0"}
        assert "the disk is gone" in files.shelf.stock.trouble
        assert files.there() == {"wiki": "1.0.0"}
    assert files.there() == {"wiki": "1.1.0"}
    assert files.shelf.stock.trouble == ""
    assert sum("the disk is gone" in record.message for record in caplog.records) == 1


def test_a_register_that_was_never_there_leaves_the_shelf_empty_and_says_so(tmp_path: Path, files: Files) -> None:
    with closing(Register(f"sqlite:///{tmp_path}/new.db")) as register:
        shelf = Shelf((files.one,), register, KNOWN, lambda: NOON)
        shelf.look()
        assert len(shelf.stock.catalog) == 0
        assert "migrate" in shelf.stock.trouble
        register.migrate()
        shelf.look()
        assert len(shelf.stock.catalog) == 1


def test_the_queues_that_items_need_are_known(files: Files) -> None:
    path = files.write("blog")
    text = path.read_text()
    steps = (
        "steps:\n"
        "  - {id: g, do: call, action: directory.create_group, input: {name: x, owners: [a], description: d}}\n"
        "  - {id: h, do: http, url: 'https://example.org', method: GET}\n"
        "  - {id: r, do: request, item: wiki, answers: {why: work}, irreversible: It stays.}\n"
    )
    form = text.replace(
        'label: "Why"}',
        'label: "Why"}\n  - {id: rows, type: rows, label: R, fields: [{id: g, type: group, label: G}]}',
    )
    path.write_text(form[: form.index("workflow:")] + steps + form[form.index("sla:") :])
    files.there()
    assert not files.wrong(), files.shelf.stock.broken
    assert files.shelf.stock.queues == {
        "commissary-directory", "commissary-http", "commissary-orders", "commissary-choices",
    }  # fmt: skip


# Calendars.

OFFICE = """\
id: {id}
name: {id}
zone: Europe/Berlin
hours: {{monday: [{opens}-17:00]}}
holidays: {{country: {country}}}
"""


def calendar(files: Files, name: str = "office", to: Path | None = None, **other: Any) -> Path:
    """Write a calendar beside the items."""
    path = (to or files.one) / "calendars" / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(OFFICE.format(**{"id": name, "opens": "09:00", "country": "DE"} | other))
    return path


def open_now(files: Files) -> dict[str, str]:
    """Return id -> hours of the calendars that hold, after a look."""
    files.shelf.look()
    return {one.file.id: str(one.calendar.week["monday"][0]) for one in files.register.calendars()}


def test_calendars_are_published_with_their_holidays_and_changes_hold_at_once(files: Files) -> None:
    calendar(files)
    calendar(files, "night", opens="02:00")
    assert open_now(files) == {"night": "02:00-17:00", "office": "09:00-17:00"}
    (_, office) = files.register.calendars()
    assert office.calendar.days[date(2027, 3, 29)] == (), "Easter Monday"
    assert office.calendar.known_until == date(2030, 12, 31)
    calendar(files, opens="10:00")
    assert open_now(files)["office"] == "10:00-17:00"
    assert files.shelf.stock.calendars == 2


def test_a_calendar_whose_file_is_removed_holds_no_longer(files: Files) -> None:
    path = calendar(files)
    calendar(files, "night")
    assert set(open_now(files)) == {"night", "office"}
    path.unlink()
    assert set(open_now(files)) == {"night"}


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        ("id: [", "yaml-syntax"),
        (OFFICE.format(id="office", opens="09:00", country="Atlantis"), "unknown-holidays"),
        (OFFICE.format(id="office", opens="10:00", country="DE") + "default: true\n", "two-defaults"),
    ],
)
def test_a_calendar_with_an_error_keeps_its_last_good_version_and_is_told(files: Files, broken: str, rule: str) -> None:
    path = calendar(files)
    default = calendar(files, "night")
    default.write_text(default.read_text() + "default: true\n")
    assert set(open_now(files)) == {"night", "office"}
    path.write_text(broken)
    assert open_now(files)["office"] == "09:00-17:00"
    assert [(file, found) for file, _, found in files.wrong()] == [("office.yaml", rule)]
    assert files.there() == {"wiki": "1.0.0"}


def test_while_one_calendar_cannot_be_read_none_is_taken_away(files: Files) -> None:
    path = calendar(files)
    other = calendar(files, "night")
    open_now(files)
    path.write_text("id: [")
    other.unlink()
    assert set(open_now(files)) == {"night", "office"}
    calendar(files)
    assert set(open_now(files)) == {"office"}


def test_a_directory_that_goes_away_takes_no_calendar_away(files: Files) -> None:
    calendar(files)
    open_now(files)
    files.one.rename(files.one.with_name("elsewhere"))
    assert set(open_now(files)) == {"office"}


def test_a_union_of_a_calendar_that_breaks_stays_as_it_was(files: Files) -> None:
    path = calendar(files)
    union = path.with_name("both.yaml")
    union.write_text("id: both\nname: Both\nunion: [office, night]\n")
    calendar(files, "night")
    files.shelf.look()
    assert len(files.register.calendars()) == 3
    path.write_text("id: [")
    files.shelf.look()
    (both, *_) = files.register.calendars()
    assert [part.id for part in both.calendar.parts] == ["office", "night"]
    assert {file for file, _, _ in files.wrong()} == {"office.yaml", "both.yaml"}


def test_holidays_are_worked_out_anew_when_the_year_changes_without_any_file_changing(files: Files) -> None:
    calendar(files)
    now = [NOON]
    files.shelf = Shelf((files.one,), files.register, KNOWN, lambda: now[0])
    for year in (2025, 2026):
        now[0] = NOON.replace(year=year)
        files.shelf.look()
        (one,) = files.register.calendars()
        assert one.calendar.known_until == date(year + 5, 12, 31)


def test_calendars_of_a_folder_beside_the_items_are_found(files: Files, tmp_path: Path) -> None:
    files.write("blog", to=tmp_path / "items")
    calendar(files, to=tmp_path)
    files.shelf = files.another(tmp_path / "items")
    assert set(open_now(files)) == {"office"}


async def test_the_shelf_looks_again_whatever_happens(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf((files.one,), files.register, KNOWN, lambda: NOON, every=timedelta(milliseconds=5))
    really, errors = shelf.look, [RuntimeError("whatever")]

    def look() -> None:
        if errors:
            raise errors.pop()
        really()

    monkeypatch.setattr(shelf, "look", look)
    running = asyncio.create_task(shelf.run())
    assert await until(lambda: shelf.offers("wiki"))
    running.cancel()


# Over HTTP.


async def test_a_changed_directory_is_picked_up_while_the_api_serves(files: Files, resting: ApiWorld) -> None:
    world = resting
    world.parts.shelf = Shelf((files.one,), files.register, KNOWN, world.clock, every=timedelta(milliseconds=5))
    world.parts.__post_init__()
    order = {"item": "wiki", "answers": {"why": "work"}}
    async with world.app.router.lifespan_context(world.app), world.http:
        first = (await world.post("ada", "/requests", order, key="one")).json()
        files.write("wiki", version="1.1.0", label="Why so")
        files.write("blog")
        await until(lambda: world.parts.shelf.offers("blog"))
        second = (await world.post("ben", "/requests", order, key="two")).json()
        assert (first["item"]["version"], second["item"]["version"]) == ("1.0.0", "1.1.0")
        assert (await world.get("ada", f"/requests/{first['number']}")).json()["item"]["version"] == "1.0.0"
        (files.one / "blog.yaml").write_text("id: [")
        await until(lambda: world.parts.shelf.stock.broken)
        assert (await world.get("ada", "/catalog/items/blog")).status_code == 200
        catalog = (await world.http.get("/readyz")).json()["parts"]["catalog"]
        assert (catalog["ready"], catalog["detail"]["items"]) == (True, 2)
        (told,) = catalog["detail"]["broken"]
        assert told["file"].endswith("blog.yaml")
        assert told["line"]
        assert told["message"]
