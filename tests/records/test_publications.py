from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import Executable, delete, text, update
from sqlalchemy.exc import DBAPIError
from support.builders import NOON, a_stage, an_item

from catalog.item import CatalogItem
from catalog.model import digest
from records.register import Publication, Register, VersionTaken
from records.tables import item_versions

LATER = NOON + timedelta(hours=1)

EVERYTHING = {
    "id": "laptop",
    "version": "12.0.3",
    "name": "Laptop",
    "description": "A *new* laptop.",
    "category": "equipment",
    "owner": "ada",
    "visibility": [{"id": "staff", "when": "requester.active", "why_not": "For staff."}],
    "order_for": {"others": False, "why_not": "Only for yourself."},
    "price": {"one_off": 1299.5, "recurring": "{{ form.seats * 3 }}", "every": "year", "currency": "EUR"},
    "form": [
        {"id": "seats", "type": "integer", "label": "Seats", "least": 0, "default": 0, "required": "form.more"},
        {"id": "weight", "type": "decimal", "label": "Weight", "most": 2.50, "default": 1.10},
        {"id": "start", "type": "datetime", "label": "Start", "earliest": "2025-03-03T12:00:00.5+02:00"},
        {"id": "end", "type": "date", "label": "End", "latest": "2025-12-31"},
        {"id": "span", "type": "duration", "label": "Span", "longest": "90 minutes"},
        {"id": "offer", "type": "attachment", "label": "Offer", "media_types": ["image/*"], "max_size": "2 MB"},
        {"id": "ports", "type": "rows", "label": "Ports", "fields": [{"id": "ip", "type": "ip", "label": "IP"}]},
    ],
    "approvals": [{"id": "manager", "name": "Manager", "approvers": [{"rule": "manager"}]}],
    "steps": [
        {"id": "give", "do": "grant", "group": "laptops"},
        {"id": "tell", "do": "http", "url": "https://example.org/", "body": {"a": [1, None, 0.1, True, {}, "é"]}},
    ],
    "sla": {"target": "3 weeks"},
}
"""An item as its file has it, with values whose form in JSON is another than in Python."""


def test_a_published_item_is_read_back_with_its_digest_source_and_time(register: Register) -> None:
    item = an_item(description="Größe ≥ 10 µm, 日本語, 🦊 \\ \" ' \u0000 %s :x", approvals=(a_stage(quorum="all"),))
    assert register.publish(item, "items/wiki.yaml", NOON)
    expected = Publication(item=item, digest=digest(item), source="items/wiki.yaml", published_at=NOON)
    published = register.published("wiki-editor", "1.0.0")
    assert published == expected
    assert register.versions("wiki-editor") == [expected]
    assert register.newest() == {"wiki-editor": item}
    assert digest(published.item) == published.digest


def test_an_item_of_every_kind_of_value_keeps_its_digest(register: Register) -> None:
    item = CatalogItem.model_validate(EVERYTHING)
    register.publish(item, "laptop.yaml", NOON)
    published = register.published("laptop", "12.0.3")
    assert published is not None
    assert published.item == item
    assert digest(published.item) == published.digest == digest(item)
    assert not register.publish(published.item, "laptop.yaml", LATER)


def test_publishing_the_same_again_changes_nothing_and_says_so(register: Register) -> None:
    register.publish(an_item(), "first.yaml", NOON)
    assert not register.publish(an_item(), "moved.yaml", LATER)
    (standing,) = register.versions("wiki-editor")
    assert (standing.source, standing.published_at) == ("first.yaml", NOON)


def test_a_version_with_another_content_is_refused_and_both_files_can_be_named(register: Register) -> None:
    item = an_item()
    register.publish(item, "first.yaml", NOON)
    with pytest.raises(VersionTaken, match=r"wiki-editor 1\.0\.0 .* from first\.yaml; .* new version") as raised:
        register.publish(an_item(name="Wiki author"), "second.yaml", LATER)
    refused = raised.value
    assert (refused.item_id, refused.version) == ("wiki-editor", "1.0.0")
    assert (refused.standing_digest, refused.standing_source) == (digest(item), "first.yaml")
    assert register.newest() == {"wiki-editor": item}


def test_versions_are_ordered_by_their_numbers(register: Register) -> None:
    for version in ("1.9.0", "1.10.0", "0.99.99", "1.9.10", "1.9.9"):
        register.publish(an_item(version=version), "wiki.yaml", NOON)
    ordered = ["1.10.0", "1.9.10", "1.9.9", "1.9.0", "0.99.99"]
    assert [publication.item.version for publication in register.versions("wiki-editor")] == ordered
    assert register.newest()["wiki-editor"].version == "1.10.0"


def test_an_old_version_published_late_is_not_the_newest(register: Register) -> None:
    register.publish(an_item(version="2.0.0"), "wiki.yaml", NOON)
    register.publish(an_item(version="1.0.1"), "wiki.yaml", LATER)
    assert register.newest()["wiki-editor"].version == "2.0.0"


def test_the_newest_of_named_items_leaves_out_the_others_and_what_is_unknown(register: Register) -> None:
    vpn, wiki = an_item(id="vpn"), an_item()
    for item in (vpn, wiki):
        register.publish(item, "items.yaml", NOON)
    assert register.newest() == {"vpn": vpn, "wiki-editor": wiki}
    assert register.newest(["vpn", "nothing", "\x00", "\ud800", ""]) == {"vpn": vpn}
    assert register.newest([]) == {}


def test_the_newest_of_more_items_than_one_query_names_are_all_found(register: Register) -> None:
    ids = [f"item-{n}" for n in range(1_003)]
    rows = [
        {"item_id": item_id, "version": version, "digest": "sha256:x", "source": "", "published_at": NOON}
        | {"document": an_item(id=item_id, version=version).model_dump_json()}
        for item_id in ids
        for version in ("1.0.0", "1.0.1")
    ]
    with register.write() as connection:
        connection.execute(item_versions.insert(), rows)
    newest = register.newest()
    assert sorted(newest) == sorted(ids)
    assert {item.version for item in newest.values()} == {"1.0.1"}


@pytest.mark.parametrize("nothing", ["", "nothing", "wiki-editor\x00", "\ud800", "wiki-editor' --"])
def test_what_was_never_published_is_not_found(register: Register, nothing: str) -> None:
    register.publish(an_item(), "wiki.yaml", NOON)
    assert register.versions(nothing) == []
    assert register.published(nothing, "1.0.0") is None
    assert register.published("wiki-editor", nothing) is None


def test_a_published_version_can_be_neither_changed_nor_deleted(register: Register, backend: str) -> None:
    item = an_item()
    register.publish(item, "wiki.yaml", NOON)
    changes: list[Executable] = [update(item_versions).values(digest="sha256:other"), delete(item_versions)]
    if backend == "postgresql":
        changes.append(text("TRUNCATE item_versions"))
    for change in changes:
        with pytest.raises(DBAPIError, match="published items never change"), register.write() as connection:
            connection.execute(change)
    assert register.newest() == {"wiki-editor": item}


def test_many_threads_that_publish_the_same_are_told_once_that_it_is_new(connect: Callable[[], Register]) -> None:
    registers = [connect() for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        new = list(threads.map(lambda register: register.publish(an_item(), "wiki.yaml", NOON), registers * 4))
    assert sum(new) == 1


def test_of_many_threads_that_publish_a_version_with_different_contents_one_wins(
    connect: Callable[[], Register],
) -> None:
    registers = [connect() for _ in range(8)]
    items = [an_item(name=f"Wiki {n}") for n in range(8)]

    def publish(register: Register, item: CatalogItem) -> str:
        try:
            assert register.publish(item, item.name, NOON)
        except VersionTaken as taken:
            return taken.standing_source
        return item.name

    with ThreadPoolExecutor(8) as threads:
        winners = set(threads.map(publish, registers, items))
    (standing,) = registers[0].versions("wiki-editor")
    assert winners == {standing.source}


def test_two_processes_that_publish_different_contents_agree_on_what_stands(
    run_twice: Callable[[str], list[list[str]]], register: Register
) -> None:
    program = """
        import os
        from support.builders import NOON, an_item
        for n in range(25):
            try:
                register.publish(an_item(version=f"1.{n}.0", name=str(os.getpid())), str(os.getpid()), NOON)
                print(os.getpid())
            except VersionTaken as taken:
                print(taken.standing_source)
    """
    one, other = run_twice(program)
    assert one == other
    assert one == [publication.source for publication in reversed(register.versions("wiki-editor"))]
    assert len(one) == 25
