"""Finding what is registered: workflows, actions, connectors and providers, shipped ones and those of other packages.

A package registers by entry points; what is shipped stands in `SHIPPED`, in the very same form, and is found by the
same code. (Not as entry points of our own, because those only exist once the package is installed.) Something broken
is reported with its name and left out, whatever it does: a package that ends the process when it is imported would
otherwise end a check with success. Nothing is opened here, and nothing is run.

| group | the entry point gives |
|---|---|
| ``commissary.workflows`` | a workflow class with a class attribute ``spec: WorkflowSpec`` |
| ``commissary.actions`` | an `activities.actions.ActionSet` |
| ``commissary.connectors`` | a `Connector`; its name is what settings choose it by |
| ``commissary.providers`` | an `activities.providers.ProviderKind` |
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from importlib import metadata
from importlib.metadata import Distribution, EntryPoint
from threading import Timer
from typing import Any, Literal, Self, TypeVar

from activities.actions import ActionSet
from activities.environment import faults
from activities.providers import ProviderKind
from catalog.registry import Known, WorkflowSpec

T = TypeVar("T")

log = logging.getLogger(__name__)

WORKFLOWS = "commissary.workflows"
ACTIONS = "commissary.actions"
CONNECTORS = "commissary.connectors"
PROVIDERS = "commissary.providers"
NAMED = (WORKFLOWS, ACTIONS, PROVIDERS)
"""The groups that items name something of. Connectors are chosen by settings, and load libraries of their own."""

SHIPPED = (
    EntryPoint("AccessRequest", "workflows.access:AccessRequest", WORKFLOWS),
    EntryPoint("directory", "activities.directory_actions:ACTIONS", ACTIONS),
    EntryPoint("ldap", "activities.connectors.ldap:CONNECTOR", CONNECTORS),
    EntryPoint("smtp", "activities.connectors.smtp:CONNECTOR", CONNECTORS),
    EntryPoint("http", "activities.connectors.http:CONNECTOR", CONNECTORS),
    EntryPoint("groups", "activities.providers:GROUPS", PROVIDERS),
    EntryPoint("requestable-groups", "activities.providers:REQUESTABLE_GROUPS", PROVIDERS),
    EntryPoint("my-groups", "activities.providers:MY_GROUPS", PROVIDERS),
    EntryPoint("people", "activities.providers:PEOPLE", PROVIDERS),
    EntryPoint("entitlements", "activities.providers:ENTITLEMENTS", PROVIDERS),
)

PATIENCE = 2.0
"""For how many seconds something may load before people are told what they wait for."""

_OUR_QUEUES = ("http", "choices", "orders")
"""Systems whose task queues serve something else."""
_OUR_WORKFLOWS = ("StepsRequest", "BundleRequest")
"""Workflows that items do not name: those with steps or lines are theirs."""


@dataclass(frozen=True)
class Problem:
    """Something registered that cannot be used; `message` says who must mend what.

    A package that cannot be asked what it registers has no `group`; its `name` is the package's.
    """

    group: str
    name: str
    message: str

    @classmethod
    def of(cls, group: str, name: str, error: BaseException, package: str = "") -> Self:
        """Return the problem that an error makes."""
        return cls(group, name, f"the {_called(group, name, package)} is left out: {'; '.join(faults(error))}")


@dataclass(frozen=True)
class Connector:
    """A connector that settings may choose.

    Attributes:
        port: the capability it has.
        open: makes it from its own settings; what it gives implements the port, and is closed when the process ends.
    """

    port: Literal["directory", "mail", "http"]
    open: Callable[[], AbstractContextManager[Any]]


class NotOpened(Exception):
    """A connector that the settings choose cannot be opened; the message names it.

    Attributes:
        faults: what is wrong, a line each; with settings, the variables by name.
    """

    def __init__(self, message: str, faults: tuple[str, ...]) -> None:
        super().__init__(message)
        self.faults = faults


class UnknownName(LookupError):
    """Nothing of that name is registered; the message lists what is."""


@dataclass(frozen=True)
class Plugins:
    """Everything that is registered and usable, by name, and what is not usable."""

    workflows: dict[str, type] = field(default_factory=dict)
    action_sets: dict[str, ActionSet] = field(default_factory=dict)
    connectors: dict[str, Connector] = field(default_factory=dict)
    provider_kinds: dict[str, ProviderKind] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def known(self) -> Known:
        """Return what items may name."""
        specs = [one.spec for actions in self.action_sets.values() for one in actions.actions()]
        return Known(
            workflows={name: _spec_of(kind) for name, kind in self.workflows.items()},
            actions={spec.id: spec for spec in specs},
            providers={name: kind.spec for name, kind in self.provider_kinds.items()},
        )

    def connector(self, port: str, name: str) -> Connector:
        """Return the connector of that name.

        Its `open` raises `NotOpened` for whatever it meets.

        Raises:
            UnknownName: there is none for that port.
        """
        fitting = {key: one for key, one in self.connectors.items() if one.port == port}
        if name not in fitting:
            broken = "".join(f"; {one.message}" for one in self.problems if (one.group, one.name) == (CONNECTORS, name))
            raise UnknownName(
                f"there is no connector {name!r} for the port {port!r}; there are: {', '.join(sorted(fitting))}{broken}"
            )
        return fitting[name]


def known() -> Known:
    """Return what items may name in this installation."""
    return discover(NAMED).known()


def discover(groups: Sequence[str] = (*NAMED, CONNECTORS)) -> Plugins:
    """Load everything that is registered in groups: what is shipped first, so that nothing can take its names."""
    plugins = Plugins()
    for point in _points(groups, plugins.problems):
        with attempt(plugins.problems, point.group, point.name, _package(point)):
            _take(plugins, point, _load(point))
    return plugins


@contextmanager
def attempt(problems: list[Problem], group: str, name: str, package: str = "") -> Iterator[None]:
    """Run code of another package in the context: whatever it raises becomes one of the problems.

    That includes what is meant to end a process, such as ``sys.exit`` in a module that was written as a script.

    Raises:
        KeyboardInterrupt: somebody wants the process to stop.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  what other packages raise is not known; none may end the process
        problems.append(Problem.of(group, name, error, package))


@contextmanager
def watched(group: str, name: str, package: str = "") -> Iterator[None]:
    """Tell people what they wait for if the context, in which something is loaded, takes longer than `PATIENCE`."""
    advice = "if that never ends, mend it or uninstall it"
    what = _called(group, name, package)
    timer = Timer(PATIENCE, log.warning, ("the %s is still being loaded after %g s; %s", what, PATIENCE, advice))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _registered(problems: list[Problem]) -> list[EntryPoint]:
    """Return the entry points of all packages; one whose list cannot be read is a problem and spoils no other's."""
    packages: dict[str, Distribution] = {}
    for package in metadata.distributions():
        packages.setdefault(_name(package), package)  # of two with one name, Python imports the first
    points: list[EntryPoint] = []
    for name, package in packages.items():
        try:
            points += package.entry_points
        except Exception as error:  # noqa: BLE001  a line without '=' is a TypeError, one in another encoding something else
            said = "; ".join(faults(error))
            message = f"what the package {name!r} registers is left out, its entry_points.txt cannot be read: {said}"
            problems.append(Problem("", name, message))
    return points


def _points(groups: Sequence[str], problems: list[Problem]) -> list[EntryPoint]:
    """Return the entry points of groups; those of others in an order that does not depend on where they stand."""
    others = [point for point in _registered(problems) if point.group in groups]
    others.sort(key=lambda point: (groups.index(point.group), point.name, point.value))
    return [*(point for point in SHIPPED if point.group in groups), *others]


def _load(point: EntryPoint) -> Any:
    """Return what an entry point gives."""
    if point.dist is None:  # it is shipped
        return point.load()
    with watched(point.group, point.name, _package(point)):
        return point.load()


def _take(plugins: Plugins, point: EntryPoint, given: Any) -> None:
    """Put one thing where it belongs.

    Raises:
        TypeError: it is not what its group asks for.
        ValueError: its name is taken.
    """
    if point.group == WORKFLOWS:
        spec = _spec_of(given)
        if spec.id in _OUR_WORKFLOWS:
            raise ValueError(f"the name {spec.id!r} is the platform's own; choose another for the workflow")
        _put(plugins.workflows, spec.id, given)
    elif point.group == ACTIONS:
        actions = _expect(given, ActionSet)
        actions.actions()  # so that a wrong declaration shows here
        if actions.system in _OUR_QUEUES:
            raise ValueError(f"the name {actions.system!r} is the platform's own; choose another for the system")
        _put(plugins.action_sets, actions.system, actions)
    elif point.group == CONNECTORS:
        _put(plugins.connectors, point.name, _told(point, _expect(given, Connector)))
    else:
        kind = _expect(given, ProviderKind)
        _put(plugins.provider_kinds, kind.spec.id, kind)


def _told(point: EntryPoint, connector: Connector) -> Connector:
    """Return the connector as one that says whose it is when it cannot be opened."""

    @contextmanager
    def opened() -> Iterator[Any]:
        with ExitStack() as stack:
            try:
                given = stack.enter_context(connector.open())
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                what = _called(point.group, point.name, _package(point))
                raise NotOpened(f"The {what} (entry point {point.value}) cannot be opened:", faults(error)) from error
            yield given

    return replace(connector, open=opened)


def _called(group: str, name: str, package: str) -> str:
    origin = f" of the package {package!r}" if package else ""
    return f"{group.partition('.')[2].removesuffix('s')} {name!r}{origin}"


def _package(point: EntryPoint) -> str:
    return _name(point.dist) if point.dist else ""


def _name(package: Distribution) -> str:
    """Return what a package index calls a package.

    The standard library tells packages apart by it, and reads it off the name of a folder. The name that has no
    underscore needs the metadata of each, which takes a hundred times as long, and they may be broken, too.
    """
    name: str = package._normalized_name  # type: ignore[attr-defined]  # noqa: SLF001  see above
    return name.replace("_", "-")


def _put(there: dict[str, T], name: str, given: T) -> None:
    if name in there:
        raise ValueError(f"the name {name!r} is taken; choose another")
    there[name] = given


def _expect(given: Any, kind: type[T]) -> T:
    if not isinstance(given, kind):
        raise TypeError(f"its entry point must give a {kind.__module__}.{kind.__qualname__}, not {given!r}")
    return given


def _spec_of(workflow: type) -> WorkflowSpec:
    """Return what a workflow class says of itself."""
    spec = getattr(workflow, "spec", None)
    if not isinstance(spec, WorkflowSpec):
        raise TypeError(f"{workflow!r} must be a workflow class with a class attribute 'spec: WorkflowSpec'")
    return spec
