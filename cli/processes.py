"""`commissary worker`, `api`, `migrate`: the processes of an installation. Settings come from the environment."""

from __future__ import annotations

from rich.console import Console

from cli.client import Trouble

# Each process imports only its own half: an API host need not load the worker, nor the other way round.


def worker() -> None:
    """Run a worker: it carries requests on and touches the target systems."""
    from worker.process import main  # noqa: PLC0415  see above

    main()


def api() -> None:
    """Run the HTTP API."""
    from api.app import serve  # noqa: PLC0415  see above
    from api.settings import Settings  # noqa: PLC0415
    from catalog.loader import CatalogError  # noqa: PLC0415

    try:
        serve(Settings())
    except CatalogError as error:
        raise Trouble("The catalog cannot be used:", tuple(str(problem) for problem in error.problems)) from error


def migrate() -> None:
    """Bring the register's schema up to date; safe to run at any time, also twice at once."""
    from records.register import Register, RegisterUnavailable  # noqa: PLC0415  see above
    from worker.settings import WorkerSettings  # noqa: PLC0415

    register = Register(WorkerSettings().database_url)
    try:
        register.migrate()
    except RegisterUnavailable as error:
        raise Trouble(str(error)) from error
    finally:
        register.close()
    Console().print("The register's schema is up to date.")
