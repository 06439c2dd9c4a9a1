"""A whole installation as separate processes on this machine: engine, slapd, mail sink, worker, API.

Each can be killed with -9 and started again on the same data and ports, at any moment.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import httpx
from cryptography.fernet import Fernet
from support.ports import free_port
from support.slapd import GROUPS, PEOPLE, PLACEHOLDER, SERVICE, SERVICE_PASSWORD, Slapd
from support.temporal import temporal_binary
from support.waiting import eventually

from records.register import Register

Name = Literal["engine", "slapd", "worker", "api", "mail"]
PATIENCE = 120.0


class Stack:
    """Made in an empty folder; `start` and `kill` take the name of a process."""

    def __init__(self, home: Path, slapd: Slapd, database: str = "", catalog: Path | None = None) -> None:
        self.home, self.slapd = home, slapd
        self.engine_port, self.api_port, self.mail_port = free_port(), free_port(), free_port()
        self.database = database or f"sqlite:///{home / 'register.db'}"
        self.url = f"http://127.0.0.1:{self.api_port}"
        self.mails = home / "mail"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = {
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            "COMMISSARY_DATABASE_URL": self.database,
            "COMMISSARY_TEMPORAL_ADDRESS": f"127.0.0.1:{self.engine_port}",
            "COMMISSARY_PORT": str(self.api_port),
            "COMMISSARY_PUBLIC_URL": self.url,
            "COMMISSARY_SECRET": secrets.token_urlsafe(48),
            "COMMISSARY_SECRETS_KEYS": Fernet.generate_key().decode(),
            "COMMISSARY_SMTP_HOST": "127.0.0.1",
            "COMMISSARY_SMTP_PORT": str(self.mail_port),
            "COMMISSARY_SMTP_SECURITY": "none",
            "COMMISSARY_SMTP_SENDER": "commissary@example.test",
            "COMMISSARY_LDAP_URLS": slapd.ldaps_url,
            "COMMISSARY_LDAP_BIND_DN": SERVICE,
            "COMMISSARY_LDAP_BIND_PASSWORD": SERVICE_PASSWORD,
            "COMMISSARY_LDAP_CA_FILE": str(slapd.ca_file),
            "COMMISSARY_LDAP_PEOPLE_BASE": PEOPLE,
            "COMMISSARY_LDAP_GROUPS_BASE": GROUPS,
            "COMMISSARY_LDAP_PLACEHOLDER_MEMBER": PLACEHOLDER,
            "COMMISSARY_LDAP_RECEIVE_TIMEOUT": "2",
            **({"COMMISSARY_CATALOG": str(catalog)} if catalog else {}),
        }

    def up(self, *names: Name) -> None:
        """Start these, or everything, and wait until it is ready."""
        register = Register(self.database)
        register.migrate()
        register.close()
        for name in names or ("engine", "mail", "worker", "api"):
            self.start(name)
        if not names:
            self.ready()

    def start(self, name: Name) -> None:
        """Start a process and wait until it listens; a worker listens to nobody."""
        if name == "slapd":
            self.slapd.start()
            return
        with (self.home / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                self._command(name), env=self.environment, stdout=log, stderr=log, cwd=self.home
            )
        port = {"engine": self.engine_port, "api": self.api_port, "mail": self.mail_port}.get(name)
        if port:
            eventually(lambda: self._listens(name, port), timeout=PATIENCE)

    def kill(self, name: Name, number: signal.Signals = signal.SIGKILL) -> None:
        """End a process, with -9 if not told otherwise."""
        if name == "slapd":
            self.slapd.kill()
            return
        process = self._processes.pop(name)
        assert process.poll() is None, f"{name} died by itself: {self.words(name)}"
        process.send_signal(number)
        process.wait(30)

    def down(self) -> None:
        """End everything."""
        for name in list(self._processes):
            process = self._processes.pop(name)
            process.kill()
            process.wait(30)

    def ready(self) -> None:
        """Wait until the installation says that everything serves."""
        eventually(self._get_ready, timeout=PATIENCE)

    def words(self, name: str) -> str:
        """Return the end of a process's log."""
        return (self.home / f"{name}.log").read_text(errors="replace")[-2000:]

    def _command(self, name: Name) -> list[str]:
        python, here = sys.executable, str(Path(__file__).resolve().parents[2])
        self.environment["PYTHONPATH"] = here
        match name:
            case "engine":
                database = str(self.home / "temporal.db")
                return [temporal_binary(), "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port",
                        str(self.engine_port), "--db-filename", database, "--log-level", "error"]  # fmt: skip
            case "mail":
                return [python, "-m", "cli.demo.mail_sink", "--port", str(self.mail_port), "--data", str(self.mails)]
            case _:
                return [python, "-m", "cli.main", name]

    def _listens(self, name: str, port: int) -> bool:
        process = self._processes[name]
        assert process.poll() is None, f"{name} did not start: {self.words(name)}"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return False
        assert process.poll() is None, f"{name} ended, somebody else listens on {port}: {self.words(name)}"
        return True

    def _get_ready(self) -> bool:
        try:
            response = httpx.get(f"{self.url}/readyz", timeout=10)
        except httpx.TransportError:
            return False
        assert response.status_code == 200, response.text
        return True


class Person:
    """Somebody at a browser who does not give up: tries again on 503 and on broken connections, with the same key."""

    def __init__(self, stack: Stack, login: str) -> None:
        self.stack, self.login = stack, login
        self._token = ""

    async def sign_in(self, http: httpx.AsyncClient) -> None:
        body = {"login": self.login, "password": f"pass-{self.login}"}
        response = await self._patiently(lambda: http.post(f"{self.stack.url}/api/v1/session", json=body))
        assert response.status_code == 201, response.text
        self._token = response.json()["token"]

    async def get(self, http: httpx.AsyncClient, path: str) -> dict[str, Any]:
        response = await self._patiently(lambda: http.get(f"{self.stack.url}/api/v1{path}", headers=self._headers()))
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    async def post(
        self, http: httpx.AsyncClient, path: str, body: dict[str, Any], key: str = "", *, patient: bool = True
    ) -> httpx.Response:
        headers = self._headers() | {"Idempotency-Key": key or str(uuid.uuid4())}

        def call() -> Any:
            return http.post(f"{self.stack.url}/api/v1{path}", json=body, headers=headers)

        return await (self._patiently(call) if patient else call())

    async def order(self, http: httpx.AsyncClient, item: str = "vpn", **more: Any) -> str:
        response = await self.post(http, "/requests", {"item": item, "answers": {"why": "for work"}, **more})
        assert response.status_code == 201, response.text
        number: str = response.json()["number"]
        return number

    async def sees(
        self, http: httpx.AsyncClient, number: str, check: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        """Look at a request until it has come that far."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            request = await self.get(http, f"/requests/{number}")
            if check(request):
                return request
            assert asyncio.get_running_loop().time() < deadline, f"{number} came only to {request}"
            await asyncio.sleep(0.1)  # polls, as a browser does

    async def journal(self, http: httpx.AsyncClient, number: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = (await self.get(http, f"/requests/{number}/journal"))["items"]
        return entries

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    async def _patiently(self, call: Callable[[], Any]) -> httpx.Response:
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while True:
            try:
                response: httpx.Response = await call()
            except httpx.TransportError as error:
                trouble = repr(error)
            else:
                if response.status_code != 503:
                    return response
                assert "Retry-After" in response.headers, response.text
                trouble = response.text
            assert asyncio.get_running_loop().time() < deadline, f"{self.login} gives up: {trouble}"
            await asyncio.sleep(0.1)  # the wait before trying again
