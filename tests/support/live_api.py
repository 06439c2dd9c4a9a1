"""The API with the real workflows behind it: an engine, workers on its register, and the people of `api_world`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from support.api_world import PASSWORD, ApiWorld
from support.builders import a_person
from support.waiting import until
from temporalio.testing import WorkflowEnvironment

from activities.approvers import Company
from activities.ordering import ChildOrder, Placed
from api.gateway import TemporalGateway
from api.parts import utc_now
from catalog.access import Membership
from catalog.directory import GroupSpec
from catalog.item import CatalogItem
from catalog.journal import Kind
from catalog.people import Person
from catalog.request import Status
from records.register import RequestView
from worker.queues import workers

COMPANY = (a_person("Rolf Chief"), a_person("Grace Guard"), a_person("Kim Keller"))
"""Who is there beside the people of `api_world`: Rolf and Grace are guards."""


class LiveApi:
    """People who use the API while workers carry out what they do.

    Attributes:
        world: the API.
    """

    def __init__(self, world: ApiWorld, env: WorkflowEnvironment) -> None:
        self.world = world
        for person in COMPANY:
            self._hire(person)
        for group in ("guards", "wiki-editors"):
            world.directory.ensure_group(GroupSpec(name=group))
        for guard in ("id-rolf", "id-grace"):
            world.directory.ensure_member(Membership(person_id=guard, group="guards"))
        address = env.client.service_client.config.target_host
        world.parts.gateway = TemporalGateway(address, env.client.namespace)
        world.parts.clock = utc_now
        world.parts.__post_init__()

    def _hire(self, person: Person) -> None:
        self.world.directory.put_person(person)
        self.world.directory.set_password(person.id, PASSWORD)

    async def placed(self, item: CatalogItem, who: str = "ada", **body: Any) -> str:
        """Order, wait until somebody is asked, and return the number."""
        self.world.shelve(item)
        body = {"item": item.id, "answers": {"why": "work"}} | body
        answer = await self.world.post(who, "/requests", body, key=f"{item.id}-{self.world.count()}")
        assert answer.status_code == 201, answer.text
        number: str = answer.json()["number"]
        await until(lambda: self.view(number).projection.status is Status.APPROVAL)
        return number

    async def does(self, who: str, path: str, body: Any = None, **options: Any) -> dict[str, Any]:
        """Send a command that is carried out, and return what it caused."""
        answer = await self.post(who, path, body, **options)
        assert answer.status_code == 200, answer.text
        entry: dict[str, Any] = answer.json()["entry"]
        return entry

    async def post(self, who: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return await self.world.post(who, path, body, **options)

    async def sees(self, who: str, path: str) -> dict[str, Any]:
        """Return what somebody is shown."""
        answer = await self.world.get(who, path)
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()
        return shown

    async def can(self, who: str, number: str, wait: int = 0) -> list[str]:
        """Return what somebody can do about one thing a request waits for."""
        acts: list[str] = (await self.sees(who, f"/requests/{number}"))["waiting"][wait]["can"]
        return acts

    async def closes(self, number: str) -> RequestView:
        await until(lambda: self.view(number).projection.status is Status.CLOSED, within=30)
        return self.view(number)

    def view(self, number: str) -> RequestView:
        view = self.world.register.request(number)
        assert view
        return view

    def kinds(self, number: str) -> list[Kind]:
        return self.world.journal(number)


def _nothing(child: ChildOrder) -> Placed:
    raise AssertionError(f"nothing here orders others, but {child}")


@asynccontextmanager
async def live_api(world: ApiWorld, env: WorkflowEnvironment) -> AsyncIterator[LiveApi]:
    """Serve the API and the workflows of its register while the context is open."""
    live = LiveApi(world, env)
    async with (
        workers(
            env.client,
            directory=world.directory,
            company=Company(delegations=world.register, calendars=world.register),
            journal=world.register,
            place=_nothing,
        ),
        world.app.router.lifespan_context(world.app),
        world.http,
    ):
        yield live
