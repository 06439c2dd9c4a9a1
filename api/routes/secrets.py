"""Secrets: handed in for themselves, so that an order holds only a reference (feature row C2)."""

from __future__ import annotations

from fastapi import APIRouter, Response

from activities.connectors.sealed import SETTING, NoKeys
from api import problems
from api.parts import PartsIn, Viewer
from api.problems import SIGNED_IN, declared
from api.schemas.uploads import SecretIn, SecretOut
from records.register import TooManySecrets

router = APIRouter(prefix="/secrets", tags=["secrets"])


@router.post("", status_code=201, responses=declared(*SIGNED_IN, problems.TooManySecrets, problems.SecretsUnavailable))
def create_secret(body: SecretIn, response: Response, parts: PartsIn, viewer: Viewer) -> SecretOut:
    """Keep a secret, encrypted; it is deleted when its request closes, or after a day if no order names it."""
    try:
        ref = parts.secrets.seal(viewer.person.id, body.value, parts.clock())
    except NoKeys as error:
        raise problems.SecretsUnavailable(f"Secrets are not taken here: the setting {SETTING} is missing.") from error
    except TooManySecrets as error:
        raise problems.TooManySecrets(str(error)) from error
    response.headers["Cache-Control"] = "no-store"
    return SecretOut(secret=ref)
