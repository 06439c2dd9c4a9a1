"""The orders of requests: from what a workflow asks for to the intake desk, and what the desk says as an answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from activities.errors import Rejected, Transient
from activities.intake import Desk, NotTaken, Wish
from activities.ordering import ChildOrder, Placed
from records.register import RegisterUnavailable, UnknownRequest


def wish_of(child: ChildOrder) -> Wish:
    """Return what a request asks of the intake desk."""
    return Wish(
        item=child.item,
        version=child.version,
        answers=child.answers,
        requester=child.requester,
        beneficiaries=(child.beneficiary,),
        channel=child.channel,
        auth=child.auth,
    )


def placing(desk: Desk) -> Callable[[ChildOrder], Placed]:
    """Return what puts the order of a request's part on record, for `activities.ordering.Ordering`.

    It raises Transient while the register is away, and Rejected for the part of a request that the register does not
    know: it may be an older backup.
    """

    def place(child: ChildOrder) -> Placed:
        try:
            return Placed(order=desk.place(wish_of(child), child.parent, child.line, datetime.now(UTC)))
        except NotTaken as refused:
            return Placed(refused=str(refused))
        except RegisterUnavailable as error:
            raise Transient(f"the register does not answer: {error}") from error
        except UnknownRequest as error:
            raise Rejected(str(error)) from error

    return place
