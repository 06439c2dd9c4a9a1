"""Finding what is registered: shipped things, those of other packages, and broken ones."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from importlib import metadata
from types import ModuleType
from typing import Any, ClassVar

import pytest
from support.builders import a_person
from support.packages import Package
from temporalio import activity
from temporalio.testing import ActivityEnvironment

from activities.actions import ActionInput, ActionSet, Found, action
from activities.connectors.memory import Group, MemoryDirectory, MemorySecrets
from activities.plugins import ACTIONS, CONNECTORS, PROVIDERS, WORKFLOWS, Connector, UnknownName, discover, known
from activities.ports import Ports
from activities.providers import ProviderKind
from activities.serving import serving
from catalog.choices import Choice, Choices, ChoicesQuery
from catalog.http import HttpAnswer, HttpCall
from catalog.registry import ProviderSpec, WorkflowSpec

Register = Callable[[str, str, object], None]


class Question(ActionInput):
    asset: str


class Answer(Found):
    place: str


class AssetActions:
    @action("assets.locate", changes=False)
    def locate(self, question: Question) -> Answer:
        """Say where an asset is."""
        return Answer(place=f"shelf of {question.asset}")


class Models:
    def choices(self, query: ChoicesQuery) -> Choices:
        return Choices(choices=(Choice(value="x1", label="X1"),))


class Onboarding:
    spec: ClassVar = WorkflowSpec(id="Onboarding", summary="Welcome somebody.")


ASSETS = ActionSet(system="assets", kind=AssetActions, open=lambda _: nullcontext(AssetActions()))
MODELS = ProviderKind(ProviderSpec(id="models", summary="Models in stock."), lambda _: nullcontext(Models()))


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Let entry points of another package be found; `register(group, name, what it gives)`."""
    module = ModuleType("another_package")
    monkeypatch.setitem(sys.modules, "another_package", module)
    package = Package("another-package")
    monkeypatch.setattr(metadata, "distributions", lambda: [package])

    def add(group: str, name: str, given: object) -> None:
        attribute = f"given_{len(package.registers)}"
        package.registers += f"[{group}]\n{name} = another_package:{attribute}\n"
        if given is not None:
            setattr(module, attribute, given)

    return add


class NoHttp:
    def send(self, call: HttpCall) -> HttpAnswer:
        raise AssertionError("no test here sends anything")


@pytest.fixture
def ports() -> Ports:
    directory = MemoryDirectory([a_person()], [Group("wiki")])
    return Ports(directory=directory, secrets=MemorySecrets(), http=NoHttp(), published=lambda: ())


def test_what_is_shipped_is_all_usable(register: Register) -> None:
    plugins = discover()
    assert plugins.problems == []
    assert set(plugins.connectors) == {"ldap", "smtp", "http"}
    assert "AccessRequest" in plugins.workflows
    there = known()
    assert {"groups", "requestable-groups", "my-groups", "people", "entitlements"} == set(there.providers)
    assert there.workflows["AccessRequest"].entitlement
    assert "directory.create_group" in there.actions


def test_what_another_package_registers_is_found_beside_it(register: Register) -> None:
    register(ACTIONS, "assets", ASSETS)
    register(PROVIDERS, "models", MODELS)
    register(WORKFLOWS, "onboarding", Onboarding)
    register(CONNECTORS, "scim", Connector(port="directory", open=lambda: nullcontext(MemoryDirectory())))
    there = known()
    assert there.actions["assets.locate"].summary == "Say where an asset is."
    assert not there.actions["assets.locate"].changes
    assert there.providers["models"].summary == "Models in stock."
    assert there.workflows["Onboarding"].summary == "Welcome somebody."
    with discover().connector("directory", "scim").open() as directory:
        directory.ping()


class Exploding:
    @property
    def spec(self) -> WorkflowSpec:
        raise RuntimeError("the package is at fault")


class Unspecified:
    pass


@pytest.mark.parametrize(
    ("group", "given", "said"),
    [
        (ACTIONS, None, "AttributeError"),
        (ACTIONS, "text", r"must give a activities\.actions\.ActionSet"),
        (ACTIONS, ActionSet(system="directory", kind=AssetActions, open=ASSETS.open), "must be called 'directory"),
        (ACTIONS, ActionSet(system="http", kind=AssetActions, open=ASSETS.open), "'http.<verb>'"),
        (CONNECTORS, "text", r"activities\.plugins\.Connector"),
        (PROVIDERS, "text", r"activities\.providers\.ProviderKind"),
        (WORKFLOWS, Unspecified, "class attribute 'spec: WorkflowSpec'"),
        (WORKFLOWS, Exploding(), "RuntimeError: the package is at fault"),
    ],
)
def test_something_broken_names_itself_and_leaves_the_rest_alone(
    register: Register, group: str, given: object, said: str
) -> None:
    register(group, "broken", given)
    register(PROVIDERS, "models", MODELS)
    plugins = discover()
    (problem,) = plugins.problems
    assert (problem.group, problem.name) == (group, "broken")
    assert "'broken' of the package 'another-package' is left out" in problem.message
    assert re.search(said, problem.message)
    assert {"models", "groups"} <= set(plugins.known().providers)


class HttpActions:
    @action("http.guess", changes=False)
    def guess(self, question: Question) -> Answer:
        """Guess."""
        raise AssertionError


def test_the_platforms_own_names_cannot_be_taken(register: Register) -> None:
    register(ACTIONS, "mine", ActionSet(system="http", kind=HttpActions, open=lambda _: nullcontext()))
    register(PROVIDERS, "mine", ProviderKind(ProviderSpec(id="groups", summary="Mine."), MODELS.open))
    register(CONNECTORS, "ldap", Connector(port="directory", open=nullcontext))
    messages = [problem.message for problem in discover().problems]
    assert len(messages) == 3
    assert "the platform's own" in messages[0]
    assert all("is taken" in message for message in messages[1:])


def test_an_unknown_connector_is_answered_with_those_there_are(register: Register) -> None:
    register(CONNECTORS, "scim", "broken")
    plugins = discover()
    with pytest.raises(UnknownName, match=r"no connector 'smtp' for the port 'directory'; there are: ldap$"):
        plugins.connector("directory", "smtp")
    with pytest.raises(UnknownName, match="'scim' of the package 'another-package' is left out"):
        plugins.connector("directory", "scim")


# --- serving ---


def name_of(one: Callable[..., Any]) -> str:
    definition = activity._Definition.from_callable(one)
    assert definition is not None
    return str(definition.name)


def test_every_system_is_served_on_its_own_queue(register: Register, ports: Ports) -> None:
    register(ACTIONS, "assets", ASSETS)
    register(PROVIDERS, "models", MODELS)
    with serving(discover(), ports) as served:
        names = {queue: sorted(map(name_of, activities)) for queue, activities in served.by_queue.items()}
        assert served.problems == []
        assert names["commissary-assets"] == ["assets.locate"]
        assert names["commissary-choices"] == ["choices.list"]
        assert names["commissary-http"] == ["http.send"]
        assert "directory.set_password" in names["commissary-directory"]
        (locate,) = served.by_queue["commissary-assets"]
        assert ActivityEnvironment().run(locate, {"asset": "X1"}).place == "shelf of X1"
        (choices,) = served.by_queue["commissary-choices"]
        query = ChoicesQuery(provider="models", requester_id="x", beneficiary_id="x")
        assert ActivityEnvironment().run(choices, query).choices[0].value == "x1"


def test_what_cannot_be_opened_is_reported_and_the_rest_is_served(register: Register, ports: Ports) -> None:
    def fail(_: Ports) -> Any:
        raise ValueError("ASSETS_URL is not set")

    register(ACTIONS, "assets", ActionSet(system="assets", kind=AssetActions, open=fail))
    register(PROVIDERS, "models", ProviderKind(MODELS.spec, fail))
    with serving(discover(), ports) as served:
        assert [problem.name for problem in served.problems] == ["assets", "models"]
        assert all("ASSETS_URL is not set" in problem.message for problem in served.problems)
        assert "commissary-assets" not in served.by_queue
        assert served.by_queue["commissary-directory"]


def test_a_system_that_ends_the_process_when_it_is_opened_is_reported_like_any_other(
    register: Register, ports: Ports
) -> None:
    register(ACTIONS, "assets", ActionSet(system="assets", kind=AssetActions, open=lambda _: sys.exit(0)))
    with serving(discover(), ports) as served:
        (problem,) = served.problems
        assert problem.message == "the action 'assets' is left out: SystemExit: 0"
        assert served.by_queue["commissary-directory"]


def test_what_was_opened_is_closed_at_the_end(register: Register, ports: Ports) -> None:
    events: list[str] = []

    @contextmanager
    def opened(_: Ports) -> Iterator[AssetActions]:
        events.append("open")
        yield AssetActions()
        events.append("closed")

    register(ACTIONS, "assets", ActionSet(system="assets", kind=AssetActions, open=opened))
    with serving(discover(), ports):
        assert events == ["open"]
    assert events == ["open", "closed"]
