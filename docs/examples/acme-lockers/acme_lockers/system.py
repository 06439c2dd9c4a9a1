"""The connector: Acme's locker system over its HTTP API.

It raises only connector errors, which tell the platform what may be tried again and what somebody has to see to. Of
requests and workflows it knows nothing.
"""

from __future__ import annotations

from urllib.parse import quote

import httpx
from pydantic import PositiveFloat, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from activities.errors import Conflict, NotFound, Rejected, Transient, UnknownOutcome
from activities.lease import may_write
from catalog.model import Model

_NOT_FOUND, _CONFLICT, _TOO_MANY, _SERVER = 404, 409, 429, 500


class LockerSettings(BaseSettings):
    """How the locker system is reached, from the environment (prefix ``ACME_LOCKERS_``); `timeout` is in seconds."""

    model_config = SettingsConfigDict(env_prefix="ACME_LOCKERS_", extra="ignore", hide_input_in_errors=True)

    url: str
    token: SecretStr
    timeout: PositiveFloat = 10


class Area(Model):
    """A place with lockers, and how many of them are free."""

    name: str
    lockers: int
    free: int


class LockerSystem:
    """The locker system; safe to use from several threads."""

    def __init__(self, settings: LockerSettings) -> None:
        """Open nothing yet."""
        headers = {"Authorization": f"Bearer {settings.token.get_secret_value()}"}
        self._http = httpx.Client(base_url=settings.url, headers=headers, timeout=settings.timeout, trust_env=False)

    @property
    def host(self) -> str:
        """Who answers."""
        return self._http.base_url.host

    def close(self) -> None:
        """Close the idle connections."""
        self._http.close()

    def areas(self) -> tuple[Area, ...]:
        """Return all areas."""
        return tuple(Area.model_validate(one) for one in self._ask("GET", "/areas").json())

    def area(self, name: str) -> Area:
        """Return an area.

        Raises:
            NotFound: there is none of that name.
        """
        return Area.model_validate(self._ask("GET", f"/areas/{quote(name, safe='')}").json())

    def locker_of(self, area: str, holder: str) -> str | None:
        """Return the number of the locker that somebody has in an area, if they have one.

        Raises:
            NotFound: there is no such area.
        """
        number: str | None = self._ask("GET", _path(area, holder)).json()["number"]
        return number

    def assign(self, area: str, holder: str) -> None:
        """Assign a free locker, unless they have one there.

        Raises:
            NotFound: there is no such area.
            Conflict: none is free.
        """
        self._ask("PUT", _path(area, holder))

    def release(self, area: str, holder: str) -> None:
        """Take somebody's locker back, if they have one there."""
        self._ask("DELETE", _path(area, holder))

    def _ask(self, method: str, path: str) -> httpx.Response:
        looks = method == "GET"
        if not looks:
            may_write()
        try:
            answer = self._http.request(method, path)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Transient(f"the locker system cannot be reached: {error}") from error
        except httpx.TransportError as error:
            lost = Transient if looks else UnknownOutcome
            raise lost(f"the locker system did not answer: {error}") from error
        said = f"the locker system answered {answer.status_code}: {answer.text[:200]}"
        match answer.status_code:
            case code if answer.is_success:
                return answer
            case code if code == _NOT_FOUND:
                raise NotFound(said)
            case code if code == _CONFLICT:
                raise Conflict(said)
            case code if code == _TOO_MANY:
                raise Transient(said)
            case code if code >= _SERVER:
                raise (Transient if looks else UnknownOutcome)(said)
            case _:
                raise Rejected(said)


def _path(area: str, holder: str) -> str:
    return f"/areas/{quote(area, safe='')}/holders/{quote(holder, safe='')}"
