"""The app: routes, limits, problems and what runs beside them, around its parts; and the process that serves it."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import Any

import uvicorn
from fastapi import Depends, FastAPI

from api import problems
from api.limits import BodyLimit, clean_address
from api.parts import Parts
from api.problems import ProblemBody
from api.routes import (
    calendars,
    clocks,
    delegations,
    drafts,
    events,
    files,
    health,
    items,
    operations,
    preferences,
    requests,
    secrets,
    session,
    tasks,
)
from api.settings import Settings

PREFIX = "/api/v1"
_RESOURCES = (
    session,
    items,
    requests,
    clocks,
    events,
    tasks,
    delegations,
    calendars,
    preferences,
    drafts,
    files,
    secrets,
    operations,
)


def create_app(parts: Parts) -> FastAPI:
    """Return the app made of these parts; while its lifespan runs, it sweeps, announces and looks after the shelf."""
    app = _App(
        title="Commissary",
        version=version("commissary"),
        summary="Order from the catalog, decide, and see what happened.",
        # A page with scripts from a foreign server has no place beside people's tokens.
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        dependencies=[Depends(clean_address)],
    )
    app.state.parts = parts
    app.add_middleware(BodyLimit)
    problems.install(app)
    app.include_router(health.router)
    for resource in _RESOURCES:
        app.include_router(resource.router, prefix=PREFIX)
    app.add_api_route("/", _index, include_in_schema=False)
    return app


class _App(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """Return the description of the API, with the schema that all problems share."""
        schema = super().openapi()
        problem = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
        schema["components"]["schemas"] |= problem.pop("$defs") | {"Problem": problem}
        return schema


async def _index() -> dict[str, str]:
    return {
        "name": "Commissary",
        "items": f"{PREFIX}/catalog/items",
        "session": f"{PREFIX}/session",
        "requests": f"{PREFIX}/requests",
        "tasks": f"{PREFIX}/tasks",
        "delegations": f"{PREFIX}/delegations",
        "calendars": f"{PREFIX}/calendars",
        "preferences": f"{PREFIX}/me/preferences",
        "drafts": f"{PREFIX}/drafts",
        "description": "/openapi.json",
        "health": "/healthz",
        "readiness": "/readyz",
    }


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    parts: Parts = app.state.parts
    await asyncio.to_thread(parts.shelf.look)
    running = [asyncio.create_task(part.run()) for part in (parts.sweeper, parts.announcer, parts.shelf)]
    yield
    for task in running:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished first."""
    from api.wiring import build  # noqa: PLC0415  only the process itself needs connectors

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of every look at the schema
    # uvicorn raises the signal that stopped it once more; what is open has to be closed before the process ends.
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    with build(settings) as parts:
        uvicorn.run(
            create_app(parts),
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=10,
        )
