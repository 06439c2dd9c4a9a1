from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from support.api_world import ApiWorld

from activities.errors import Rejected
from api.routes import health
from records.register import RegisterUnavailable


async def test_a_process_that_serves_says_so_whatever_is_down(world: ApiWorld) -> None:
    world.engine.down = True
    answer = await world.http.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_everything_ready_is_said_part_by_part(world: ApiWorld) -> None:
    answer = await world.http.get("/readyz")
    assert answer.status_code == 200
    parts = answer.json()["parts"]
    assert {name: part["ready"] for name, part in parts.items()} == dict.fromkeys(
        ("register", "directory", "engine", "workers", "catalog"), True
    )
    assert parts["register"]["detail"]["notices"]["pending"] == 0
    assert parts["workers"]["detail"] == {"commissary": 1, "commissary-directory": 1}
    assert parts["catalog"]["detail"] == {"items": 2, "calendars": 0}


def engine_down(world: ApiWorld) -> None:
    world.engine.down = True


def no_workers(world: ApiWorld) -> None:
    world.engine.worker = False


def directory_down(world: ApiWorld) -> None:
    world.directory.fail_next(Rejected("the service account is refused"))


def no_catalog(world: ApiWorld) -> None:
    world.shelve()


@pytest.mark.parametrize(
    ("breaks", "parts"),
    [
        (engine_down, {"engine", "workers"}),
        (no_workers, {"workers"}),
        (directory_down, {"directory"}),
        (no_catalog, {"catalog"}),
    ],
)
async def test_what_is_not_ready_is_named(world: ApiWorld, breaks: Callable[[ApiWorld], None], parts: set[str]) -> None:
    breaks(world)
    answer = await world.http.get("/readyz")
    assert answer.status_code == 503
    assert {name for name, part in answer.json()["parts"].items() if not part["ready"]} == parts


async def test_a_register_that_does_not_answer_is_named(world: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def down() -> None:
        raise RegisterUnavailable("the disk is gone")

    monkeypatch.setattr(world.register, "check", down)
    answer = await world.http.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["register"] == {"ready": False, "detail": "the disk is gone"}


async def test_a_part_that_hangs_is_not_waited_for(world: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(_queues: object) -> dict[str, int]:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(health, "PATIENCE", 0.05)
    monkeypatch.setattr(world.engine, "pollers", hang)
    parts = (await world.http.get("/readyz")).json()["parts"]
    assert parts["engine"]["ready"] is False
    assert "0.05 s" in parts["engine"]["detail"]
