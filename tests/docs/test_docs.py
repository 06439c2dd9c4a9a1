"""What the pages say of the code is still so; where a page claims to list everything, it is checked both ways."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, cast

import pytest
import typer
from pydantic import SecretStr
from pydantic_settings import BaseSettings
from support.pages import ROOT, blocks, page, rows, section
from typer.testing import CliRunner

from activities.connectors.http import HttpSettings
from activities.connectors.ldap import LdapSettings
from activities.connectors.sealed import SealedSettings
from activities.connectors.smtp import SmtpSettings
from activities.plugins import known
from activities.providers import OfferSettings
from api import problems
from api.app import create_app
from api.parts import Parts
from api.settings import Settings
from catalog import duration
from catalog.lint import lint
from catalog.loader import read
from cli.main import app as command_line
from worker.settings import WorkerSettings

OWN = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
PAGES = [*OWN, *sorted((ROOT / "activities" / "connectors").glob("*/README.md"))]
PACKAGES = ("catalog", "records", "activities", "workflows", "worker", "api", "cli")
SETTINGS: tuple[type[BaseSettings], ...] = (
    Settings,
    WorkerSettings,
    LdapSettings,
    SmtpSettings,
    HttpSettings,
    SealedSettings,
    OfferSettings,
)
NAMED = ("COMMISSARY_HTTP_CREDENTIAL",)
"""Settings of which there can be several, each with a name behind it."""


def code(text: str) -> Iterator[str]:
    """Yield every line of a code block for the shell and every code span."""
    for block in blocks(text, "sh"):
        yield from block.replace("\\\n", " ").splitlines()
    yield from re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


def by_name(path: Path) -> str:
    return str(path.relative_to(ROOT))


# --- links, files and commands ---


@pytest.mark.parametrize("path", PAGES, ids=by_name)
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", path.read_text(encoding="utf-8")):
        there = path.parent / target if target else path
        assert there.exists(), f"{target} does not exist"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings}, anchor


@pytest.mark.parametrize("path", OWN, ids=by_name)
def test_every_file_that_is_named_exists(path: Path) -> None:
    pattern = re.compile(rf"(?:{'|'.join((*PACKAGES, 'tests', 'docs', 'requirements'))})/[\w./-]*\w/?")
    for span in code(path.read_text(encoding="utf-8")):
        if pattern.fullmatch(span):
            assert (ROOT / span).exists(), f"{span} does not exist"


@pytest.mark.parametrize("path", OWN, ids=by_name)
def test_every_make_target_that_is_named_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", page("Makefile"), re.MULTILINE))
    for line in code(path.read_text(encoding="utf-8")):
        for target in re.findall(r"(?:^|&& )make ([a-z]+)", line):
            assert target in targets, f"make {target}"


def check_command(words: list[str]) -> None:
    """Fail unless a command line's sub-commands and options exist."""
    command: Any = typer.main.get_command(command_line)
    rest = list(words)
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        assert name in command.commands, f"commissary {' '.join(words)}: there is no command {name!r}"
        command = command.commands[name]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    for word in rest:
        if word.startswith("-"):
            assert word in known, f"commissary {' '.join(words)}: there is no option {word}"


@pytest.mark.parametrize("path", OWN, ids=by_name)
def test_every_command_that_is_named_exists(path: Path) -> None:
    for line in code(path.read_text(encoding="utf-8")):
        for part in re.split(r"&&|\||;", line):
            words = shlex.split(part, comments=True) if "commissary " in part else []
            if words and Path(words[0]).name == "commissary":
                check_command(words[1:])


def test_the_check_of_commands_can_fail() -> None:
    with pytest.raises(AssertionError, match="no command 'ordre'"):
        check_command(["request", "ordre", "vpn"])
    with pytest.raises(AssertionError, match="no option --folow"):
        check_command(["request", "show", "REQ-1001", "--folow"])


def test_the_first_two_commands_of_the_readme_are_the_promised_ones() -> None:
    lines = [line for block in blocks(page("README.md"), "sh") for line in block.splitlines()]
    assert [line for line in lines if line.startswith("make ")][:2] == ["make demo", "make test"]


def test_the_rooms_name_every_module() -> None:
    rooms = blocks(section(page("docs/architecture.md"), "Rooms"), "text")[0]
    modules = {
        path.name
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if path.name != "__init__.py" and "versions" not in path.parts
    }
    assert set(re.findall(r"\b\w+\.py\b", rooms)) == modules


# --- docs/operations.md ---


def name_of(settings: type[BaseSettings], field: str) -> str:
    name = f"{settings.model_config['env_prefix']}{field}".upper()
    return f"{name}_<NAME>" if name in NAMED else name


def shown(value: Any) -> str:
    """Return a default as the page shows it."""
    match value:
        case None | () | SecretStr():
            return "none"
        case {} if not value:
            return "none"
        case bool():
            return f"`{str(value).lower()}`"
        case StrEnum():
            return f"`{value.value}`"
        case timedelta():
            return f"`{duration.iso(value)}`"
        case dict() | tuple():
            return f"`{json.dumps(value)}`"
        case _:
            return f"`{value}`"


def test_operations_lists_every_setting_with_its_default() -> None:
    documented = {name: cells[0] for name, cells in rows(page("docs/operations.md")).items() if name.isupper()}
    expected = {
        name_of(settings, name): "required" if field.is_required() else shown(field.default)
        for settings in SETTINGS
        for name, field in settings.model_fields.items()
    }
    client = rows(section(page("docs/operations.md"), "Command line"))
    assert documented == expected | {name: cells[0] for name, cells in client.items()}


def test_operations_lists_every_variable_of_the_command_line() -> None:
    variables = set(re.findall(r'"(COMMISSARY_[A-Z_]+)"', page("cli/client.py")))
    assert set(rows(section(page("docs/operations.md"), "Command line"))) == variables


@pytest.mark.parametrize("path", PAGES, ids=by_name)
def test_every_variable_that_is_named_exists(path: Path) -> None:
    there = {name_of(settings, name) for settings in SETTINGS for name in settings.model_fields} | set(NAMED)
    there |= {f"COMMISSARY_{name}" for name in ("URL", "AS", "TOKEN", "TEST_KILLS")}
    named = set(re.findall(r"COMMISSARY_[A-Z_]*[A-Z]\b", path.read_text(encoding="utf-8")))
    prefixes = {str(settings.model_config["env_prefix"]).rstrip("_") for settings in SETTINGS}
    assert named - prefixes <= there


@pytest.mark.parametrize("path", sorted((ROOT / "activities" / "connectors").glob("*/settings.py")), ids=by_name)
def test_a_connectors_readme_names_every_setting(path: Path) -> None:
    settings = next(one for one in SETTINGS if one.__module__.split(".")[-2] == path.parent.name)
    text = (path.parent / "README.md").read_text(encoding="utf-8")
    for name in settings.model_fields:
        assert f"`{name.upper()}`" in text or f"`{name_of(settings, name)}`" in text, name


# --- docs/api.md ---


def every_problem(base: type[problems.Problem] = problems.Problem) -> Iterator[type[problems.Problem]]:
    for one in base.__subclasses__():
        yield one
        yield from every_problem(one)


def test_the_api_page_lists_every_problem_with_its_status() -> None:
    documented = {slug: cells[0] for slug, cells in rows(section(page("docs/api.md"), "Problems")).items()}
    assert documented == {one.slug: str(one.status) for one in every_problem() if hasattr(one, "slug")}


def test_the_api_page_lists_every_address() -> None:
    described = create_app(cast("Parts", None)).openapi()["paths"]
    served = {f"{method.upper()} {path}" for path, methods in described.items() for method in methods}
    assert set(rows(section(page("docs/api.md"), "Addresses"))) == served


# --- docs/authoring.md ---


def test_the_authoring_page_lists_every_command_of_the_kit_with_its_options() -> None:
    catalog: Any = cast("Any", typer.main.get_command(command_line)).commands["catalog"]
    expected = {
        name: [{option.opts[0] for option in command.params if option.param_type_name == "option"}, command.help]
        for name, command in catalog.commands.items()
        if name not in ("list", "show")  # those ask a server
    }
    table = rows(section(page("docs/authoring.md"), "The kit"))
    assert {name: [set(re.findall(r"`(--[a-z-]+)`", cells[0])), cells[1]] for name, cells in table.items()} == expected


def test_the_first_item_of_the_authoring_page_lints_clean(tmp_path: Path) -> None:
    (tmp_path / "item.yaml").write_text(blocks(page("docs/authoring.md"), "yaml")[0], encoding="utf-8")
    assert lint(read([tmp_path]), known()) == ()


def test_the_faulty_example_gives_the_errors_that_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = section(page("docs/authoring.md"), "When something is wrong")
    (tmp_path / "items").mkdir()
    (tmp_path / "items" / "printer.yaml").write_text(blocks(text, "yaml")[0], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(command_line, ["catalog", "lint", "items"])
    assert done.exit_code == 1
    assert done.stdout == blocks(text, "text")[0]
