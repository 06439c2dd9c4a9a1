"""What a command loads: libraries it has no use for would cost its users their time."""

from __future__ import annotations

import subprocess
import sys

import pytest

from activities import plugins


def loaded_by(statement: str) -> set[str]:
    """Return the packages that a process of its own has loaded after a statement."""
    program = f"{statement}\nimport sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


@pytest.mark.parametrize(
    ("statement", "needed", "not_needed"),
    [
        (
            "import cli.main",
            {"typer", "catalog"},
            {"temporalio", "sqlalchemy", "ldap3", "jwt", "cryptography", "markdown_it", "fastapi", "uvicorn"},
        ),
        (
            "import cli.main, cli.kit.simulation as simulation; simulation.Simulator()",
            {"temporalio", "sqlalchemy"},
            {"ldap3", "jwt", "cryptography", "markdown_it", "fastapi", "uvicorn"},
        ),
    ],
    ids=["a command", "a simulation"],
)
def test_libraries_without_use_are_not_loaded(statement: str, needed: set[str], not_needed: set[str]) -> None:
    loaded = loaded_by(statement)
    assert needed <= loaded
    assert not_needed & loaded == set()


def test_what_items_may_name_does_not_depend_on_connectors() -> None:
    everything = plugins.discover()
    assert {"ldap", "smtp", "http"} <= everything.connectors.keys()
    assert plugins.known() == everything.known()
