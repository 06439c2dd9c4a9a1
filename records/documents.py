"""Values to JSON documents and back. A document of a request leaves its number out: the row's id says it."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Row, Select, select

from catalog.model import Model
from catalog.request import Order, Projection
from records.tables import number_of, requests
from records.values import RequestView


def document(value: Model) -> str:
    """Return the whole value, defaults included: a default that a later release changes must not change the record."""
    return value.model_dump_json(exclude={"number"})


def order_from(request_id: int, text: str) -> Order:
    """Return the order in a request's row, as it was placed."""
    return Order.model_validate(json.loads(text) | {"number": number_of(request_id)})


def views() -> Select[tuple[int, str, str]]:
    """Return the query for what `view_from` needs; the caller says of which requests."""
    return select(requests.c.id, requests.c.order_document, requests.c.projection_document)


def view_from(row: Row[Any]) -> RequestView:
    """Return the request in a row that `views` asked for; its order as it stands now (feature row A22)."""
    projection = Projection.model_validate(json.loads(row.projection_document) | {"number": number_of(row.id)})
    order = order_from(row.id, row.order_document)
    return RequestView(order=order.amended(projection.amendment), projection=projection)
