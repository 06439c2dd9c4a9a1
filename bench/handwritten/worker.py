"""The worker process of the hand-written workflows: one queue for everything, the SDK's defaults where they serve.

It reads the same environment as our own worker. Run it as ``python -m bench.handwritten.worker``; it ends when it is
killed.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from activities.connectors.ldap import LdapSettings
from activities.connectors.ldap.connection import Pool
from activities.connectors.smtp import SmtpMail, SmtpSettings
from bench.handwritten.activities import Effects
from bench.handwritten.approval import HandwrittenApproval
from bench.handwritten.decisions import Decisions
from bench.handwritten.messages import QUEUE
from bench.handwritten.workflow import HandwrittenGrant
from worker.settings import WorkerSettings

THREADS = 16


async def serve() -> None:
    """Work for ever."""
    settings = WorkerSettings()
    client = await Client.connect(
        settings.temporal_address, namespace=settings.temporal_namespace, data_converter=pydantic_data_converter
    )
    decisions = Decisions(settings.database_url)
    decisions.create()
    effects = Effects(Pool(LdapSettings()), SmtpMail(SmtpSettings()), decisions)
    restrictions = SandboxRestrictions.default.with_passthrough_modules(
        "activities", "bench.handwritten.activities", "bench.handwritten.messages"
    )
    with ThreadPoolExecutor(THREADS) as threads:
        worker = Worker(
            client,
            task_queue=QUEUE,
            workflows=[HandwrittenGrant, HandwrittenApproval],
            activities=[effects.add_member, effects.send_mail, effects.record_decision],
            activity_executor=threads,
            max_concurrent_activities=THREADS,
            workflow_runner=SandboxedWorkflowRunner(restrictions=restrictions),
        )
        await worker.run()


if __name__ == "__main__":
    asyncio.run(serve())
