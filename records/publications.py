"""Published items: every version of every item, for good (feature row C1). A version's content never changes.

Which files are published, and when, is the caller's decision.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, Select, select, tuple_

from catalog.item import CatalogItem
from catalog.model import digest
from records.database import Database, upsert
from records.documents import document
from records.errors import VersionTaken
from records.tables import is_key, item_versions
from records.values import Publication

_AT_ONCE = 1_000
"""How many versions one query names: a database takes only so many parameters."""


class Publications(Database):
    """Keeps what was published, and says which version is the newest."""

    def publish(self, item: CatalogItem, source: str, at: datetime) -> bool:
        """Put a version of an item on record; return False if exactly this stands already.

        Raises:
            VersionTaken: the version stands with another content.
        """
        its_digest = digest(item)
        row = {
            "item_id": item.id,
            "version": item.version,
            "digest": its_digest,
            "source": source,
            "published_at": at,
            "document": document(item),
        }
        with self.write() as connection:
            new = upsert(connection, item_versions).values(row).on_conflict_do_nothing()
            if connection.scalar(new.returning(item_versions.c.digest)) is not None:
                return True
            standing = connection.execute(_version(item.id, item.version)).one()
        if standing.digest != its_digest:
            raise VersionTaken(item.id, item.version, standing.digest, standing.source)
        return False

    def newest(self, item_ids: Collection[str] | None = None) -> dict[str, CatalogItem]:
        """Return the newest version of each item, or of those named, by item id; an unknown id is left out."""
        keys = select(item_versions.c.item_id, item_versions.c.version)
        if item_ids is not None:
            keys = keys.where(item_versions.c.item_id.in_([item_id for item_id in item_ids if is_key(item_id)]))
        with self.read() as connection:
            newest: dict[str, str] = {}
            for item_id, version in connection.execute(keys):
                newest[item_id] = max(newest.get(item_id, version), version, key=_order)
            return {item.id: item for item in _items(connection, newest)}

    def versions(self, item_id: str) -> Sequence[Publication]:
        """Return every version of an item, newest first."""
        if not is_key(item_id):
            return []
        with self.read() as connection:
            rows = connection.execute(select(item_versions).where(item_versions.c.item_id == item_id)).all()
        return [_publication(row) for row in sorted(rows, key=lambda row: _order(row.version), reverse=True)]

    def published(self, item_id: str, version: str) -> Publication | None:
        """Return one version of an item; None if it was never published."""
        if not (is_key(item_id) and is_key(version)):
            return None
        with self.read() as connection:
            row = connection.execute(_version(item_id, version)).one_or_none()
        return None if row is None else _publication(row)


def _order(version: str) -> tuple[int, ...]:
    """Return what versions are compared by: their numbers (semver.org 2.0.0, 11), so 1.10.0 comes after 1.9.0."""
    return tuple(map(int, version.split(".")))


def _version(item_id: str, version: str) -> Select[Any]:
    return select(item_versions).where(item_versions.c.item_id == item_id, item_versions.c.version == version)


def _items(connection: Connection, versions: dict[str, str]) -> Iterator[CatalogItem]:
    """Yield the given version of each item."""
    keys = iter(versions.items())
    while part := list(islice(keys, _AT_ONCE)):
        wanted = tuple_(item_versions.c.item_id, item_versions.c.version).in_(part)
        for text in connection.scalars(select(item_versions.c.document).where(wanted)):
            yield CatalogItem.model_validate_json(text)


def _publication(row: Row[Any]) -> Publication:
    item = CatalogItem.model_validate_json(row.document)
    return Publication(item=item, digest=row.digest, source=row.source, published_at=row.published_at)
