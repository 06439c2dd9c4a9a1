"""Packages that would end, break or hold up the process that looks for plug-ins: none keeps a check from its answer."""

from __future__ import annotations

import itertools
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.example import ROOT
from support.packages import install
from support.waiting import eventually

from activities import plugins
from activities.plugins import Plugins, Problem, discover
from catalog.registry import WorkflowSpec
from cli.kit.shelf import known
from worker.queues import brought

UNREADABLE = "[commissary.actions]\nfax acme\n"
ACTIONS = "[commissary.actions]\nfax = {name}:THING\n"
WORKFLOWS = "[commissary.workflows]\nfax = {name}:THING\n"
FLOW = """
from temporalio import workflow
from catalog.registry import WorkflowSpec

@workflow.defn(name="{called}")
class THING:
    spec = WorkflowSpec(id="{id}", summary="Send a fax.")

    @workflow.run
    async def run(self, order: dict) -> None: ...

if workflow.unsafe.in_sandbox():
    {there}
"""
PATIENCE = 30.0
"""Seconds that a process or a thread may take to do what it is about to do."""

Install = Callable[..., str]

_numbers = itertools.count()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages, from which this process imports, too."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.fixture
def package(site: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a package that registers something; return the name that is its own."""

    def it(code: str, registers: str = ACTIONS) -> str:
        name = f"fax{next(_numbers)}"
        install(site, name, registers.format(name=name), code)
        monkeypatch.syspath_prepend(site)  # so that it is looked at again
        return name

    return it


def problem_of(found: Plugins | list[Problem], name: str) -> str:
    problems = found.problems if isinstance(found, Plugins) else found
    (message,) = (one.message for one in problems if one.name == name)
    return message


BAD_WORDS = "class Bad(Exception):\n    def __str__(self):\n        {}\n\nraise Bad"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import sys; sys.exit(0)", "SystemExit: 0"),
        ("raise BaseExceptionGroup('all of it', [SystemExit(0)])", "BaseExceptionGroup: all of it (1 sub-exception)"),
        ("class Own(BaseException): ...\n\nraise Own('mine')", "Own: mine"),
        ("raise GeneratorExit", "GeneratorExit: "),
        ("raise StopIteration", "StopIteration: "),
        (BAD_WORDS.format("raise RuntimeError('none')"), "Bad"),
        (BAD_WORDS.format("return None"), "Bad"),
        (BAD_WORDS.format("raise SystemExit(0)"), "Bad"),
        ("class Odd:\n    def __repr__(self): raise SystemExit(0)\n\nTHING = Odd()", "SystemExit: 0"),
    ],
)
def test_whatever_a_package_raises_is_told_and_ends_nothing(package: Install, code: str, said: str) -> None:
    name = package(code)
    found = discover()
    assert problem_of(found, "fax") == f"the action 'fax' of the package '{name}' is left out: {said}"
    assert "directory" in found.action_sets


@pytest.mark.parametrize("code", ["raise KeyboardInterrupt", BAD_WORDS.format("raise KeyboardInterrupt")])
def test_whoever_interrupts_the_process_is_obeyed(package: Install, code: str) -> None:
    package(code)
    with pytest.raises(KeyboardInterrupt):
        discover()


# --- metadata ---


@pytest.mark.parametrize("content", [UNREADABLE.encode(), b"[commissary.actions]\n# f\xfcr Faxe\n"])
def test_a_package_whose_entry_points_cannot_be_read_is_named_and_spoils_no_other(
    package: Install, site: Path, content: bytes
) -> None:
    broken = package("")
    (site / f"{broken}-1.0.dist-info" / "entry_points.txt").write_bytes(content)
    other = package("raise ValueError('was read')")
    found = discover()
    assert problem_of(found, broken).startswith(
        f"what the package {broken!r} registers is left out, its entry_points.txt cannot be read: "
    )
    assert problem_of(found, "fax") == f"the action 'fax' of the package {other!r} is left out: ValueError: was read"


def test_a_package_is_named_even_if_its_metadata_cannot_be_read(package: Install, site: Path) -> None:
    name = package("raise ValueError('x')")
    (site / f"{name}-1.0.dist-info" / "METADATA").write_bytes(b"Name: fax\nAuthor: J\xfcrgen\n")
    assert f"of the package {name!r}" in problem_of(discover(), "fax")


def test_of_two_packages_with_one_name_the_one_that_is_imported_counts(
    package: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = package("raise ValueError('the old one')")
    install(tmp_path / "newer", name, "[commissary.actions]\n", "")
    monkeypatch.syspath_prepend(tmp_path / "newer")
    assert [one for one in discover().problems if one.name == "fax"] == []


# --- what takes long ---


class Opening(logging.Handler):
    """Opens the gate at which a package waits, as soon as somebody is told."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.told = threading.Event(), list[str]()

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(record.getMessage())
        self.gate.set()


@pytest.fixture
def opening() -> Iterator[Opening]:
    handler = Opening()
    plugins.log.addHandler(handler)
    yield handler
    plugins.log.removeHandler(handler)


WAITS = f"assert fax_gate.GATE.wait({PATIENCE})"


@pytest.fixture
def gate(opening: Opening, site: Path, monkeypatch: pytest.MonkeyPatch) -> Opening:
    """A module that packages import, and that lets them wait until people are told."""
    (site / "fax_gate.py").touch()
    monkeypatch.setitem(sys.modules, "fax_gate", type(sys)("fax_gate"))
    monkeypatch.setattr(sys.modules["fax_gate"], "GATE", opening.gate, raising=False)
    return opening


def test_while_a_module_does_not_come_back_people_are_told_which_it_is(
    package: Install, gate: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins, "PATIENCE", 0.01)
    name = package(f"import fax_gate\n{WAITS}\nraise ValueError('came back')")
    assert problem_of(discover(), "fax").endswith("ValueError: came back")
    (told,) = gate.told
    assert told.startswith(f"the action 'fax' of the package {name!r} is still being loaded after 0.01 s; ")


async def test_the_same_goes_for_a_workflow_in_the_sandbox(
    package: Install, gate: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    importing = "with workflow.unsafe.imports_passed_through(): import fax_gate"
    package(FLOW.format(id="Fax", called="Fax", there=f"{importing}\n    {WAITS}"), WORKFLOWS)
    found = discover()
    monkeypatch.setattr(plugins, "PATIENCE", 0.01)
    assert brought(Plugins(workflows={"Fax": found.workflows["Fax"]})) == ([found.workflows["Fax"]], [])
    assert gate.told[0].startswith("the workflow 'Fax' is still being loaded ")


def test_of_what_comes_back_in_time_nothing_is_told(package: Install, caplog: pytest.LogCaptureFixture) -> None:
    package(FLOW.format(id="Fax", called="Fax", there="pass"), WORKFLOWS)
    threads = threading.active_count()
    assert "Fax" in discover().workflows
    eventually(lambda: threading.active_count() <= threads, PATIENCE)
    assert caplog.messages == []


# --- workflows ---


async def test_a_workflow_that_ends_the_process_in_the_sandbox_only_is_told(package: Install) -> None:
    package(FLOW.format(id="Fax", called="Fax", there="raise SystemExit(0)"), WORKFLOWS)
    found = discover()
    assert found.known().workflows["Fax"] == WorkflowSpec(id="Fax", summary="Send a fax.")
    usable, problems = brought(found)
    assert problem_of(problems, "Fax") == "the workflow 'Fax' is left out: SystemExit: 0"
    assert found.workflows["Fax"] not in usable


@pytest.mark.parametrize("name", ["people", "ldap", "directory", "Fax"])
def test_items_cannot_name_a_workflow_that_no_worker_takes_whatever_it_is_called(
    package: Install, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    package(FLOW.format(id=name, called="Other", there="pass"), WORKFLOWS)
    assert name not in known().workflows
    assert f"Warning: the workflow '{name}' is left out: " in capsys.readouterr().err


# --- lint, as a process ---


def command(items: Path) -> tuple[list[str], dict[str, str]]:
    path = os.pathsep.join(map(str, (items.parent / "site", ROOT)))
    words = [sys.executable, "-m", "cli.main", "catalog", "lint", str(items)]
    # Pydantic looks for plug-ins of its own in the same files, and ends the process at the first that is malformed.
    return words, {**os.environ, "PYTHONPATH": path, "COLUMNS": "200", "PYDANTIC_DISABLE_PLUGINS": "1"}


@pytest.fixture
def items(tmp_path: Path) -> Path:
    """A directory with an item that is broken."""
    folder = tmp_path / "items"
    folder.mkdir()
    (folder / "wiki.yaml").write_text("id: [wiki\n", "utf-8")
    return folder


@pytest.mark.parametrize(
    ("code", "registers", "said"),
    [
        ("import sys; sys.exit(0)", ACTIONS, "the action 'fax' of the package '{name}' is left out: SystemExit: 0"),
        (
            FLOW.format(id="Fax", called="Fax", there="raise SystemExit(0)"),
            WORKFLOWS,
            "the workflow 'Fax' is left out: SystemExit: 0",
        ),
        ("", UNREADABLE, "what the package '{name}' registers is left out, "),
    ],
)
def test_lint_finds_what_is_wrong_with_items_beside_a_package_that_would_end_it(
    package: Install, items: Path, code: str, registers: str, said: str
) -> None:
    name = package(code, registers)
    words, env = command(items)
    done = subprocess.run(words, env=env, cwd=items, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 1
    assert "[yaml-syntax]" in done.stdout
    assert f"Warning: {said.format(name=name)}" in done.stderr


def test_lint_says_for_which_package_it_waits(package: Install, site: Path, items: Path, tmp_path: Path) -> None:
    name = package("import threading; threading.Event().wait()")
    words, env = command(items)
    told = tmp_path / "told"
    with told.open("w") as errors, subprocess.Popen(words, env=env, cwd=items, stderr=errors) as running:
        try:
            eventually(
                lambda: f"the action 'fax' of the package '{name}' is still being loaded" in told.read_text(), PATIENCE
            )
            assert running.poll() is None
        finally:
            running.kill()
