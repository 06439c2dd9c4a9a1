from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr, ValidationError
from support.ports import free_port
from support.waiting import eventually

from api.settings import Settings
from api.wiring import SHIPPED_ITEMS, build
from catalog.loader import CatalogError

GOOD = "Zq8-pV3_kT6wXy1nB5mC7dF9gH2jL4sR0aE"
LDAP = {
    "COMMISSARY_LDAP_URLS": "ldap://127.0.0.1:1",
    "COMMISSARY_LDAP_SECURITY": "none",
    "COMMISSARY_LDAP_BIND_DN": "cn=service,dc=example",
    "COMMISSARY_LDAP_BIND_PASSWORD": "service-password",
    "COMMISSARY_LDAP_PEOPLE_BASE": "ou=people,dc=example",
    "COMMISSARY_LDAP_GROUPS_BASE": "ou=groups,dc=example",
}


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "short",
        "x" * 64,
        "changeme" * 8,
        "my-secret-my-secret-0123456789-abcdef",
        "Password-0123456789-abcdefghijkl",
    ],
)
def test_a_secret_that_can_be_guessed_is_refused(secret: str) -> None:
    with pytest.raises(ValidationError, match="make one with"):
        Settings(secret=SecretStr(secret))


def test_a_secret_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMMISSARY_SECRET", raising=False)
    with pytest.raises(ValidationError):
        Settings()


def test_settings_come_from_the_environment_and_do_not_show_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMISSARY_SECRET", GOOD)
    monkeypatch.setenv("COMMISSARY_TOKEN_MINUTES", "5")
    settings = Settings()
    assert settings.token_minutes == 5
    assert settings.secret.get_secret_value() == GOOD
    assert GOOD not in repr(settings)


def test_a_catalog_that_cannot_be_used_stops_the_process_before_it_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in LDAP.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CatalogError), build(Settings(secret=SecretStr(GOOD), catalog=(tmp_path / "nowhere",))):
        pass


def test_the_process_serves_with_nothing_behind_it_and_stops_when_asked(tmp_path: Path) -> None:
    port = free_port()
    environment = {
        **os.environ,
        **LDAP,
        "COMMISSARY_SECRET": GOOD,
        "COMMISSARY_PORT": str(port),
        "COMMISSARY_TEMPORAL_ADDRESS": "127.0.0.1:1",
        "COMMISSARY_DATABASE_URL": f"sqlite:///{tmp_path}/register.db",
        "COMMISSARY_CATALOG": str(SHIPPED_ITEMS),
    }
    script = "from api.app import serve; from api.settings import Settings; serve(Settings()); print('closed')"
    with subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert eventually(lambda: _status(port, "/healthz"), timeout=20) == 200
            assert _status(port, "/readyz") == 503
            assert _status(port, "/api/v1/requests") == 401
            process.send_signal(signal.SIGTERM)
            output, errors = process.communicate(timeout=15)
        finally:
            process.kill()
    assert process.returncode == 0, errors
    assert "closed" in output
    assert GOOD not in errors


def _status(port: int, path: str) -> int | None:
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=10).status_code
    except httpx.TransportError:
        return None
