"""The worked example of docs/plugins.md: a package outside the repository, used by the kit and by real processes."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.example import Example
from support.ports import free_port
from support.temporal import start_environment
from support.waiting import eventually

from records.register import Register

PATIENCE = 60.0
TOKEN = "try-me"

# --- the kit ---


def test_lint_knows_what_the_package_brings(example: Example) -> None:
    answer = example.run("catalog", "lint", str(example.items))
    assert answer.returncode == 0, answer.stdout
    assert "Nothing is wrong in 2 files." in answer.stdout


def test_without_the_package_lint_names_what_is_missing(example: Example) -> None:
    answer = example.run("catalog", "lint", "--format", "json", str(example.items), plugged=False)
    assert answer.returncode == 1
    found = {(one["rule"], one["message"].partition("there is ")[2]) for one in json.loads(answer.stdout)}
    assert ("unknown-workflow", "no workflow 'LockerRequest'") in found
    assert ("unknown-action", "no action 'lockers.assign'") in found
    assert ("unknown-provider", "no provider 'locker-areas'") in found


def test_lint_checks_what_is_handed_to_action_and_workflow(example: Example, tmp_path: Path) -> None:
    for name in ("locker", "locker-for-a-day"):
        text = (example.items / f"{name}.yaml").read_text(encoding="utf-8")
        text = text.replace("      holder:", "      holdre:").replace("  patience: 30", "  patience: long")
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    answer = example.run("catalog", "lint", str(tmp_path))
    assert "there is no such field. Did you mean 'holder'?" in answer.stdout
    assert "this must be a whole number" in answer.stdout


def test_the_scenarios_of_the_package_pass(example: Example) -> None:
    answer = example.run("catalog", "simulate", "--brief", str(example.items))
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "7 of 7 scenarios passed" in answer.stdout


def test_parameters_that_do_not_fit_are_put_before_an_operator(example: Example, tmp_path: Path) -> None:
    items = tmp_path / "items"
    shutil.copytree(example.items, items)
    item, stories = items / "locker.yaml", items / "scenarios" / "locker.yaml"
    item.write_text(item.read_text(encoding="utf-8").replace("patience: 30", "patience: \"{{ 'a while' }}\""), "utf-8")
    stories.write_text(
        """
item: locker
scenarios:
  - name: The operator gives up
    order: {by: ada, answers: {area: north}}
    events:
      - {at: day 1 10:00, do: see, kind: operator}
      - {at: day 1 11:00, do: give-up, by: otto, reason: The owner mends it.}
    expect: {outcome: cancelled, reason: The owner mends it., told: {operators: [operator-needed]}, not_told: [mara]}
""",
        "utf-8",
    )
    answer = example.run("catalog", "simulate", "--trace", str(stories))
    assert answer.returncode == 0, answer.stdout + answer.stderr


# --- the processes ---


class Company:
    """An installation of the API and a worker, with the packages, some broken ones, and a stand-in for the lockers."""

    def __init__(self, url: str, lockers: httpx.Client, home: Path) -> None:
        self.url, self.lockers, self.home = url, lockers, home
        self._http: dict[str, httpx.Client] = {}

    def close(self) -> None:
        for one in (self.lockers, *self._http.values()):
            one.close()

    def who(self, login: str) -> httpx.Client:
        """Return somebody who has signed in."""
        if login not in self._http:
            body = {"login": login, "password": f"try-{login}"}
            token = httpx.post(f"{self.url}/session", json=body).raise_for_status().json()["token"]
            self._http[login] = httpx.Client(
                base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=30
            )
        return self._http[login]

    def order(self, login: str, item: str, area: str) -> httpx.Response:
        body = {"item": item, "answers": {"area": area}}
        return self.who(login).post("/requests", json=body, headers={"Idempotency-Key": uuid.uuid4().hex})

    def ordered(self, login: str, item: str, area: str) -> str:
        answer = self.order(login, item, area)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["number"])

    def reaches(self, login: str, number: str, check: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return a request, once it has come that far."""

        def look() -> dict[str, Any]:
            shown: dict[str, Any] = self.who(login).get(f"/requests/{number}").json()
            assert check(shown), f"{shown['status']} {shown['outcome']}: {shown['waiting']}\n{self.words('worker')}"
            return shown

        return eventually(look, timeout=PATIENCE)

    def closes(self, login: str, number: str) -> dict[str, Any]:
        return self.reaches(login, number, lambda shown: shown["status"] == "closed")

    def task_of(self, login: str, number: str) -> str:
        """Return the task of a request that waits for somebody, once there is one."""

        def look() -> str:
            tasks = self.who(login).get("/tasks").json()["items"]
            return str(next((task["id"] for task in tasks if task["id"].startswith(f"{number}.")), ""))

        return eventually(look, timeout=PATIENCE)

    def locker_of(self, area: str, holder: str) -> str | None:
        number: str | None = self.lockers.get(f"/areas/{area}/holders/{holder}").json()["number"]
        return number

    def words(self, name: str) -> str:
        return (self.home / f"{name}.log").read_text(encoding="utf-8")


@contextmanager
def process(home: Path, name: str, module: str, *words: str, env: dict[str, str]) -> Iterator[None]:
    """Run a process while the context is open; what it says goes into ``<name>.log``."""
    with (home / f"{name}.log").open("ab") as log:
        running = subprocess.Popen([sys.executable, "-m", module, *words], env=env, cwd=home, stdout=log, stderr=log)
    try:
        yield
        assert running.poll() is None, f"{name} ended by itself: {(home / f'{name}.log').read_text()}"
    finally:
        running.kill()
        running.wait(30)


def is_up(url: str) -> bool:
    try:
        return httpx.get(url, timeout=10).status_code == 200
    except httpx.TransportError:
        return False


def broken_packages(folder: Path) -> Path:
    """Write a package that raises, one workflow that the sandbox cannot load, and one that takes a shipped name."""
    package, about = folder / "acme_broken", folder / "acme_broken-1.0.dist-info"
    package.mkdir(parents=True)
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-broken\nVersion: 1.0\n", "utf-8")
    (about / "entry_points.txt").write_text(
        "[commissary.actions]\nfax = acme_broken.fax:ACTIONS\n"
        "[commissary.workflows]\nCareless = acme_broken.careless:Careless\nTaker = acme_broken.taker:Taker\n",
        "utf-8",
    )
    (package / "__init__.py").touch()
    (package / "fax.py").write_text('raise RuntimeError("the fax machine was given away")\n', "utf-8")
    (package / "terms.py").write_text("DAYS = 30\n", "utf-8")
    (package / "careless.py").write_text(
        """
from temporalio import workflow

from acme_broken.terms import DAYS
from catalog.registry import WorkflowSpec
from workflows.request import RequestFrame


@workflow.defn(name="Careless")
class Careless(RequestFrame):
    spec = WorkflowSpec(id="Careless", summary="Passes nothing through.")

    @workflow.run
    async def run(self, order: dict) -> None: ...
""",
        "utf-8",
    )
    (package / "taker.py").write_text(
        "from catalog.registry import WorkflowSpec\n"
        "class Taker:\n    spec = WorkflowSpec(id='StepsRequest', summary='Takes a name.')\n",
        "utf-8",
    )
    return folder


@pytest.fixture(scope="module")
async def company(example: Example, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Company]:
    home = tmp_path_factory.mktemp("company")
    database, port, lockers_port = f"sqlite:///{home / 'register.db'}", free_port(), free_port()
    register = Register(database)
    register.migrate()
    register.close()
    async with await start_environment() as engine:
        settings = {
            "COMMISSARY_DIRECTORY": "acme-people",
            "ACME_PEOPLE_FILE": str(example.people),
            "ACME_LOCKERS_URL": f"http://127.0.0.1:{lockers_port}",
            "ACME_LOCKERS_TOKEN": TOKEN,
            "COMMISSARY_CATALOG": str(example.items),
            "COMMISSARY_DATABASE_URL": database,
            "COMMISSARY_TEMPORAL_ADDRESS": engine.client.service_client.config.target_host,
            "COMMISSARY_PORT": str(port),
            "COMMISSARY_SECRET": secrets.token_urlsafe(48),
            "COMMISSARY_MAIL": "false",
            "COMMISSARY_MAX_CACHED_WORKFLOWS": "0",  # every step of a request replays its history
        }
        env = example.environment(settings, broken_packages(home / "broken"))
        lockers = httpx.Client(base_url=settings["ACME_LOCKERS_URL"], headers={"Authorization": f"Bearer {TOKEN}"})
        made = Company(f"http://127.0.0.1:{port}/api/v1", lockers, home)
        with ExitStack() as stack:
            stack.callback(made.close)
            cabinet = ("--port", str(lockers_port), "--token", TOKEN, "north=2", "south=1")
            stack.enter_context(process(home, "cabinet", "acme_lockers.cabinet", *cabinet, env=env))
            stack.enter_context(process(home, "worker", "cli.main", "worker", env=env))
            stack.enter_context(process(home, "api", "cli.main", "api", env=env))
            eventually(lambda: is_up(f"http://127.0.0.1:{port}/readyz"), timeout=PATIENCE)
            yield made


def test_an_order_of_the_packages_own_workflow_is_fulfilled(company: Company) -> None:
    number = company.ordered("ada", "locker", "south")
    task = company.task_of("mara", number)
    assert company.locker_of("south", "ada") is None
    decision = company.who("mara").post(f"/tasks/{task}/decision", json={"choice": "approve"})
    assert decision.status_code == 200, decision.text
    handover = company.task_of("rosa", number)
    assert company.locker_of("south", "ada") == "S-001"
    done = company.who("rosa").post(f"/tasks/{handover}/complete", json={})
    assert done.status_code == 200, done.text
    closed = company.closes("ada", number)
    assert (closed["outcome"], closed["reason"]) == ("fulfilled", "Ada Byron has the locker S-001.")
    assert company.locker_of("south", "ada") == "S-001"


def test_called_off_before_the_key_is_handed_over_the_locker_is_free_again(company: Company) -> None:
    number = company.ordered("ben", "locker", "north")
    company.who("mara").post(f"/tasks/{company.task_of('mara', number)}/decision", json={"choice": "approve"})
    company.task_of("rosa", number)
    assert company.locker_of("north", "ben")
    assert company.who("ben").post(f"/requests/{number}/cancel", json={}).status_code == 200
    assert company.closes("ben", number)["outcome"] == "cancelled"
    assert company.locker_of("north", "ben") is None


def test_steps_call_the_packages_action_and_a_cancel_takes_it_back(company: Company) -> None:
    number = company.ordered("rosa", "locker-for-a-day", "north")
    company.reaches("rosa", number, lambda shown: any(one["kind"] == "time" for one in shown["waiting"]))
    assert company.locker_of("north", "rosa")
    assert company.who("rosa").post(f"/requests/{number}/cancel", json={}).status_code == 200
    assert company.closes("rosa", number)["outcome"] == "cancelled"
    assert company.locker_of("north", "rosa") is None


def test_a_choice_is_checked_where_it_comes_from(company: Company) -> None:
    answer = company.who("ada").get("/catalog/items/locker/choices/area")
    assert answer.status_code == 200, answer.text
    shown = answer.json()["choices"]
    assert [one["value"] for one in shown] == ["north", "south"]
    assert shown[0]["note"].endswith("of 2 free")
    answer = company.order("ada", "locker-for-a-day", "roof")
    assert answer.status_code == 422, answer.text
    assert "area" in answer.text


def test_broken_packages_are_told_and_everything_else_goes_on(company: Company) -> None:
    told = company.words("worker")
    assert "the action 'fax' of the package 'acme-broken' is left out: RuntimeError: the fax machine" in told
    assert "the workflow 'Careless' is left out" in told
    assert "acme_broken.terms" in told
    assert "the name 'StepsRequest' is the platform's own" in told
    assert "the worker is ready" in told


def test_the_api_tells_of_broken_packages_too(company: Company) -> None:
    told = company.words("api")
    assert told.count("the action 'fax' of the package 'acme-broken' is left out: RuntimeError: the fax machine") == 1
    assert "the name 'StepsRequest' is the platform's own" in told


def test_lint_tells_of_broken_packages_and_knows_nothing_of_what_they_bring(example: Example, tmp_path: Path) -> None:
    text = (example.items / "locker.yaml").read_text(encoding="utf-8")
    text = text.replace("id: locker\n", "id: careless\n").replace("workflow: LockerRequest", "workflow: Careless")
    (tmp_path / "careless.yaml").write_text(text, "utf-8")
    path = example.environment({}, broken_packages(tmp_path / "broken"))["PYTHONPATH"]
    answer = example.run("catalog", "lint", "--format", "json", str(tmp_path), PYTHONPATH=path)
    assert "Warning: the action 'fax' of the package 'acme-broken' is left out: RuntimeError: the fax" in answer.stderr
    assert "Warning: the workflow 'Careless' is left out: " in answer.stderr
    assert "Traceback" not in answer.stderr
    assert "there is no workflow 'Careless'" in [one["message"] for one in json.loads(answer.stdout)]


@pytest.mark.parametrize("command", ["worker", "api"])
def test_a_connector_without_its_settings_is_named_with_the_variables_it_wants(
    example: Example, tmp_path: Path, command: str
) -> None:
    answer = example.run(
        command,
        COMMISSARY_DIRECTORY="acme-people",
        COMMISSARY_SECRET=secrets.token_urlsafe(48),
        COMMISSARY_MAIL="false",
        COMMISSARY_DATABASE_URL=f"sqlite:///{tmp_path / 'register.db'}",
    )
    assert answer.returncode == 2
    assert answer.stderr == (
        "Error: The connector 'acme-people' of the package 'acme-people' (entry point acme_people:CONNECTOR) "
        "cannot be opened:\n"
        "  • ACME_PEOPLE_FILE: Field required\n"
    )


def test_a_connector_that_there_is_not_is_answered_with_those_there_are(example: Example, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'register.db'}"
    answer = example.run(
        "worker", COMMISSARY_DIRECTORY="nobody", COMMISSARY_MAIL="false", COMMISSARY_DATABASE_URL=database
    )
    assert answer.returncode == 2
    assert "there are: acme-people, ldap" in answer.stderr
