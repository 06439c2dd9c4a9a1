"""Health: whether this process lives, and whether everything behind it does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel

from activities.errors import ConnectorError
from api.gateway import EngineUnavailable
from api.parts import PartsIn
from api.shelf import Stock
from records.register import Register, RegisterUnavailable

router = APIRouter(tags=["health"])

PATIENCE = 4.0
"""Seconds to wait for one part."""


MOST_TOLD = 50
"""How many mistakes of the catalog are listed."""


class HealthOut(BaseModel):
    """The process lives."""

    status: str = "ok"


class HealthPartOut(BaseModel):
    """Whether one part serves; `detail` says what was seen, or what is wrong."""

    ready: bool
    detail: Any = None


class ReadyOut(BaseModel):
    """Whether every part serves."""

    ready: bool
    parts: dict[str, HealthPartOut]


@router.get("/healthz")
async def healthz() -> HealthOut:
    """Say that this process serves. Ask this to route traffic: orders are taken even while the engine is down."""
    return HealthOut()


@router.get("/readyz", responses={503: {"model": ReadyOut, "description": "Some part does not serve."}})
async def readyz(response: Response, parts: PartsIn) -> ReadyOut:
    """Say whether everything serves that a request needs from order to fulfilment, part by part."""
    register, directory, polling = await asyncio.gather(
        _look(asyncio.to_thread(_notices, parts.register)),
        _look(asyncio.to_thread(parts.directory.ping)),
        _look(parts.gateway.pollers(parts.shelf.stock.queues)),
    )
    idle = [queue for queue, workers in (polling.detail if polling.ready else {}).items() if not workers]
    found = {
        "register": register,
        "directory": directory,
        "engine": HealthPartOut(ready=polling.ready, detail=None if polling.ready else polling.detail),
        "workers": HealthPartOut(ready=polling.ready and not idle, detail=polling.detail if polling.ready else None),
        "catalog": _catalog(parts.shelf.stock),
    }
    ready = all(part.ready for part in found.values())
    response.status_code = 200 if ready else 503
    return ReadyOut(ready=ready, parts=found)


def _notices(register: Register) -> dict[str, dict[str, int]]:
    register.check()
    return {"notices": register.notice_counts()}


def _catalog(stock: Stock) -> HealthPartOut:
    """Say what is on the shelf; a broken file is told, and does not keep the rest from being ordered."""
    detail: dict[str, Any] = {"items": len(stock.catalog), "calendars": stock.calendars}
    if stock.broken:
        told = ("file", "line", "rule", "message", "remedy")
        detail["broken"] = [one.model_dump(include=set(told)) for one in stock.broken[:MOST_TOLD]]
    if stock.trouble:
        detail["trouble"] = stock.trouble
    return HealthPartOut(ready=len(stock.catalog) > 0, detail=detail)


async def _look(check: Awaitable[Any]) -> HealthPartOut:
    try:
        async with asyncio.timeout(PATIENCE):
            return HealthPartOut(ready=True, detail=await check)
    except TimeoutError:
        return HealthPartOut(ready=False, detail=f"no answer within {PATIENCE:g} s")
    except (RegisterUnavailable, ConnectorError, EngineUnavailable) as error:
        return HealthPartOut(ready=False, detail=str(error))
