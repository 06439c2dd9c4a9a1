"""What `commissary demo` does: everything on this machine, and one real order to watch."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import typer
from cryptography.fernet import Fernet
from pydantic import SecretStr
from rich.console import Console
from rich.text import Text

from activities.connectors.ldap import LdapDirectory, LdapSettings, Security
from cli.client import Trouble
from cli.demo import second_act, story
from cli.demo.supervisor import HOST, Child, DemoError, Supervisor, accepts, answers, port_free, supervised
from cli.kit.shelf import SHIPPED
from cli.render import plain
from records.register import Register, RegisterUnavailable

DEMO_CATALOG = Path(__file__).with_name("catalog") / "items"
"""Items that only make sense in the demo."""
SERVICE_PASSWORD = "service-demo"  # noqa: S105  of a directory that only listens on this machine
SUFFIX = "dc=nordlys,dc=example"
PEOPLE = {
    "jonas.berg": "orders",
    "mara.lind": "is his manager, and hana.suzuki's",
    "tomas.lind": "owns finance-reports",
    "siobhan.obrien": "guards personal data",
    "karl.vinter": "guards personal data",
    "olga.reyes": "is an operator",
}
"""Who of the fictional company has a part in trying things."""


@dataclass(frozen=True)
class Ports:
    """Where the demo listens, all on 127.0.0.1."""

    api: int
    engine: int
    engine_ui: int
    ldap: int
    mail: int

    def check(self) -> None:
        """Return if all of them are free; raises `PortTaken`."""
        for name, port in vars(self).items():
            port_free(port, f"--{name.replace('_', '-')}-port")


@dataclass(frozen=True)
class Demo:
    """One demo: its folder, its ports, and the programs it is made of.

    Attributes:
        data: what it keeps.
        items: where authors put items of their own; they are offered beside the shipped ones.
    """

    data: Path
    items: Path
    ports: Ports

    @property
    def url(self) -> str:
        """Where the API is."""
        return f"http://{HOST}:{self.ports.api}"

    @property
    def database(self) -> str:
        """Where the register is."""
        return f"sqlite:///{self.data / 'register.db'}"

    def ldap(self) -> LdapSettings:
        """Return how to reach the embedded directory."""
        return LdapSettings(
            urls=(f"ldap://{HOST}:{self.ports.ldap}",),
            security=Security.NONE,
            bind_dn=f"cn=commissary,ou=services,{SUFFIX}",
            bind_password=SecretStr(SERVICE_PASSWORD),
            people_base=f"ou=people,{SUFFIX}",
            groups_base=f"ou=groups,{SUFFIX}",
            roles_base=f"ou=roles,{SUFFIX}",
            placeholder_member=f"cn=nobody,ou=services,{SUFFIX}",
        )

    def children(self) -> tuple[Child, ...]:
        """Return the programs, in the order they are started."""
        ports, python = self.ports, sys.executable
        env = self._environment()
        commissary = (python, "-m", "cli.main")
        return (
            Child("engine", self._engine(), accepts(ports.engine)),
            Child(
                "directory",
                (python, "-m", "cli.demo.directory_server", "--port", str(ports.ldap), "--data", str(self.data)),
                accepts(ports.ldap),
            ),
            Child(
                "mail",
                (python, "-m", "cli.demo.mail_sink", "--port", str(ports.mail), "--data", str(self.data / "mail")),
                accepts(ports.mail),
            ),
            Child("worker", (*commissary, "worker"), lambda: True, env),
            # ready once everything behind it is, the worker included
            Child("api", (*commissary, "api"), answers(f"{self.url}/readyz"), env),
        )

    def _engine(self) -> tuple[str, ...]:
        beside = Path(sys.executable).with_name("temporal")
        return (
            str(beside) if beside.exists() else "temporal",
            *("server", "start-dev", "--ip", HOST, "--port", str(self.ports.engine)),
            *("--ui-port", str(self.ports.engine_ui), "--db-filename", str(self.data / "temporal.db")),
            *("--log-level", "error"),
        )

    def _environment(self) -> dict[str, str]:
        ldap = self.ldap()
        return {
            "COMMISSARY_DATABASE_URL": self.database,
            "COMMISSARY_TEMPORAL_ADDRESS": f"{HOST}:{self.ports.engine}",
            "COMMISSARY_PUBLIC_URL": self.url,
            "COMMISSARY_GRACEFUL_STOP": "PT3S",  # less than the supervisor gives a child to end
            "COMMISSARY_OPERATORS_MAIL": "operators@nordlys.example",
            "COMMISSARY_HOST": HOST,
            "COMMISSARY_PORT": str(self.ports.api),
            "COMMISSARY_CATALOG": os.pathsep.join(map(str, (SHIPPED, DEMO_CATALOG, self.items))),
            "COMMISSARY_SECRET": self._kept("token-key", secrets.token_urlsafe(48)),
            "COMMISSARY_SECRETS_KEYS": self._kept("secrets-key", Fernet.generate_key().decode()),
            "COMMISSARY_SMTP_HOST": HOST,
            "COMMISSARY_SMTP_PORT": str(self.ports.mail),
            "COMMISSARY_SMTP_SECURITY": "none",
            "COMMISSARY_SMTP_SENDER": "Commissary <commissary@nordlys.example>",
            "COMMISSARY_LDAP_URLS": ldap.urls[0],
            "COMMISSARY_LDAP_SECURITY": ldap.security,
            "COMMISSARY_LDAP_BIND_DN": ldap.bind_dn,
            "COMMISSARY_LDAP_BIND_PASSWORD": SERVICE_PASSWORD,
            "COMMISSARY_LDAP_PEOPLE_BASE": ldap.people_base,
            "COMMISSARY_LDAP_GROUPS_BASE": ldap.groups_base,
            "COMMISSARY_LDAP_ROLES_BASE": ldap.roles_base or "",
            "COMMISSARY_LDAP_ACCOUNTS_BASE": ldap.people_base,
            "COMMISSARY_LDAP_PLACEHOLDER_MEMBER": ldap.placeholder_member or "",
        }

    def _kept(self, name: str, fresh: str) -> str:
        """Return the key of that name; kept, so that sessions and secrets outlive a restart of the demo."""
        path = self.data / name
        if not path.exists():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(fresh)
        return path.read_text()

    def make_room(self) -> None:
        """Make the authors' folder; raises `DemoError` if it cannot be made."""
        try:
            self.items.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DemoError(
                f"{self.items} cannot hold items: {error.strerror}; choose another with --catalog"
            ) from error

    def reset(self) -> None:
        """Forget what earlier runs left, except what authors wrote and the lock that keeps other demos out."""
        for path in self.data.iterdir():
            if path.name in ("demo.lock", "logs") or self.items.is_relative_to(path):
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def run(made: Demo, *, once: bool, reset: bool) -> None:
    """Start everything, tell the story, and stay up unless `once`.

    Raises:
        Trouble: with one clear line; everything that was started is stopped.
        typer.Exit: with the shell's code for the signal (128 + its number) that cut a story told `once` short.
    """
    console = Console()
    signal.signal(signal.SIGTERM, _terminate)
    try:
        with supervised(made.data) as supervisor:
            if reset:
                made.reset()
            made.ports.check()
            made.make_room()
            _start(made, supervisor, console)
            number = _tell(made, supervisor, console)
            if not once:
                _say_what_next(made, number, console)
                supervisor.watch()
    except (DemoError, RegisterUnavailable) as error:
        raise Trouble(str(error)) from error
    except KeyboardInterrupt as interrupt:
        console.print("\nStopped.")
        if once:  # the story was not told to its end
            caught = signal.SIGTERM if isinstance(interrupt, _Terminated) else signal.SIGINT
            raise typer.Exit(128 + caught) from interrupt


class _Terminated(KeyboardInterrupt):
    """SIGTERM, which stops the demo as Ctrl-C does."""


def _terminate(_number: int, _frame: FrameType | None) -> None:
    raise _Terminated


def _start(made: Demo, supervisor: Supervisor, console: Console) -> None:
    register = Register(made.database)
    try:
        register.migrate()
    finally:
        register.close()
    for child in made.children():
        with console.status(f"Starting the {child.name} …"):
            supervisor.start(child)
    console.print(Text.assemble(("Commissary is up", "bold green"), f" at {made.url}"))
    console.print(plain(f"Its data is in {made.data}"), soft_wrap=True)


def _tell(made: Demo, supervisor: Supervisor, console: Console) -> str:
    directory = LdapDirectory(made.ldap())
    try:
        story.tell(made.url, directory, supervisor, console)
        return second_act.tell(made.url, directory, supervisor, console)
    finally:
        directory.close()


def _say_what_next(made: Demo, told: str, console: Console) -> None:
    """Show what a newcomer can try; `told` is the number of the story's request, the last one so far."""
    following = f"REQ-{int(told.removeprefix('REQ-')) + 1}"
    console.print()
    console.rule("[bold]Try next, in another terminal[/]", align="left")
    facts = {
        "API": f"{made.url}/",
        "its description": f"{made.url}/openapi.json",
        "its health": f"{made.url}/readyz",
        "workflow engine": f"http://{HOST}:{made.ports.engine_ui}/",
        "your own items": made.items,
        "mail to people": made.data / "mail",
        "directory": f"ldap://{HOST}:{made.ports.ldap}/{SUFFIX}",
        **PEOPLE,
        "password": f"{story.PASSWORD} (everybody's)",
    }
    for name, fact in facts.items():
        # soft_wrap: a long path stays in one piece, to be copied
        console.print(plain(f"{name}:").append(" " * (17 - len(name))).append_text(plain(fact)), soft_wrap=True)
    at = "" if made.ports.api == 8000 else f"export COMMISSARY_URL={made.url}\n"  # noqa: PLR2004  the client's default
    commands = f"""
{at}source .venv/bin/activate
commissary login hana.suzuki
commissary catalog list
commissary request order finance-reports -a purpose="Budget 2027" \\
  -a personnel_costs=no -a contact=greta.holm
commissary request show {following} --follow
commissary login mara.lind && commissary task list
commissary task decide {following}.1 approve
"""
    console.print(Text(commands))
    console.print("Ctrl-C stops everything; the data stays for the next run.\n--reset starts over.", style="dim")
