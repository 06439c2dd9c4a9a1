"""Signing in."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api import problems
from api.auth import sign_in
from api.parts import PartsIn
from api.problems import ANYWHERE, declared
from api.schemas.base import PersonOut
from api.schemas.session import SessionIn, SessionOut

router = APIRouter(tags=["session"])


@router.post(
    "/session",
    status_code=201,
    responses=declared(
        *ANYWHERE,
        problems.WrongCredentials,
        problems.TooManySignIns,
        problems.DirectoryUnavailable,
        problems.DirectoryRefuses,
    ),
)
def create_session(body: SessionIn, response: Response, parts: PartsIn) -> SessionOut:
    """Sign in: the directory checks the password; the token says who you are for a while."""
    actor = sign_in(parts.directory, parts.sign_in_limit, parts.operators_group, body.login, body.password)
    token = parts.tokens.issue(actor)
    response.headers["Cache-Control"] = "no-store"
    person = PersonOut.model_validate(actor.person)
    return SessionOut(token=token.text, expires_at=token.expires_at, person=person, operator=actor.operator)
