"""The API as the commands see it: a signed-in session, answers as plain JSON, and problems as `Trouble`.

Tokens are kept per server and person in ``$XDG_STATE_HOME/commissary/sessions.json``, readable by its owner only.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import typer
from rich.text import Text

from catalog.text import one_line

DEFAULT_URL = "http://127.0.0.1:8000"
TIMEOUT = 30.0

Url = Annotated[
    str, typer.Option("--url", envvar="COMMISSARY_URL", help="Address of the API.", rich_help_panel="Connection")
]
As = Annotated[
    str | None,
    typer.Option("--as", envvar="COMMISSARY_AS", help="Act as this login; the last one signed in if not given.",
                 rich_help_panel="Connection"),
]  # fmt: skip
AsJson = Annotated[bool, typer.Option("--json", help="Print plain JSON for scripts.")]


def at(*parts: str) -> str:
    """Return the path of the API made of these parts; what the user typed stays one part, whatever is in it."""
    return "".join(f"/{quote(part, safe='')}" for part in parts)


class Trouble(Exception):
    """Something the user has to know; `details` are further lines, `exit_code` is how the process ends."""

    exit_code = 1

    def __init__(self, message: str, details: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.details = details

    def text(self) -> Text:
        """Return the message for the terminal, a line for each detail."""
        return Text("\n".join([one_line(str(self)), *(f"  • {one_line(line)}" for line in self.details)]))


class Sessions:
    """The tokens on this machine, by server and login."""

    def __init__(self) -> None:
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        self._path = Path(state) / "commissary" / "sessions.json"

    def token(self, url: str, login: str | None) -> str:
        """Return the token to use.

        Raises:
            Trouble: nobody of that name is signed in there.
        """
        there = self._read().get(url, {})
        name = login or there.get("last")
        token = there.get("tokens", {}).get(name)
        if not token:
            raise Trouble(f"Nobody is signed in at {url}{f' as {login}' if login else ''}: commissary login LOGIN")
        return str(token)

    def keep(self, url: str, login: str, token: str) -> None:
        """Keep a token; it becomes the one that is used."""
        sessions = self._read()
        there = sessions.setdefault(url, {"tokens": {}})
        there["tokens"][login], there["last"] = token, login
        self._write(sessions)

    def forget(self, url: str) -> None:
        """Forget all tokens for a server."""
        sessions = self._read()
        sessions.pop(url, None)
        self._write(sessions)

    def _read(self) -> dict[str, Any]:
        try:
            sessions = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise Trouble(f"{self._path} is damaged; delete it and sign in again") from error
        return sessions if isinstance(sessions, dict) else {}

    def _write(self, sessions: dict[str, Any]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = self._path.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(sessions, file, indent=1)
        draft.replace(self._path)


class Client:
    """Calls the API; every answer is plain JSON, every problem a `Trouble`."""

    def __init__(self, url: str, login: str | None = None, *, token: str | None = None) -> None:
        """Sign calls with `token`, else with the kept token of `login`; call `anonymous` for neither."""
        token = token or os.environ.get("COMMISSARY_TOKEN") or Sessions().token(url.rstrip("/"), login)
        self._http = _http(url, {"Authorization": f"Bearer {token}"})

    @classmethod
    def sign_in(cls, url: str, login: str, password: str) -> dict[str, Any]:
        """Return a new session of the API."""
        return _call(_http(url, {}), "POST", "/session", json={"login": login, "password": password})

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Return what stands there."""
        return _call(self._http, "GET", path, params={k: v for k, v in query.items() if v is not None})

    def post(self, path: str, body: dict[str, Any], key: str | None = None) -> dict[str, Any]:
        """Send a command; `key` makes a repeat safe and is made up if not given."""
        return _call(self._http, "POST", path, json=body, headers={"Idempotency-Key": key or str(uuid.uuid4())})

    def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Put this in the place of what stands there."""
        return _call(self._http, "PUT", path, json=body)

    def upload(self, name: str, content: bytes, media_type: str) -> dict[str, Any]:
        """Hand a file in."""
        headers = {"Content-Type": media_type, "X-File-Name": quote(name, safe="")}
        return _call(self._http, "POST", "/files", content=content, headers=headers)

    def delete(self, path: str) -> None:
        """Delete what stands there."""
        _call(self._http, "DELETE", path)

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Yield every item of a list, part by part."""
        cursor: int | None = None
        while True:
            page = self.get(path, cursor=cursor, **query)
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return


def _http(url: str, headers: dict[str, str]) -> httpx.Client:
    agent = {"User-Agent": f"commissary-cli/{version('commissary')}"}
    # A proxy is for the world outside; the API is named by the user.
    try:
        return httpx.Client(base_url=url.rstrip("/") + "/api/v1", headers=headers | agent, timeout=TIMEOUT)
    except httpx.InvalidURL as error:
        raise Trouble(f"{url} is no address ({error}); see --url, COMMISSARY_URL") from error


def _call(http: httpx.Client, method: str, path: str, **options: Any) -> dict[str, Any]:
    try:
        response = http.request(method, path, **options)
    except httpx.RequestError as error:
        where = str(http.base_url).removesuffix("/api/v1/")
        raise Trouble(f"{where} does not answer ({error}). Is it the right address (--url, COMMISSARY_URL)?") from error
    body = {} if response.status_code == httpx.codes.NO_CONTENT else _json(response)
    if not response.is_success:
        raise _problem(response, body)
    return body if isinstance(body, dict) else {"items": body, "next": None}


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError as error:
        what = f"The server answered {response.status_code} and no JSON; is this the address of the API?"
        raise Trouble(what) from error


def _problem(response: httpx.Response, problem: Any) -> Trouble:
    """Return a problem (RFC 9457) as the user reads it."""
    if not isinstance(problem, dict):
        return Trouble(f"The server answered {response.status_code} and no more; is this the address of the API?")
    details = tuple(f"{error['field']}: {error['message']}" for error in problem.get("errors", ()))
    message = problem.get("detail") or problem.get("title") or f"The server answered {response.status_code}."
    wait = response.headers.get("Retry-After")
    return Trouble(f"{message} Try again in {wait} s." if wait else message, details)
