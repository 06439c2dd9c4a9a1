"""The real gateway against a real Temporal server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

import pytest
from support.builders import NOON, an_actor, an_order
from temporalio import workflow
from temporalio.exceptions import ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from api.gateway import EngineUnavailable, NotRunning, NoWorker, NumberTaken, Refused, TemporalGateway
from catalog.journal import Chain, Entry, Kind
from catalog.request import Order
from workflows.messages import COMMENT, DIRECTORY_QUEUE, LOOK_AGAIN, TASK_QUEUE, Comment, LookAgain


@workflow.defn(name="AccessRequest")
class Echo:
    """Answers comments: "end" ends it, "no" is refused, "hang" ends it before the answer; keeps what it was told."""

    @workflow.init
    def __init__(self, order: Order) -> None:
        self._chain, self._ended = Chain(order.number), False
        self._looked: list[LookAgain] = []

    @workflow.run
    async def run(self, order: Order) -> None:
        await workflow.wait_condition(lambda: self._ended)

    @workflow.signal(name=LOOK_AGAIN)
    def look_again(self, message: LookAgain) -> None:
        self._looked.append(message)

    @workflow.query
    def looked(self) -> list[LookAgain]:
        return self._looked

    @workflow.update(name=COMMENT, unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def comment(self, message: Comment) -> Entry:
        self._ended = message.text in ("end", "hang")
        if message.text == "hang":
            await workflow.sleep(3_600)
        return self._chain.append(Kind.COMMENT, workflow.now(), data={"text": message.text}, command=message.command)

    @comment.validator
    def _check(self, message: Comment) -> None:
        if message.text == "no":
            raise ApplicationError("you may not", type="not-allowed")


@pytest.fixture
def gateway(server: WorkflowEnvironment) -> TemporalGateway:
    address = server.client.service_client.config.target_host
    return TemporalGateway(address, "default", command_deadline=timedelta(seconds=5))


@pytest.fixture
async def worker(server: WorkflowEnvironment) -> AsyncIterator[None]:
    async with Worker(
        server.client, task_queue=TASK_QUEUE, workflows=[Echo], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        yield


def say(text: str, command: str = "") -> Comment:
    return Comment(actor=an_actor(), command=command or f"c-{text}", text=text)


async def test_an_order_is_started_once_however_often_it_is_asked_for(
    server: WorkflowEnvironment, gateway: TemporalGateway
) -> None:
    order = an_order("REQ-1")
    await asyncio.gather(*(gateway.start(order) for _ in range(8)))
    handle = server.client.get_workflow_handle("REQ-1")
    first = (await handle.describe()).run_id
    await gateway.start(order)
    assert (await handle.describe()).run_id == first


async def test_another_order_under_a_number_the_engine_knows_is_not_taken_for_started(
    server: WorkflowEnvironment, gateway: TemporalGateway
) -> None:
    await gateway.start(an_order("REQ-7"))
    with pytest.raises(NumberTaken, match="REQ-7"):
        await gateway.start(an_order("REQ-7", accepted_at=NOON + timedelta(days=1)))


@pytest.mark.usefixtures("worker")
async def test_an_order_is_not_started_again_after_its_end(
    server: WorkflowEnvironment, gateway: TemporalGateway
) -> None:
    await gateway.start(an_order("REQ-2"))
    await gateway.command("REQ-2", COMMENT, say("end"))
    handle = server.client.get_workflow_handle("REQ-2")
    await handle.result()
    first = (await handle.describe()).run_id
    await gateway.start(an_order("REQ-2"))
    assert (await handle.describe()).run_id == first


@pytest.mark.usefixtures("worker")
async def test_a_command_answers_with_its_entry_and_a_repeat_with_the_same(gateway: TemporalGateway) -> None:
    await gateway.start(an_order("REQ-3"))
    first = await gateway.command("REQ-3", COMMENT, say("hello", "c1"))
    assert (first.kind, first.data, first.command) == (Kind.COMMENT, {"text": "hello"}, "c1")
    assert await gateway.command("REQ-3", COMMENT, say("hello", "c1")) == first


@pytest.mark.usefixtures("worker")
async def test_a_refusal_brings_its_code_and_its_reason(gateway: TemporalGateway) -> None:
    await gateway.start(an_order("REQ-4"))
    with pytest.raises(Refused, match="you may not") as refused:
        await gateway.command("REQ-4", COMMENT, say("no"))
    assert refused.value.code == "not-allowed"


@pytest.mark.usefixtures("worker")
async def test_a_request_is_told_to_look_again_and_one_that_has_ended_need_not_know(
    server: WorkflowEnvironment, gateway: TemporalGateway
) -> None:
    message = LookAgain(people=("id-ada",), rule="delegation.begins")
    await gateway.start(an_order("REQ-41"))
    await gateway.look_again("REQ-41", message)
    handle = server.client.get_workflow_handle("REQ-41")
    assert await handle.query(Echo.looked) == [message]
    await gateway.command("REQ-41", COMMENT, say("end"))
    await handle.result()
    for number in ("REQ-41", "REQ-nowhere"):
        await gateway.look_again(number, message)


@pytest.mark.usefixtures("worker")
async def test_a_request_without_a_workflow_is_not_running(gateway: TemporalGateway) -> None:
    with pytest.raises(NotRunning):
        await gateway.command("REQ-nowhere", COMMENT, say("hello"))


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("last", ["end", "hang"])
async def test_a_request_that_has_ended_is_not_running(gateway: TemporalGateway, last: str) -> None:
    number = f"REQ-5-{last}"
    await gateway.start(an_order(number))
    if last == "hang":
        with pytest.raises(NotRunning):
            await gateway.command(number, COMMENT, say(last))
    else:
        await gateway.command(number, COMMENT, say(last))
    with pytest.raises(NotRunning):
        await gateway.command(number, COMMENT, say("hello"))


async def test_without_a_worker_a_command_ends_in_time_and_is_carried_out_once_when_repeated(
    server: WorkflowEnvironment,
) -> None:
    address = server.client.service_client.config.target_host
    gateway = TemporalGateway(address, "default", command_deadline=timedelta(seconds=0.5))
    await gateway.start(an_order("REQ-6"))
    with pytest.raises(NoWorker):
        await gateway.command("REQ-6", COMMENT, say("hello", "c1"))
    async with Worker(
        server.client, task_queue=TASK_QUEUE, workflows=[Echo], workflow_runner=UnsandboxedWorkflowRunner()
    ):
        patient = TemporalGateway(address, "default")
        assert (await patient.command("REQ-6", COMMENT, say("hello", "c1"))).seq == 1
        assert (await patient.command("REQ-6", COMMENT, say("next", "c2"))).seq == 2


@pytest.mark.usefixtures("worker")
async def test_pollers_counts_the_workers_of_each_queue(gateway: TemporalGateway) -> None:
    deadline = asyncio.get_running_loop().time() + 10
    while not (await gateway.pollers())[TASK_QUEUE]:
        assert asyncio.get_running_loop().time() < deadline
    assert (await gateway.pollers())[DIRECTORY_QUEUE] == 0


async def test_an_engine_that_is_down_is_known_within_two_seconds() -> None:
    nowhere = TemporalGateway("127.0.0.1:1", "default")
    begun = asyncio.get_running_loop().time()
    message = LookAgain(people=("id-ada",), rule="delegation.ends")
    for call in (
        nowhere.start(an_order()),
        nowhere.command("REQ-1", COMMENT, say("x")),
        nowhere.look_again("REQ-1", message),
        nowhere.pollers(),
    ):
        with pytest.raises(EngineUnavailable):
            await call
    assert asyncio.get_running_loop().time() - begun < 2


async def test_an_engine_that_takes_connections_and_says_nothing_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        gateway = TemporalGateway(f"127.0.0.1:{mute.getsockname()[1]}", "default")
        begun = asyncio.get_running_loop().time()
        with pytest.raises(EngineUnavailable):
            await gateway.start(an_order())
        assert asyncio.get_running_loop().time() - begun < 4


async def test_a_gateway_finds_an_engine_that_comes_back(server: WorkflowEnvironment) -> None:
    host, _, port = server.client.service_client.config.target_host.rpartition(":")

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward, out = await asyncio.open_connection(host, int(port))
        await asyncio.gather(_pipe(reader, out), _pipe(onward, writer))

    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = gone.getsockname()
    gateway = TemporalGateway(f"127.0.0.1:{address[1]}", "default")
    with pytest.raises(EngineUnavailable):
        await gateway.pollers()
    back = await asyncio.start_server(forward, *address)
    assert set(await gateway.pollers()) == {TASK_QUEUE, DIRECTORY_QUEUE}
    back.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
