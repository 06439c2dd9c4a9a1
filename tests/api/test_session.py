from __future__ import annotations

from datetime import timedelta

import httpx
import jwt
import pytest
from support.api_world import OPERATORS, PASSWORD, SECRET, ApiWorld, expect_problem
from support.builders import NOON, an_actor

from activities.errors import Transient
from api.auth import SignInLimit, Tokens
from api.problems import TooManySignIns, Unauthenticated


async def test_sign_in_answers_with_a_token_and_says_who_one_is(world: ApiWorld) -> None:
    answer = await world.http.post("/api/v1/session", json={"login": "ada", "password": PASSWORD})
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["person"] == {"id": "id-ada", "login": "ada", "name": "Ada Byron"}
    assert body["operator"] is False
    assert body["expires_at"] == "2025-03-03T13:00:00Z"
    claims = jwt.decode(body["token"], SECRET, ["HS256"], audience="commissary-api", options={"verify_exp": False})
    assert claims["sub"] == "id-ada"
    assert claims["exp"] - claims["iat"] == 3600


async def test_members_of_the_operators_group_are_operators(world: ApiWorld) -> None:
    answer = await world.http.post("/api/v1/session", json={"login": "otto", "password": PASSWORD})
    assert answer.json()["operator"] is True


@pytest.mark.parametrize(
    ("login", "password"), [("ada", "wrong"), ("nobody", PASSWORD), ("ines", PASSWORD), ("ada", ""), ("*", "*")]
)
async def test_wrong_credentials_never_say_what_was_wrong(world: ApiWorld, login: str, password: str) -> None:
    answer = await world.http.post("/api/v1/session", json={"login": login, "password": password})
    body = expect_problem(answer, 401, "wrong-credentials")
    assert body["detail"] == "The login or the password is wrong, or the account is not active."
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_sign_in_while_the_directory_is_down_asks_to_try_again(world: ApiWorld) -> None:
    world.directory.fail_next(Transient("connection refused"))
    answer = await world.http.post("/api/v1/session", json={"login": "ada", "password": PASSWORD})
    expect_problem(answer, 503, "directory-unavailable")
    assert int(answer.headers["retry-after"]) > 0


async def test_after_ten_failures_a_login_waits_even_with_the_right_password(world: ApiWorld) -> None:
    for _ in range(10):
        wrong = await world.http.post("/api/v1/session", json={"login": "ada", "password": "wrong"})
        assert wrong.status_code == 401
    locked = await world.http.post("/api/v1/session", json={"login": "ADA", "password": PASSWORD})
    expect_problem(locked, 429, "too-many-sign-ins")
    assert int(locked.headers["retry-after"]) == 300
    other = await world.http.post("/api/v1/session", json={"login": "ben", "password": PASSWORD})
    assert other.status_code == 201
    world.clock.passes(timedelta(minutes=5))
    again = await world.http.post("/api/v1/session", json={"login": "ada", "password": PASSWORD})
    assert again.status_code == 201


def test_a_success_forgets_the_failures_before_it() -> None:
    limit = SignInLimit(lambda: NOON, most=2)
    limit.failed("ada")
    limit.succeeded("ada")
    limit.failed("ada")
    limit.check("ada")
    limit.failed("Ada")
    with pytest.raises(TooManySignIns):
        limit.check("ada")


def test_the_memory_of_failures_is_bounded() -> None:
    limit = SignInLimit(lambda: NOON)
    for number in range(limit.MAX_LOGINS + 50):
        limit.failed(f"login-{number}")
    assert len(limit._failures) == limit.MAX_LOGINS


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YWRhOnB3", "Bearer not.a.token", "Bearer ÿ"])
async def test_without_a_good_token_nothing_is_shown(world: ApiWorld, header: str | None) -> None:
    headers = httpx.Headers({} if header is None else {"Authorization": header}, encoding="latin-1")
    answer = await world.http.get("/api/v1/requests", headers=headers)
    expect_problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_an_expired_token_is_not_believed(world: ApiWorld) -> None:
    assert (await world.get("ada", "/requests")).status_code == 200
    world.clock.passes(timedelta(minutes=60))
    expect_problem(await world.get("ada", "/requests"), 401, "unauthenticated")


@pytest.mark.parametrize(
    ("changes", "key", "algorithm"),
    [
        ({}, "another-secret-of-the-right-length-0123456", "HS256"),
        ({"aud": "elsewhere"}, SECRET, "HS256"),
        ({"iss": "elsewhere"}, SECRET, "HS256"),
        ({"sub": None}, SECRET, "HS256"),
        ({}, SECRET + SECRET, "HS512"),
        ({}, "", "none"),
    ],
)
def test_a_token_made_elsewhere_is_not_believed(changes: dict[str, str], key: str, algorithm: str) -> None:
    tokens = Tokens(SECRET, timedelta(hours=1), lambda: NOON)
    claims = jwt.decode(tokens.issue(an_actor()).text, options={"verify_signature": False})
    forged = {name: value for name, value in (claims | changes).items() if value is not None}
    with pytest.raises(Unauthenticated):
        tokens.read(jwt.encode(forged, key, algorithm=algorithm), "api")


def test_a_token_brings_back_the_actor_as_signed_in() -> None:
    tokens = Tokens(SECRET, timedelta(hours=1), lambda: NOON)
    for actor in (an_actor(), an_actor("Otto Operator", operator=True)):
        assert tokens.read(tokens.issue(actor).text, "api") == actor


async def test_a_command_line_is_known_by_its_name(world: ApiWorld) -> None:
    headers = {"User-Agent": "commissary-cli/0.1", "Idempotency-Key": "k"}
    body = {"item": "wiki-admin"}
    answer = await world.send("ada", "POST", "/requests", json=body, headers=headers)
    view = world.register.request(answer.json()["number"])
    assert view
    assert (view.order.channel, view.order.auth) == ("cli", "password")


async def test_the_name_of_the_operators_group_comes_from_the_settings(world: ApiWorld) -> None:
    assert world.parts.operators_group == OPERATORS
    world.parts.operators_group = "others"
    answer = await world.http.post("/api/v1/session", json={"login": "otto", "password": PASSWORD})
    assert answer.json()["operator"] is False


@pytest.mark.parametrize("spelt", [" mara", "mara ", "MARA", "\uff4dara"])
async def test_another_spelling_of_a_login_is_no_new_chance_to_guess(world: ApiWorld, spelt: str) -> None:
    for _ in range(10):
        await world.http.post("/api/v1/session", json={"login": spelt, "password": "wrong"})
    answer = await world.http.post("/api/v1/session", json={"login": "mara", "password": "wrong"})
    expect_problem(answer, 429, "too-many-sign-ins")
