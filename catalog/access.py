"""Access: the entitlement an item gives, and what was seen of it in the target.

The rules of eligibility and separation of duties will live here too; how a membership is written is the
directory connector's business.
"""

from __future__ import annotations

from datetime import datetime

from catalog.model import Model


class Membership(Model):
    """One person's place in one group: the unit that is granted and revoked.

    Attributes:
        person_id: the directory's immutable id of the person.
        group: the group's name (its ``cn``), as the catalog item names it.
    """

    person_id: str
    group: str


class Observed(Model):
    """What the directory showed after an effect: the evidence behind "done" (feature row P2).

    Attributes:
        present: whether the membership was seen when read back.
        changed: whether this call changed it (false: it already was so).
        at: when it was read back, UTC.
        where: which server answered, for the record.
        ours: whether it is so, or may be so, because of this request; only then may this request take it back.
    """

    present: bool
    changed: bool
    at: datetime
    where: str
    ours: bool = False
