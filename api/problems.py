"""Problems: every error answer of the API, as RFC 9457 ``application/problem+json``.

    Problem
    ├── MalformedBody 400
    ├── Unauthenticated 401       WrongCredentials 401
    ├── SelfApproval 403          NotApprover 403        NotAllowed 403
    ├── NotFound 404              UnknownTask 404
    ├── MethodNotAllowed 405
    ├── AlreadyDecided 409        StageClosed 409        StageNotOpen 409
    ├── SubjectChanged 409        Closed 409             IdempotencyConflict 409
    ├── NoLongerAsked 409         NotNow 409             NotVoted 409
    ├── AlreadyAsked 409          QuestionOpen 409       NoQuestion 409
    ├── DecideAlone 409           WorkflowGone 409
    ├── TooManyDrafts 409         TooManyFiles 409       TooManySecrets 409
    ├── AlreadyOpen 409
    ├── BodyTooLarge 413
    ├── Invalid 422               UnknownChoice 422      ReasonNeeded 422
    ├── FileType 422              NothingChanged 422
    ├── TooManySignIns 429        TooMany 429
    ├── Internal 500              DirectoryRefuses 502
    ├── RegisterUnavailable 503   EngineUnavailable 503
    ├── SecretsUnavailable 503    ChoicesUnavailable 503
    └── NoWorker 503              DirectoryUnavailable 503

A class declares its status, its slug (the end of its ``type``; stable, clients match on it) and its title, and its
docstring is its documentation. Which rule leads to which problem is decided elsewhere.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from typing import Any, ClassVar, Literal
from uuid import uuid4

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from activities.errors import ConnectorError, Transient
from api.gateway import ChoicesUnavailable as ChoicesDown
from catalog.form import FieldError
from records.register import RegisterUnavailable as RegisterDown

TYPE_BASE = "https://commissary.example/problems/"
MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = 2
"""Seconds a client should wait before it tries again what failed because a part of the platform is down."""

MOST_ERRORS = 100
"""More than any form has; an answer must not grow with what somebody makes up."""

FieldCode = Literal["missing", "unknown", "type", "value", "characters", "length", "not-found"]

_log = logging.getLogger(__name__)


class ProblemBody(BaseModel):
    """The body of an error answer (RFC 9457, section 3)."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(description="A stable URI that names the class of the problem.")
    title: str = Field(description="The class in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What is wrong here, and what to do.")
    instance: str | None = Field(None, description="Names this very occurrence, as the log does.")
    errors: list[FieldError] | None = Field(None, description="Every field that is wrong.")


class Problem(Exception):
    """An error answer; `errors` lists what is wrong field by field, `headers` are sent with it."""

    status: ClassVar[int]
    slug: ClassVar[str]
    title: ClassVar[str]

    def __init__(
        self,
        detail: str,
        *,
        errors: Iterable[FieldError] = (),
        instance: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail, self.errors, self.instance, self.headers = detail, tuple(errors), instance, headers or {}

    @classmethod
    def type_uri(cls) -> str:
        """Return the ``type`` of the class."""
        return TYPE_BASE + cls.slug

    def body(self) -> ProblemBody:
        """Return what it says."""
        return ProblemBody(
            type=self.type_uri(),
            title=self.title,
            status=self.status,
            detail=self.detail,
            instance=self.instance,
            errors=list(self.errors) or None,
        )

    def response(self) -> Response:
        """Return the answer; its JSON is ASCII, so that it can say anything about text that is no valid Unicode."""
        content = json.dumps(self.body().model_dump(exclude_none=True))
        return Response(content, status_code=self.status, media_type=MEDIA_TYPE, headers=self.headers)


class MalformedBody(Problem):
    """The body is not JSON, or it is nested too deeply to be read."""

    status, slug, title = 400, "malformed-body", "The body cannot be read"


class Unauthenticated(Problem):
    """The bearer token is missing, wrong or expired: sign in again."""

    status, slug, title = 401, "unauthenticated", "Sign in first"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": 'Bearer realm="commissary"'})


class WrongCredentials(Unauthenticated):
    """Unknown login, wrong password or inactive account; which of them is not said."""

    status, slug, title = 401, "wrong-credentials", "Wrong login or password"


class SelfApproval(Problem):
    """Nobody decides a request of their own, or one for themselves."""

    status, slug, title = 403, "self-approval", "Nobody approves for themselves"


class NotApprover(Problem):
    """The task asks other people."""

    status, slug, title = 403, "not-approver", "You are not asked to decide this"


class NotAllowed(Problem):
    """It needs a role that you do not have, or the item may not be ordered for this person."""

    status, slug, title = 403, "not-allowed", "You may not do this"


class NotFound(Problem):
    """There is no such thing, or the viewer may not see it."""

    status, slug, title = 404, "not-found", "There is no such thing"


class UnknownTask(Problem):
    """The request has no such task."""

    status, slug, title = 404, "unknown-task", "There is no such task"


class MethodNotAllowed(Problem):
    """The resource exists, but not for this method."""

    status, slug, title = 405, "method-not-allowed", "This method is not for this resource"


class AlreadyDecided(Problem):
    """The task was decided before; the detail says how and by whom."""

    status, slug, title = 409, "already-decided", "This was decided before"


class StageClosed(Problem):
    """The approval stage ended before; the detail says how and by whom."""

    status, slug, title = 409, "stage-closed", "The approval stage is closed"


class StageNotOpen(Problem):
    """The approval stage has not begun."""

    status, slug, title = 409, "stage-not-open", "The approval stage is not open"


class NoLongerAsked(Problem):
    """You were asked to decide this, and are no longer; the detail says what has become of it."""

    status, slug, title = 409, "no-longer-asked", "You are no longer asked"


class SubjectChanged(Problem):
    """The request has changed since the decider saw it."""

    status, slug, title = 409, "subject-changed", "The request has changed"


class NotNow(Problem):
    """It can be done, but not at this time; the detail says when."""

    status, slug, title = 409, "not-now", "Not at this time"


class NotVoted(Problem):
    """You have no vote that could be taken back."""

    status, slug, title = 409, "not-voted", "You have not decided this"


class AlreadyAsked(Problem):
    """This person is asked already."""

    status, slug, title = 409, "already-asked", "This person is asked already"


class QuestionOpen(Problem):
    """The answer to a question is awaited first."""

    status, slug, title = 409, "question-open", "A question is open"


class NoQuestion(Problem):
    """Nobody waits for this answer any more."""

    status, slug, title = 409, "no-question", "Nobody waits for an answer"


class DecideAlone(Problem):
    """This is not decided together with others; decide it by itself."""

    status, slug, title = 409, "decide-alone", "This is decided by itself"


class Closed(Problem):
    """The request is closed; the detail says how and by whom."""

    status, slug, title = 409, "closed", "The request is closed"


class WorkflowGone(Problem):
    """The workflow engine has no running workflow for this open request: it was terminated, or the engine lost it."""

    status, slug, title = 409, "workflow-gone", "The request's workflow is gone"


class IdempotencyConflict(Problem):
    """The Idempotency-Key was used before for something else."""

    status, slug, title = 409, "idempotency-conflict", "The key was used for something else"


class TooManyDrafts(Problem):
    """You have as many drafts as one may have; delete one first."""

    status, slug, title = 409, "too-many-drafts", "Too many drafts"


class TooManyFiles(Problem):
    """You have uploaded as much as one may without an order that names it; use it first."""

    status, slug, title = 409, "too-many-files", "Too many files"


class TooManySecrets(Problem):
    """You have given as many secrets as one may without an order that names them; use them first."""

    status, slug, title = 409, "too-many-secrets", "Too many secrets"


class AlreadyOpen(Problem):
    """A request for the same thing and the same person is open; the detail names it if you may see it."""

    status, slug, title = 409, "already-open", "This was ordered already"


class BodyTooLarge(Problem):
    """The body is longer than this address takes: 10 MiB for a file, 1 MiB elsewhere."""

    status, slug, title = 413, "body-too-large", "The body is too large"


class Invalid(Problem):
    """Something in the request is missing, unknown or wrong; ``errors`` lists every field."""

    status, slug, title = 422, "invalid", "The request is not valid"


class UnknownChoice(Problem):
    """The task has no such choice."""

    status, slug, title = 422, "unknown-choice", "There is no such choice"


class ReasonNeeded(Problem):
    """This choice must be explained."""

    status, slug, title = 422, "reason-needed", "A reason is needed"


class NothingChanged(Problem):
    """The order says this already."""

    status, slug, title = 422, "nothing-changed", "Nothing has changed"


class FileType(Problem):
    """The content is not what its Content-Type says, or cannot be told to be."""

    status, slug, title = 422, "file-type", "The file is of another type than it claims"


class TooMany(Problem):
    """The request has as many comments or commands as it takes."""

    status, slug, title = 429, "too-many", "Too many for one request"


class TooManySignIns(Problem):
    """Too many failed attempts to sign in with this login; wait as long as Retry-After says."""

    status, slug, title = 429, "too-many-sign-ins", "Too many failed attempts"


class Internal(Problem):
    """An error of the platform; ``instance`` is in its log."""

    status, slug, title = 500, "internal", "Something went wrong here"


class _Unavailable(Problem):
    status = 503

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Retry-After": str(RETRY_AFTER)})


class RegisterUnavailable(_Unavailable):
    """The database does not answer. Nothing is half-written; repeating with the same key is safe."""

    slug, title = "register-unavailable", "The register does not answer"


class EngineUnavailable(_Unavailable):
    """The workflow engine does not answer, or has not begun the request yet."""

    slug, title = "engine-unavailable", "The workflow engine does not answer"


class NoWorker(_Unavailable):
    """No worker confirmed the command in time. It may still be carried out; repeating it with its key is safe."""

    slug, title = "no-worker", "No worker confirmed the command"


class DirectoryUnavailable(_Unavailable):
    """The directory does not answer; nothing was written."""

    slug, title = "directory-unavailable", "The directory does not answer"


class SecretsUnavailable(_Unavailable):
    """No secrets are taken, because the installation has no key to encrypt them with."""

    slug, title = "secrets-unavailable", "Secrets cannot be kept here"


class ChoicesUnavailable(_Unavailable):
    """No worker says what there is to choose, so no answer can be checked against it; nothing was written."""

    slug, title = "choices-unavailable", "Choices cannot be had now"


class DirectoryRefuses(Problem):
    """The directory refuses what was asked of it: somebody has to mend it or the settings; repeating does not help."""

    status, slug, title = 502, "directory-refuses", "The directory refuses"


ANYWHERE = (MalformedBody, BodyTooLarge, Invalid, Internal, RegisterUnavailable)
"""What any route may answer."""

SIGNED_IN = (Unauthenticated, *ANYWHERE)
"""What any route may answer that asks who one is."""


def declared(*classes: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of these problems as answers of a route."""
    by_status: dict[int | str, list[type[Problem]]] = {}
    for cls in dict.fromkeys(classes):
        by_status.setdefault(cls.status, []).append(cls)
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {
            "description": "\n\n".join(f"`{cls.type_uri()}`: {cls.__doc__}" for cls in of_status),
            "content": content,
        }
        for status, of_status in by_status.items()
    }


def install(app: FastAPI) -> None:
    """Make every error of the app a problem."""
    app.add_exception_handler(Problem, _answer)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(RegisterDown, _register_down)
    app.add_exception_handler(ConnectorError, _directory_down)
    app.add_exception_handler(ChoicesDown, _choices_down)
    app.add_exception_handler(Exception, _unhandled)


async def _answer(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response()


async def _http_error(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses by itself: routing, unreadable bodies, and our own limit on their length."""
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    match error.status_code:
        case 404:
            return NotFound("There is nothing under this address.").response()
        case 405:
            return MethodNotAllowed(
                f"{request.method} is not for this address; {headers.get('Allow', 'nothing')} is.", headers=headers
            ).response()
        case 413:
            return BodyTooLarge(error.detail).response()
        case _:
            return MalformedBody("The body cannot be read; send one JSON object in UTF-8.").response()


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return MalformedBody("The body is not JSON; send one JSON object.").response()
    errors = [_field_error(one) for one in found[:MOST_ERRORS]]
    return Invalid("Some fields are not as they must be.", errors=errors).response()


def _field_error(found: dict[str, Any]) -> FieldError:
    """Return one finding of pydantic in our words; the value itself is never repeated, it may be a password."""
    place, *path = [str(part) for part in found["loc"]]
    code, message = _finding(found["type"], f"{found['msg']}.")
    # A name may be no valid Unicode either.
    field = "/".join(path).encode(errors="backslashreplace").decode() or place
    return FieldError(field=field[:80], code=code, message=message)


def _finding(kind: str, said: str) -> tuple[FieldCode, str]:
    match kind:
        case "missing":
            return "missing", "This is needed."
        case "extra_forbidden":
            return "unknown", "Nothing of this name is asked."
        case "characters" | "string_unicode":
            return "characters", "Remove the control characters."
        case "string_too_long" | "string_too_short":
            return "length", said
        case "model_attributes_type":
            return "type", "Send a JSON object, with Content-Type: application/json."
        case _:
            return ("type" if kind.endswith(("_type", "_parsing")) else "value"), said


async def _register_down(_request: Request, error: Exception) -> Response:
    _log.warning("the register does not answer: %s", error)
    return RegisterUnavailable("The register does not answer. Try again, with the same Idempotency-Key.").response()


async def _directory_down(_request: Request, error: Exception) -> Response:
    if not isinstance(error, Transient):
        # Two people of one login, a refused service account: nobody gets further until somebody mends it.
        _log.error("the directory refuses: %s", error)
        return DirectoryRefuses(
            "The directory refuses what was asked of it; the operators have to see to it."
        ).response()
    _log.warning("the directory does not answer: %s", error)
    return DirectoryUnavailable("The directory does not answer; nothing was written. Try again.").response()


async def _choices_down(_request: Request, error: Exception) -> Response:
    _log.warning("choices cannot be had: %s", error)
    return ChoicesUnavailable("What there is to choose cannot be had at the moment; nothing was written.").response()


async def _unhandled(request: Request, error: Exception) -> Response:
    instance = f"urn:uuid:{uuid4()}"
    _log.error("%s: unhandled error in %s %s", instance, request.method, request.url.path, exc_info=error)
    return Internal("This is our fault; the operators find it by its instance.", instance=instance).response()
