"""Files that people attach to orders, kept by their content and outside every workflow's history (feature row C10).

What may be uploaded, how large and of which type, is the caller's decision.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, exists, insert, select

from records.database import Database, upsert
from records.documents import document
from records.errors import TooManyFiles, UnknownUpload
from records.tables import blobs, id_of, is_key, request_files, uploads
from records.values import Upload

MAX_LOOSE = 50
"""How many files a person may have uploaded that no request names."""
MAX_LOOSE_BYTES = 100 * 1024 * 1024
"""How large they may be together."""

_COUNTED = timedelta(days=2)
"""How far back they are counted: older ones have been dropped, and uploads are indexed by their time."""
_AT_ONCE = 1_000
"""How many uploads one transaction drops: a database takes only so many parameters."""


class Files(Database):
    """Keeps each content once, and who uploaded it under which name as often as it was."""

    def keep_file(self, owner_id: str, name: str, media_type: str, content: bytes, at: datetime) -> Upload:
        """Keep a file that somebody uploaded; it is dropped again unless an order comes to name it.

        Raises:
            TooManyFiles: its owner has `MAX_LOOSE` that no request names, or `MAX_LOOSE_BYTES` with this one. As with
                drafts, uploads at the same instant may each find the last place free.
        """
        upload = Upload(
            id=str(uuid.uuid4()),
            owner_id=owner_id,
            digest="sha256:" + hashlib.sha256(content).hexdigest(),
            name=name,
            media_type=media_type,
            size=len(content),
            uploaded_at=at,
        )
        with self.write() as connection:
            _refuse_hoarding(connection, upload)
            blob = upsert(connection, blobs).values(digest=upload.digest, content=content)
            # An update that changes nothing locks the row, so that nobody drops the content before we refer to it.
            connection.execute(
                blob.on_conflict_do_update(index_elements=["digest"], set_={"digest": blob.excluded.digest})
            )
            connection.execute(
                insert(uploads).values(
                    id=upload.id, owner_id=owner_id, digest=upload.digest, uploaded_at=at, document=document(upload)
                )
            )
        return upload

    def upload(self, upload_id: str) -> Upload | None:
        """Return what is known of an uploaded file."""
        if not is_key(upload_id):
            return None
        with self.read() as connection:
            text = connection.scalar(select(uploads.c.document).where(uploads.c.id == upload_id))
        return None if text is None else Upload.model_validate_json(text)

    def file_of(self, number: str, upload_id: str) -> Upload | None:
        """Return what is known of a file that belongs to a request."""
        if not is_key(upload_id):
            return None
        query = (
            select(uploads.c.document)
            .join(request_files, request_files.c.upload_id == uploads.c.id)
            .where(uploads.c.id == upload_id, request_files.c.request_id == id_of(number))
        )
        with self.read() as connection:
            text = connection.scalar(query)
        return None if text is None else Upload.model_validate_json(text)

    def content(self, digest: str) -> bytes | None:
        """Return the content with this digest."""
        if not is_key(digest):
            return None
        with self.read() as connection:
            return connection.scalar(select(blobs.c.content).where(blobs.c.digest == digest))

    def drop_unattached(self, before: datetime) -> int:
        """Drop files uploaded before that moment which no request names, and contents that nobody refers to then.

        Return how many files; a thousand are dropped at once, so call it until there are none.
        """
        unattached = ~exists().where(request_files.c.upload_id == uploads.c.id)
        old = select(uploads.c.id).where(uploads.c.uploaded_at < before, unattached).limit(_AT_ONCE)
        with self.write() as connection:
            # Lock first, then look again: an order that was taken in between keeps its file.
            ids = connection.scalars(old.with_for_update(skip_locked=True)).all()
            dropped = delete(uploads).where(uploads.c.id.in_(ids), unattached).returning(uploads.c.digest)
            digests = connection.scalars(dropped).all()
            _drop_unreferred(connection, set(digests))
        return len(digests)


def attach(connection: Connection, owner_id: str, upload_ids: Collection[str], request_id: int) -> None:
    """Link a person's files to a request, inside the caller's transaction; one that is linked already stays so.

    A file may belong to several requests.

    Raises:
        UnknownUpload: one of them is not this person's.
    """
    if not upload_ids:
        return
    wanted = [upload_id for upload_id in dict.fromkeys(upload_ids) if is_key(upload_id)]
    theirs = select(uploads.c.id).where(uploads.c.id.in_(wanted), uploads.c.owner_id == owner_id)
    # The lock keeps them from being dropped before the link stands.
    locked = theirs.with_for_update(read=True, key_share=True)
    missing = set(upload_ids) - set(connection.scalars(locked))
    if missing:
        raise UnknownUpload(f"There is no uploaded file {min(missing)[:40]!r} of yours; upload it again.")
    rows = [{"request_id": request_id, "upload_id": upload_id} for upload_id in wanted]
    connection.execute(upsert(connection, request_files).on_conflict_do_nothing(), rows)


def _refuse_hoarding(connection: Connection, upload: Upload) -> None:
    """Raise `TooManyFiles` if the owner of a new upload has too many that no request names."""
    loose = select(uploads.c.document).where(
        uploads.c.owner_id == upload.owner_id,
        uploads.c.uploaded_at > upload.uploaded_at - _COUNTED,
        ~exists().where(request_files.c.upload_id == uploads.c.id),
    )
    sizes = [Upload.model_validate_json(text).size for text in connection.scalars(loose.limit(MAX_LOOSE))]
    if len(sizes) == MAX_LOOSE or sum(sizes) + upload.size > MAX_LOOSE_BYTES:
        raise TooManyFiles(
            f"You have uploaded {len(sizes)} files that no order names; {MAX_LOOSE} may wait, of "
            f"{MAX_LOOSE_BYTES // 1_048_576} MiB together. Use them, or wait: each is dropped after a day."
        )


def _drop_unreferred(connection: Connection, digests: Collection[str]) -> None:
    """Delete the contents among these that no upload refers to any more."""
    these = blobs.c.digest.in_(digests)
    # In one order for everybody, so that two who drop cannot wait for each other.
    connection.execute(select(blobs.c.digest).where(these).order_by(blobs.c.digest).with_for_update())
    connection.execute(delete(blobs).where(these, ~exists().where(uploads.c.digest == blobs.c.digest)))
