"""Files: uploaded for themselves, named by an order or by evidence, downloaded with their request (feature row C10)."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote, unquote

from fastapi import APIRouter, Header, Request, Response
from starlette.concurrency import run_in_threadpool

from api import filetypes, problems
from api.commands import visible_request
from api.parts import PartsIn, Viewer
from api.problems import SIGNED_IN, declared
from api.schemas.uploads import UploadOut
from catalog.fields import MAX_FILE
from catalog.form import FieldError, has_control_characters
from catalog.reading import Code
from catalog.text import one_line
from records.register import TooManyFiles

router = APIRouter(tags=["files"])

MAX_NAME = 200
"""Characters of a file's name."""

_NAME = "X-File-Name"
_BINARY = {"content": {"*/*": {"schema": {"type": "string", "format": "binary", "maxLength": MAX_FILE}}}}

FileName = Annotated[str, Header(alias=_NAME, max_length=2_000, description="Percent-encoded UTF-8 (RFC 3986).")]
MediaType = Annotated[str, Header(alias="Content-Type", pattern=r"^[\w.+-]{1,60}/[\w.+-]{1,90}\s*(;.*)?$")]


@router.post(
    "/files",
    status_code=201,
    responses=declared(*SIGNED_IN, problems.TooManyFiles, problems.FileType),
    openapi_extra={"requestBody": {"required": True} | _BINARY},
)
async def upload_file(
    request: Request, parts: PartsIn, viewer: Viewer, x_file_name: FileName, content_type: MediaType
) -> UploadOut:
    """Upload a file of at most 10 MiB as the body; it is dropped after a day unless an order or evidence names it."""
    name, kind = _name(x_file_name), content_type.partition(";")[0].strip().lower()
    content = await request.body()
    if not content:
        raise _wrong("body", "missing", "The file is empty.")
    if not await run_in_threadpool(filetypes.fits, kind, content):
        raise problems.FileType(
            f"{name} is not of the type {kind}, or that cannot be told from it. Send it as what it is; "
            f"{filetypes.ANYTHING} fits any file, where a form takes that."
        )
    keep = parts.register.keep_file
    try:
        kept = await run_in_threadpool(keep, viewer.person.id, name, kind, content, parts.clock())
    except TooManyFiles as error:
        raise problems.TooManyFiles(str(error)) from error
    return UploadOut.model_validate(kept)


@router.get(
    "/requests/{number}/files/{upload_id}",
    response_class=Response,
    responses=declared(*SIGNED_IN, problems.NotFound) | {200: {"description": "The file."} | _BINARY},
)
def download_file(number: str, upload_id: str, parts: PartsIn, viewer: Viewer) -> Response:
    """Download a file of a request that you may see."""
    visible_request(parts.register, viewer, number)
    upload = parts.register.file_of(number, upload_id)
    content = parts.register.content(upload.digest) if upload else None
    if upload is None or content is None:
        raise problems.NotFound("The request has no such file.")
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(upload.name, safe='')}",  # RFC 6266
        # Nothing in a file that somebody uploaded may act as a part of this site.
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    return Response(content, media_type=upload.media_type, headers=headers)


def _name(encoded: str) -> str:
    """Return the name of a file; raises the problem with it."""
    try:
        given = unquote(encoded, errors="strict")
    except UnicodeDecodeError:
        raise _wrong(_NAME, "value", "Percent-encode the name in UTF-8.") from None
    if has_control_characters(given) or len(given.splitlines()) > 1:
        raise _wrong(_NAME, "characters", "Remove the control characters and line ends.")
    name = one_line(given)
    if name in ("", ".", "..") or "/" in name or "\\" in name:
        raise _wrong(_NAME, "value", "Give the name alone, without folders.")
    if len(name) > MAX_NAME:
        raise _wrong(_NAME, "length", f"Give a name of at most {MAX_NAME} characters.")
    return name


def _wrong(field: str, code: Code, message: str) -> problems.Invalid:
    return problems.Invalid(
        "The file is not taken; correct what is wrong.", errors=[FieldError(field=field, code=code, message=message)]
    )
