from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
import uvicorn
from support.api_world import ApiWorld
from support.builders import a_person
from support.ports import free_port
from support.terminal import Commissary, Said, exit_code, office_kit, without_settings
from support.waiting import eventually

from catalog.people import Actor
from cli import client
from records.register import Register


@pytest.fixture
def world(empty_register: Path, tmp_path: Path) -> Iterator[ApiWorld]:
    """The API, serving; where it does is in ``world.http.base_url``."""
    path = shutil.copy(empty_register, tmp_path / "register.db")
    with closing(Register(f"sqlite:///{path}")) as register:
        world = ApiWorld(register)
        world.shelve(office_kit())
        port = free_port()
        world.http.base_url = f"http://127.0.0.1:{port}"
        server = uvicorn.Server(uvicorn.Config(world.app, host="127.0.0.1", port=port, log_config=None))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            eventually(lambda: server.started)
            yield world
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def commissary(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Commissary:
    """Run a command as a person."""
    without_settings(monkeypatch)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COMMISSARY_URL", str(world.http.base_url))
    monkeypatch.setenv("COLUMNS", "1000")

    opened: list[httpx.Client] = []
    connect = client._http

    def kept(url: str, headers: dict[str, str]) -> httpx.Client:
        opened.append(connect(url, headers))
        return opened[-1]

    # A process closes its connections by ending; these have to be closed.
    monkeypatch.setattr(client, "_http", kept)

    def it(who: str, *arguments: str) -> Said:
        actor = Actor(person=a_person(who).ref(), operator=who.startswith("Otto"))
        monkeypatch.setenv("COMMISSARY_TOKEN", world.parts.tokens.issue(actor).text)
        code = exit_code(monkeypatch, *arguments)
        while opened:
            opened.pop().close()
        said = capsys.readouterr()
        return Said(code, " ".join((said.out + said.err).split()))

    return it
