from __future__ import annotations

import logging
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import ValidationError
from support.api_world import ApiWorld, expect_problem
from support.builders import NOON, a_new_order
from support.story import Story

from activities.connectors.sealed import NoKeys, SealedSecrets, SealedSettings
from activities.errors import NotFound, Rejected, Transient
from catalog.journal import Kind
from catalog.request import Status
from records.register import RegisterUnavailable

VALUE = "hunter2-Größe\n-----END KEY-----"
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


async def test_a_secret_is_handed_in_and_only_its_reference_comes_back(world: ApiWorld) -> None:
    answer = await world.post("ada", "/secrets", {"value": VALUE})
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    ref = answer.json()["secret"]
    assert list(answer.json()) == ["secret"]
    assert world.parts.secrets.reveal(ref) == VALUE


async def test_the_register_never_holds_the_value(world: ApiWorld) -> None:
    ref = (await world.post("ada", "/secrets", {"value": VALUE})).json()["secret"]
    kept = world.register.secret(ref)
    assert kept
    assert VALUE.encode() not in kept


async def test_fifty_secrets_may_wait_for_an_order_and_no_more(world: ApiWorld) -> None:
    for _ in range(50):
        world.parts.secrets.seal("id-ada", VALUE, NOON)
    expect_problem(await world.post("ada", "/secrets", {"value": VALUE}), 409, "too-many-secrets")
    assert (await world.post("ben", "/secrets", {"value": VALUE})).status_code == 201


@pytest.mark.parametrize("value", ["", "x" * 4_001, "hunter2\x00", ["hunter2"], {"x": "hunter2"}, 7, None])
async def test_an_odd_value_is_refused_and_not_repeated(
    world: ApiWorld, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = await world.post("ada", "/secrets", {"value": value})
    expect_problem(answer, 422, "invalid")
    assert "hunter2" not in answer.text + caplog.text


async def test_the_value_is_in_no_log(world: ApiWorld, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await world.post("ada", "/secrets", {"value": "hunter2"})
    assert "hunter2" not in caplog.text


async def test_an_error_of_the_platform_does_not_tell_the_value(
    world: ApiWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> str:
        raise ValueError("odd")

    await world.token("ada")
    monkeypatch.setattr(world.register, "keep_secret", broken)
    answer = await world.post("ada", "/secrets", {"value": "hunter2"})
    expect_problem(answer, 500, "internal")
    assert "hunter2" not in answer.text + caplog.text


async def test_without_a_key_no_secrets_are_taken_and_the_setting_is_named(world: ApiWorld) -> None:
    world.parts.secrets = SealedSecrets(world.register, ())
    answer = await world.post("ada", "/secrets", {"value": VALUE})
    assert "COMMISSARY_SECRETS_KEYS" in expect_problem(answer, 503, "secrets-unavailable")["detail"]


async def test_with_the_database_down_no_secret_is_taken(world: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: object) -> str:
        raise RegisterUnavailable("gone")

    await world.token("ada")
    monkeypatch.setattr(world.register, "keep_secret", down)
    expect_problem(await world.post("ada", "/secrets", {"value": VALUE}), 503, "register-unavailable")


def test_a_secret_is_gone_once_its_request_is_closed(resting: ApiWorld) -> None:
    secrets, register = resting.parts.secrets, resting.register
    ref = secrets.seal("id-ada", VALUE, NOON)
    number = register.take(a_new_order(secrets=(ref,))).order.number
    story = Story(number)
    register.record(story.batch(Kind.OPENED))
    assert secrets.reveal(ref) == VALUE
    register.record(story.batch(Kind.CLOSED, status=Status.CLOSED))
    with pytest.raises(NotFound, match="forgotten when its request closed"):
        secrets.reveal(ref)


# The keys.


def test_a_rotated_key_still_reads_what_it_wrote_and_the_first_one_writes(resting: ApiWorld) -> None:
    register = resting.register
    old = SealedSecrets(register, [OLD]).seal("id-ada", VALUE, NOON)
    both = SealedSecrets(register, [NEW, OLD])
    assert both.reveal(old) == VALUE
    assert SealedSecrets(register, [NEW]).reveal(both.seal("id-ada", VALUE, NOON)) == VALUE


def test_a_secret_whose_key_is_gone_is_a_matter_for_the_operators(resting: ApiWorld) -> None:
    ref = SealedSecrets(resting.register, [OLD]).seal("id-ada", VALUE, NOON)
    with pytest.raises(Rejected, match="COMMISSARY_SECRETS_KEYS"):
        SealedSecrets(resting.register, [NEW]).reveal(ref)
    with pytest.raises(NoKeys, match="COMMISSARY_SECRETS_KEYS"):
        SealedSecrets(resting.register, ()).reveal(ref)


def test_a_register_that_is_away_may_be_asked_again(resting: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(_ref: str) -> bytes:
        raise RegisterUnavailable("gone")

    monkeypatch.setattr(resting.register, "secret", down)
    with pytest.raises(Transient):
        resting.parts.secrets.reveal("secret:x")


def test_keys_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting, keys in (("", ()), (OLD, (OLD,)), (f" {NEW} , {OLD},", (NEW, OLD))):
        monkeypatch.setenv("COMMISSARY_SECRETS_KEYS", setting)
        assert SealedSettings().each() == keys


def test_a_key_that_is_none_is_told_by_its_place_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMISSARY_SECRETS_KEYS", f"{OLD},not-a-key")
    with pytest.raises(ValidationError, match="key 2 is no Fernet key") as error:
        SealedSettings()
    assert "not-a-key" not in str(error.value)
