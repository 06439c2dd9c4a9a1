"""A mistake that somebody will make is one clear message, never a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.builders import NOON
from support.terminal import exit_code, without_settings

from catalog.journal import Chain, Kind
from cli.client import at

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run a command with these settings only; return its exit code and what it said."""
    without_settings(monkeypatch)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def it(*arguments: str, **settings: str) -> tuple[int, str]:
        for name, value in settings.items():
            monkeypatch.setenv(f"COMMISSARY_{name}", value)
        code = exit_code(monkeypatch, *arguments)
        said = capsys.readouterr()
        return code, said.out + said.err

    return it


@pytest.fixture
def journal() -> list[dict[str, Any]]:
    return [Chain("REQ-1001").append(Kind.OPENED, NOON).model_dump(mode="json")]


@pytest.mark.parametrize(
    "url",
    ["mysql://root:hunter2@db/x", "nonsense", "sqlite://", "postgresql://u@h:port/x"],
)
@pytest.mark.parametrize("command", ["migrate", "worker"])
def test_a_database_url_of_another_kind_is_a_line_without_its_password(run: Run, command: str, url: str) -> None:
    ldap = {f"LDAP_{name}": "dc=x" for name in ("BIND_DN", "PEOPLE_BASE", "GROUPS_BASE")}
    ldap |= {"LDAP_URLS": "ldaps://h", "LDAP_BIND_PASSWORD": "x", "MAIL": "false"}
    code, said = run(command, DATABASE_URL=url, **ldap)
    assert code == 2
    assert said == (
        "Error: The settings are not right:\n"
        "  • COMMISSARY_DATABASE_URL: it has to be sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE\n"
    )


def test_every_wrong_setting_is_a_line_with_its_full_name(run: Run) -> None:
    code, said = run("api", PORT="http", TOKEN_MINUTES="0")
    assert code == 2
    first, *others = said.splitlines()
    assert first == "Error: The settings are not right:"
    assert [line.split(":")[0] for line in others] == [
        "  • COMMISSARY_SECRET",
        "  • COMMISSARY_TOKEN_MINUTES",
        "  • COMMISSARY_PORT",
    ]


def test_the_settings_of_a_connector_are_named_with_their_own_prefix(run: Run) -> None:
    code, said = run("worker")
    assert code == 2
    assert "  • COMMISSARY_LDAP_URLS: Field required\n" in said


def test_a_setting_that_is_no_json_is_named(run: Run) -> None:
    code, said = run("worker", LDAP_INACTIVE_WHEN="{")
    assert code == 2
    assert "inactive_when" in said


def test_a_register_that_cannot_be_opened_is_a_line(run: Run) -> None:
    code, said = run("migrate", DATABASE_URL="sqlite:////dev/null/x/register.db")
    assert code == 1
    assert said.startswith("Error: ")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"{}", b"[]", b"[1]", b'[{"seq": 1}]', b'"text"', b"[" * 100_000]
)
def test_a_file_that_is_no_journal_is_said_to_be_none(run: Run, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "garbage.json"
    file.write_bytes(content)
    code, said = run("request", "verify", str(file))
    assert (code, said) == (1, f"Error: {file} is no journal that `commissary request export` wrote\n")


def test_a_directory_is_no_journal(run: Run, tmp_path: Path) -> None:
    code, said = run("request", "verify", str(tmp_path))
    assert (code, said) == (1, f"Error: {tmp_path} cannot be read: Is a directory\n")


def test_a_whole_journal_is_told_from_a_forged_one(run: Run, tmp_path: Path, journal: list[dict[str, Any]]) -> None:
    file = tmp_path / "journal.json"
    file.write_text(json.dumps(journal))
    code, said = run("request", "verify", str(file))
    assert code == 0
    assert "is whole: 1 entries" in " ".join(said.split())
    file.write_text(json.dumps([journal[0] | {"rule": "forged"}]))
    code, said = run("request", "verify", str(file))
    assert code == 1
    assert "entry 1 was changed after it was written" in said


def test_an_export_to_where_nothing_can_be_written_is_a_line(
    run: Run, monkeypatch: pytest.MonkeyPatch, journal: list[dict[str, Any]]
) -> None:
    monkeypatch.setattr("cli.client.Client.pages", lambda *_arguments: iter(journal))
    code, said = run("request", "export", "REQ-1001", "/dev/null/journal.json", TOKEN="x")
    assert (code, said) == (1, "Error: /dev/null/journal.json cannot be written: Not a directory\n")


def test_an_address_that_is_none_is_a_line(run: Run) -> None:
    code, said = run("request", "list", URL="http://h:port", TOKEN="x")
    assert code == 1
    assert said.startswith("Error: http://h:port is no address")


def test_what_is_typed_stays_one_part_of_the_path() -> None:
    assert at("requests", "REQ-1003?x=1", "journal") == "/requests/REQ-1003%3Fx%3D1/journal"
    assert at("requests", "a/../b#c") == "/requests/a%2F..%2Fb%23c"
