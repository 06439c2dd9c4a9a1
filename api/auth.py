"""Who is asking: passwords are checked by the directory, and a short-lived signed token says it afterwards.

A token (HS256, RFC 7519) holds what goes on record of a person and whether they are an operator, as of their
sign-in; it is believed until it expires, so a disabled account keeps its token for at most that long. What the
person may do is decided in `catalog.rights`.
"""

from __future__ import annotations

import math
import unicodedata
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, Literal

import jwt

from activities.ports import Directory
from api.problems import TooManySignIns, Unauthenticated, WrongCredentials
from catalog.model import Model
from catalog.people import Actor, Person, PersonRef

ISSUER = "commissary"
AUDIENCE = "commissary-api"
_ALGORITHM = "HS256"

Clock = Callable[[], datetime]


class Token(Model):
    """A signed token and when it expires."""

    text: str
    expires_at: datetime


class Tokens:
    """Makes and reads tokens."""

    def __init__(self, secret: str, lifetime: timedelta, clock: Clock) -> None:
        self._secret, self._lifetime, self._clock = secret, lifetime, clock

    def issue(self, actor: Actor) -> Token:
        """Return a token for the actor."""
        now = self._clock()
        expires_at = (now + self._lifetime).replace(microsecond=0)
        person = actor.person
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": person.id,
            "login": person.login,
            "name": person.name,
            "mail": person.mail,
            "operator": actor.operator,
            "auth": actor.auth,
            "iat": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
        }
        return Token(text=jwt.encode(claims, self._secret, algorithm=_ALGORITHM), expires_at=expires_at)

    def read(self, text: str, channel: Literal["api", "cli"]) -> Actor:
        """Return who the token speaks for.

        Raises:
            Unauthenticated: it was not made here, or it has expired.
        """
        try:
            claims: dict[str, Any] = jwt.decode(
                text,
                self._secret,
                algorithms=[_ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                # Time is checked below, by our own clock.
                options={
                    "require": ["exp", "sub", "login", "name", "operator", "auth"],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidTokenError as error:
            raise Unauthenticated("The token is not valid; sign in again.") from error
        if datetime.fromtimestamp(claims["exp"], UTC) <= self._clock():
            raise Unauthenticated("The token has expired; sign in again.")
        person = PersonRef(id=claims["sub"], login=claims["login"], name=claims["name"], mail=claims.get("mail"))
        return Actor(person=person, operator=claims["operator"], channel=channel, auth=claims["auth"])


def _spelt(login: str) -> str:
    """Return what all spellings of a login have in common that a directory takes for the same (RFC 4518)."""
    return " ".join(unicodedata.normalize("NFKC", login).casefold().split())


class SignInLimit:
    """Slows down guessing: after `most` failures within `window` a login has to wait, whatever the password.

    Counted per process and in memory, so N processes allow N times as many and a restart forgets. The directory's
    own lock-out policy stands behind it.
    """

    MAX_LOGINS = 10_000

    def __init__(self, clock: Clock, *, most: int = 10, window: timedelta = timedelta(minutes=5)) -> None:
        self._clock, self._most, self._window = clock, most, window
        self._failures: dict[str, deque[datetime]] = {}
        self._lock = Lock()

    def check(self, login: str) -> None:
        """Return if the login may try.

        Raises:
            TooManySignIns: it has to wait; the problem says how long.
        """
        now = self._clock()
        with self._lock:
            failures = self._recent(_spelt(login), now)
            if len(failures) < self._most:
                return
            wait = math.ceil((failures[0] + self._window - now).total_seconds())
        raise TooManySignIns(
            f"Too many failed attempts with this login; try again in {wait} seconds.",
            headers={"Retry-After": str(wait)},
        )

    def failed(self, login: str) -> None:
        """Count a failure."""
        now = self._clock()
        with self._lock:
            if len(self._failures) >= self.MAX_LOGINS:
                self._forget_old(now)
            failures = self._recent(_spelt(login), now)
            failures.append(now)
            self._failures[_spelt(login)] = failures

    def succeeded(self, login: str) -> None:
        """Forget the failures of a login."""
        with self._lock:
            self._failures.pop(_spelt(login), None)

    def _recent(self, key: str, now: datetime) -> deque[datetime]:
        failures = self._failures.get(key, deque(maxlen=self._most))
        while failures and failures[0] + self._window <= now:
            failures.popleft()
        return failures

    def _forget_old(self, now: datetime) -> None:
        """Drop logins whose failures are too old to count, and the oldest one if that frees nothing."""
        for key in [key for key in self._failures if not self._recent(key, now)]:
            del self._failures[key]
        if len(self._failures) >= self.MAX_LOGINS:
            del self._failures[next(iter(self._failures))]


def sign_in(directory: Directory, limit: SignInLimit, operators_group: str, login: str, password: str) -> Actor:
    """Return the actor, with the operator's role if they are in the operators' group.

    Raises:
        WrongCredentials: unknown login, wrong password or inactive account.
        TooManySignIns: this login has to wait.
        ConnectorError: the directory does not answer.
    """
    limit.check(login)
    person: Person | None = directory.authenticate(login, password)
    if person is None:
        limit.failed(login)
        raise WrongCredentials("The login or the password is wrong, or the account is not active.")
    limit.succeeded(login)
    operator = operators_group in directory.groups_of(person.id)
    return Actor(person=person.ref(), operator=operator)
