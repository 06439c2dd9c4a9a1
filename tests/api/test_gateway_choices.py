"""Asking providers through a real Temporal server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from activities.actions import queue_of
from activities.providers import Choosing
from activities.serving import ChoiceLists
from api.gateway import ChoicesUnavailable, TemporalGateway
from catalog.choices import Choice, Choices, ChoicesQuery

QUERY = ChoicesQuery(provider="colours", requester_id="id-ada", beneficiary_id="id-ben", value="red")


class Colours:
    """Knows red."""

    def choices(self, query: ChoicesQuery) -> Choices:
        return Choices(choices=(Choice(value=query.value or "red", label=f"for {query.beneficiary_id}"),))


@pytest.fixture
def gateway(server: WorkflowEnvironment) -> TemporalGateway:
    address = server.client.service_client.config.target_host
    return TemporalGateway(address, "default", command_deadline=timedelta(seconds=1))


@pytest.fixture
async def worker(server: WorkflowEnvironment) -> AsyncIterator[None]:
    activities = [ChoiceLists(Choosing({"colours": Colours()})).choices]
    with ThreadPoolExecutor(2) as threads:
        async with Worker(
            server.client, task_queue=queue_of("choices"), activities=activities, activity_executor=threads
        ):
            yield


async def test_a_worker_asks_the_provider(gateway: TemporalGateway, worker: None) -> None:
    assert await gateway.choices(QUERY) == Choices(choices=(Choice(value="red", label="for id-ben"),))
    counts = await gateway.pollers([queue_of("choices")])
    assert counts[queue_of("choices")] >= 1


async def test_a_provider_that_there_is_not_is_told_at_once(gateway: TemporalGateway, worker: None) -> None:
    with pytest.raises(ChoicesUnavailable, match="colours"):
        await gateway.choices(QUERY.model_copy(update={"provider": "sounds"}))


async def test_with_no_worker_nobody_waits_for_long(gateway: TemporalGateway) -> None:
    with pytest.raises(ChoicesUnavailable):
        await gateway.choices(QUERY)


async def test_with_the_engine_down_there_are_no_choices() -> None:
    with pytest.raises(ChoicesUnavailable):
        await TemporalGateway("127.0.0.1:1", "default").choices(QUERY)
