"""The worker's settings, from the environment (prefix ``COMMISSARY_``); connectors have settings of their own."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class WorkerSettings(BaseSettings):
    """How a worker process is set up.

    Attributes:
        database_url: SQLAlchemy URL of the register.
        temporal_address, temporal_namespace: the engine.
        directory, mailer, http: the registered connectors behind the three ports.
        directory_threads: how many calls to the directory run at once in this process.
        directory_rate: calls per second to the directory, over all workers together; enforced by the engine.
        public_url: where people reach the API and portal; mails link to it.
        operators_mail: the mailbox of the operators; without one they are not written to.
        mail: false if no mail is to be sent; notices then stay owed.
        graceful_stop: how long running work may take to end when the process is asked to stop.
        max_cached_workflows: how many requests stay in memory between their events.
    """

    model_config = SettingsConfigDict(env_prefix="COMMISSARY_", extra="ignore")

    database_url: str = "sqlite:///var/register.db"
    temporal_address: str = "127.0.0.1:7233"
    temporal_namespace: str = "default"
    directory: str = "ldap"
    mailer: str = "smtp"
    http: str = "http"
    directory_threads: Annotated[int, Field(ge=1, le=64)] = 6
    directory_rate: Annotated[float, Field(gt=0)] = 200.0
    public_url: str = "http://127.0.0.1:8000"
    operators_mail: str | None = None
    mail: bool = True
    graceful_stop: timedelta = timedelta(seconds=20)
    max_cached_workflows: Annotated[int, Field(ge=0)] = 1_000
