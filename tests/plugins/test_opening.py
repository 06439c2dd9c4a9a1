"""What cannot be opened says which settings are wrong, by the names of their variables, and never shows a value."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib import metadata
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from support.packages import Package

from activities.connectors.memory import MemoryDirectory
from activities.environment import faults
from activities.plugins import CONNECTORS, Connector, NotOpened, Problem, discover


class Server(BaseModel):
    port: int


class Settings(BaseSettings):
    """Has the name that many others have."""

    model_config = SettingsConfigDict(env_prefix="ACME_", env_nested_delimiter="__", extra="ignore")

    url: str
    tries: int = 3
    token: SecretStr = Field(min_length=8, default=SecretStr("long enough"))
    server: Server = Server(port=1)
    zone: str = Field(default="here", validation_alias="TZ_OF_ACME")

    @model_validator(mode="after")
    def _check(self) -> Settings:
        if self.tries < 0:
            raise ValueError("fewer than no tries")
        return self


class Elsewhere:
    class Settings(BaseSettings):
        """Another one of that name, beside it."""

        other: str = ""


Open = Callable[[Callable[[], AbstractContextManager[Any]]], NotOpened]


@pytest.fixture
def cannot_open(monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open a connector of another package by its entry point; return how that failed."""
    module = ModuleType("acme_people")
    monkeypatch.setitem(sys.modules, "acme_people", module)
    package = Package("acme-people")
    package.registers = f"[{CONNECTORS}]\nacme = acme_people:CONNECTOR\n"
    monkeypatch.setattr(metadata, "distributions", lambda: [package])

    def it(how: Callable[[], AbstractContextManager[Any]]) -> NotOpened:
        monkeypatch.setattr(module, "CONNECTOR", Connector(port="directory", open=how), raising=False)
        with pytest.raises(NotOpened) as caught, discover().connector("directory", "acme").open():
            pass
        return caught.value

    return it


def directory(settings: type[BaseSettings] = Settings) -> AbstractContextManager[Any]:
    beside = Elsewhere.Settings()
    return nullcontext((settings(), beside))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, ["ACME_URL: Field required"]),
        (
            {"ACME_TRIES": "many", "ACME_TOKEN": "hunter2"},
            [
                "ACME_URL: Field required",
                "ACME_TRIES: Input should be a valid integer, unable to parse string as an integer",
                "ACME_TOKEN: Value should have at least 8 items after validation, not 7",
            ],
        ),
        (
            {"ACME_URL": "x", "ACME_SERVER__PORT": "http"},
            ["ACME_SERVER__PORT: Input should be a valid integer, unable to parse string as an integer"],
        ),
        ({"ACME_URL": "x", "ACME_TRIES": "-1"}, ["together: Value error, fewer than no tries"]),
    ],
)
def test_every_variable_that_is_wrong_is_a_line(
    monkeypatch: pytest.MonkeyPatch, cannot_open: Open, given: dict[str, str], said: list[str]
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    error = cannot_open(directory)
    called = "The connector 'acme' of the package 'acme-people' (entry point acme_people:CONNECTOR)"
    assert str(error) == f"{called} cannot be opened:"
    assert list(error.faults) == said


def test_a_field_with_a_name_of_its_own_is_called_by_it(cannot_open: Open) -> None:
    class Named(BaseSettings):
        model_config = SettingsConfigDict(env_prefix="ACME_")

        zone: str = Field(validation_alias="TZ_OF_ACME")

    assert cannot_open(lambda: directory(Named)).faults == ("TZ_OF_ACME: Field required",)


def test_data_that_are_no_settings_are_told_by_their_place(cannot_open: Open) -> None:
    (fault,) = cannot_open(lambda: nullcontext(Server.model_validate({"port": "hunter2"}))).faults
    assert fault.startswith("Server.port: Input should be a valid integer")
    assert "hunter2" not in fault


def test_anything_else_is_told_in_its_own_words(cannot_open: Open) -> None:
    def missing() -> AbstractContextManager[Any]:
        raise FileNotFoundError("people.yaml is not there")

    assert cannot_open(missing).faults == ("FileNotFoundError: people.yaml is not there",)


def test_one_that_would_end_the_process_is_told_too(cannot_open: Open) -> None:
    assert cannot_open(lambda: sys.exit(0)).faults == ("SystemExit: 0",)


def test_what_goes_wrong_once_it_is_open_is_not_said_to_be_its_opening(
    monkeypatch: pytest.MonkeyPatch, cannot_open: Open
) -> None:
    cannot_open(directory)
    connector = Connector(port="directory", open=lambda: nullcontext(MemoryDirectory()))
    monkeypatch.setattr(sys.modules["acme_people"], "CONNECTOR", connector)
    with pytest.raises(KeyError), discover().connector("directory", "acme").open():
        raise KeyError("of the one who uses it")


def test_a_problem_of_an_action_set_names_the_variables_too() -> None:
    with pytest.raises(ValueError, match="url") as caught:
        Settings()
    problem = Problem.of("commissary.actions", "lockers", caught.value)
    assert problem.message == "the action 'lockers' is left out: ACME_URL: Field required"
    assert faults(caught.value) == ("ACME_URL: Field required",)
