"""Secrets that people give with an order: a reference travels, the value never (feature row C2).

What is kept here is encrypted by the caller; the register never sees a value nor a key.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from records.database import Database
from records.errors import TooManySecrets, UnknownSecret
from records.tables import is_key, secrets

MAX_UNUSED = 50
"""How many secrets a person may have given that no request names."""


class Secrets(Database):
    """Keeps a secret until its request has no more need of it."""

    def keep_secret(self, owner_id: str, ciphertext: bytes, at: datetime) -> str:
        """Keep a person's secret and return its reference, ``secret:<uuid>``; dropped unless an order names it.

        Raises:
            TooManySecrets: its owner has `MAX_UNUSED` that no request names. As with drafts, secrets given at the same
                instant may each find the last place free.
        """
        ref = f"secret:{uuid.uuid4()}"
        unused = select(func.count()).where(secrets.c.owner_id == owner_id, secrets.c.request_id.is_(None))
        with self.write() as connection:
            if (connection.scalar(unused) or 0) >= MAX_UNUSED:
                raise TooManySecrets(
                    f"You have given {MAX_UNUSED} secrets that no order names; use them, or wait: each is dropped "
                    "after a day."
                )
            connection.execute(insert(secrets).values(ref=ref, owner_id=owner_id, ciphertext=ciphertext, created_at=at))
        return ref

    def secret(self, ref: str) -> bytes | None:
        """Return the ciphertext that a reference stands for; None once it is forgotten."""
        if not is_key(ref):
            return None
        with self.read() as connection:
            return connection.scalar(select(secrets.c.ciphertext).where(secrets.c.ref == ref))

    def drop_unused_secrets(self, before: datetime) -> int:
        """Delete the secrets kept before that moment which no order names; return how many."""
        unused = delete(secrets).where(secrets.c.request_id.is_(None), secrets.c.created_at < before)
        with self.write() as connection:
            return connection.execute(unused).rowcount


def forget(connection: Connection, request_id: int) -> None:
    """Delete the secrets that were given for a request, inside the caller's transaction."""
    connection.execute(delete(secrets).where(secrets.c.request_id == request_id))


def bind(connection: Connection, owner_id: str, refs: Collection[str], request_id: int, parent_id: int | None) -> None:
    """Tie a person's secrets to a request, inside the caller's transaction.

    A secret belongs to one request and is forgotten with it. A child may name what its parent holds: that stays the
    parent's.

    Raises:
        UnknownSecret: one of them is not this person's, or was given for another request.
    """
    if not refs:
        return
    wanted = [ref for ref in refs if is_key(ref)]
    for_it = or_(secrets.c.request_id.is_(None), secrets.c.request_id == parent_id)
    theirs = select(secrets.c.ref).where(secrets.c.ref.in_(wanted), secrets.c.owner_id == owner_id, for_it)
    # The lock makes a second order with the same secret wait, and then find it given.
    missing = set(refs) - set(connection.scalars(theirs.with_for_update()))
    if missing:
        raise UnknownSecret("A secret of this order is not known, or was given for another; enter it again.")
    given = update(secrets).where(secrets.c.ref.in_(wanted), secrets.c.request_id.is_(None))
    connection.execute(given.values(request_id=request_id))
