"""`commissary worker`, `api`, `migrate`: the processes of an installation. Settings come from the environment."""

from __future__ import annotations

from rich.console import Console

# Each process imports only its own half: an API host need not load the worker, nor the other way round.


def worker() -> None:
    """Run a worker: it carries requests on and touches the target systems."""
    from worker.process import main  # noqa: PLC0415  see above

    main()


def api() -> None:
    """Run the HTTP API."""
    from api.app import serve  # noqa: PLC0415  see above
    from api.settings import Settings  # noqa: PLC0415

    serve(Settings())


def migrate() -> None:
    """Bring the register's schema up to date; safe to run at any time, also twice at once."""
    from records.register import Register  # noqa: PLC0415  see above
    from worker.settings import WorkerSettings  # noqa: PLC0415

    register = Register(WorkerSettings().database_url)
    try:
        register.migrate()
    finally:
        register.close()
    Console().print("The register's schema is up to date.")
