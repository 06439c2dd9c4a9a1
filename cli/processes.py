"""`commissary worker`, `api`, `migrate`: the processes of an installation. Settings come from the environment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsError
from rich.console import Console

from cli.client import Trouble

if TYPE_CHECKING:
    from records.register import Register

S = TypeVar("S", bound=BaseSettings)

# Each process imports only its own half: an API host need not load the worker, nor the other way round.


class WrongSettings(Trouble):
    """The environment does not say what a process needs to know."""

    exit_code = 2


def worker() -> None:
    """Run a worker: it carries requests on and touches the target systems."""
    from activities.connectors.http import HttpSettings
    from activities.connectors.ldap import LdapSettings
    from activities.connectors.sealed import SealedSettings
    from activities.connectors.smtp import SmtpSettings
    from worker.process import main
    from worker.settings import WorkerSettings

    settings = _built(WorkerSettings)
    if settings.directory == "ldap":
        _built(LdapSettings)
    if settings.mail and settings.mailer == "smtp":
        _built(SmtpSettings)
    if settings.http == "http":
        _built(HttpSettings)
    _built(SealedSettings)
    _register(settings.database_url).close()
    with _connectors_told():
        main()


def api() -> None:
    """Run the HTTP API."""
    from activities.connectors.ldap import LdapSettings
    from activities.connectors.sealed import SealedSettings
    from api.app import serve
    from api.settings import Settings
    from catalog.loader import CatalogError

    settings = _built(Settings)
    if settings.directory == "ldap":
        _built(LdapSettings)
    _built(SealedSettings)
    _register(settings.database_url).close()
    try:
        with _connectors_told():
            serve(settings)
    except CatalogError as error:
        raise Trouble("The catalog cannot be used:", tuple(str(problem) for problem in error.problems)) from error


def migrate() -> None:
    """Bring the register's schema up to date; safe to run at any time, also twice at once."""
    from records.register import RegisterUnavailable
    from worker.settings import WorkerSettings

    register = _register(_built(WorkerSettings).database_url)
    try:
        register.migrate()
    except RegisterUnavailable as error:
        raise Trouble(str(error)) from error
    finally:
        register.close()
    Console().print("The register's schema is up to date.")


@contextmanager
def _connectors_told() -> Iterator[None]:
    """Say what is wrong with the connectors that the settings choose."""
    from activities.plugins import NotOpened, UnknownName

    try:
        yield
    except UnknownName as error:
        raise WrongSettings("The settings are not right:", (str(error),)) from error
    except NotOpened as error:
        raise WrongSettings(str(error), error.faults) from error


def _built(kind: type[S]) -> S:
    """Return the settings of that kind; raises `WrongSettings` with a line for each that is wrong."""
    from activities.environment import faults

    try:
        return kind()
    except ValidationError as error:
        raise WrongSettings("The settings are not right:", faults(error)) from error
    except SettingsError as error:  # a setting that is JSON, and is none
        raise WrongSettings("The settings are not right:", (str(error),)) from error


def _register(url: str) -> Register:
    """Return the register at that URL; nothing is opened yet."""
    from sqlalchemy.exc import ArgumentError

    from records.register import Register

    try:
        return Register(url)
    except (ValueError, ArgumentError, ImportError) as error:
        # The URL itself is not shown: it may hold a password.
        what = "it has to be sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE"
        raise WrongSettings("The settings are not right:", (f"COMMISSARY_DATABASE_URL: {what}",)) from error
