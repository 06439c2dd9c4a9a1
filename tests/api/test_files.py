from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from support.api_world import ApiWorld, expect_problem
from support.builders import a_new_order

from api.filetypes import fits
from catalog.fields import MAX_FILE
from records.register import RegisterUnavailable

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(30)
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\n%%EOF\n"
EXE = b"MZ\x90\x00" + bytes(200)
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODT = "application/vnd.oasis.opendocument.text"


def an_archive(**members: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return held.getvalue()


DOCX = an_archive(**{"[Content_Types].xml": "<x/>", "word/document.xml": "<x/>"})


async def upload(
    world: ApiWorld,
    content: bytes | AsyncIterator[bytes] = PNG,
    kind: str = "image/png",
    name: str = "a.png",
    who: str = "ada",
) -> httpx.Response:
    return await world.send(who, "POST", "/files", content=content, headers={"Content-Type": kind, "X-File-Name": name})


async def test_an_uploaded_file_is_told_by_its_content(world: ApiWorld) -> None:
    answer = await upload(world, kind="Image/PNG; charset=x", name="Gr%C3%B6%C3%9Fe%20%E2%89%A5%2010%20%C2%B5m.png")
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["name"], body["media_type"], body["size"]) == ("Größe ≥ 10 µm.png", "image/png", len(PNG))
    assert body["digest"].startswith("sha256:")
    kept = world.register.upload(body["id"])
    assert kept
    assert kept.owner_id == "id-ada"
    assert world.register.content(kept.digest) == PNG


async def test_a_file_up_to_its_limit_is_taken_and_one_byte_more_is_not(world: ApiWorld) -> None:
    assert (await upload(world, PNG + bytes(MAX_FILE - len(PNG)))).status_code == 201
    expect_problem(await upload(world, PNG + bytes(MAX_FILE - len(PNG) + 1)), 413, "body-too-large")


async def test_a_stream_is_cut_off_at_the_limit(world: ApiWorld) -> None:
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 10 * MAX_FILE:
            sent += 1_000_000
            yield bytes(1_000_000)

    expect_problem(await upload(world, chunks()), 413, "body-too-large")
    assert sent < 2 * MAX_FILE


async def test_no_other_address_takes_so_much(world: ApiWorld) -> None:
    for path in ("/drafts", "/files/", "/requests/REQ-1/files"):
        answer = await world.send("ada", "POST", path, content=bytes(2 * 1024 * 1024))
        assert answer.status_code == 413


async def test_an_empty_file_is_refused(world: ApiWorld) -> None:
    (error,) = expect_problem(await upload(world, b""), 422, "invalid")["errors"]
    assert (error["field"], error["code"]) == ("body", "missing")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "value"),
        (".", "value"),
        ("..", "value"),
        ("../../etc/passwd", "value"),
        ("..%2F..%2Fetc%2Fpasswd", "value"),
        ("C:%5Ctemp%5Ca.png", "value"),
        ("a%00.png", "characters"),
        ("a%0D%0ASet-Cookie:%20x.png", "characters"),
        ("a%1B%5B2J.png", "characters"),
        ("a%E2%80%A8b.png", "characters"),
        ("%FF%FE", "value"),
        ("%ED%A0%80", "value"),
        ("x" * 201, "length"),
        ("x" * 3_000, "length"),
    ],
)
async def test_an_odd_name_is_refused(world: ApiWorld, name: str, code: str) -> None:
    (error,) = expect_problem(await upload(world, name=name), 422, "invalid")["errors"]
    assert (error["field"].lower(), error["code"]) == ("x-file-name", code)


async def test_a_name_does_not_read_as_what_it_is_not(world: ApiWorld) -> None:
    """U+202E turns what follows around: the name would be shown as photoexe.png."""
    (error,) = expect_problem(await upload(world, name="photo%E2%80%AEgnp.exe"), 422, "invalid")["errors"]
    assert (error["field"].lower(), error["code"]) == ("x-file-name", "characters")


async def test_a_text_file_may_hold_what_turns_the_direction_of_writing(world: ApiWorld) -> None:
    text = "\u2067שלום\u2069 and a form feed\f".encode()
    assert (await upload(world, content=text, kind="text/plain", name="a.txt")).status_code == 201


@pytest.mark.parametrize("missing", ["Content-Type", "X-File-Name"])
async def test_name_and_type_are_needed(world: ApiWorld, missing: str) -> None:
    headers = {"Content-Type": "image/png", "X-File-Name": "a.png"}
    del headers[missing]
    answer = await world.send("ada", "POST", "/files", content=PNG, headers=headers)
    assert [error["code"] for error in expect_problem(answer, 422, "invalid")["errors"]] == ["missing"]


@pytest.mark.parametrize("kind", ["png", "image/", "image/png\x7f", "a/b/c", "*/*"])
async def test_a_content_type_that_is_none_is_refused(world: ApiWorld, kind: str) -> None:
    assert (await upload(world, kind=kind)).status_code == 422


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("image/png", EXE),
        ("image/png", b"just text"),
        ("application/pdf", PNG),
        ("text/plain", EXE),
        ("application/x-made-up", b"?"),
    ],
)
async def test_a_file_of_another_type_than_it_claims_is_refused(world: ApiWorld, kind: str, content: bytes) -> None:
    expect_problem(await upload(world, content, kind), 422, "file-type")


@pytest.mark.parametrize(
    ("kind", "content", "fitting"),
    [
        ("image/png", PNG, True),
        ("image/jpeg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(20) + b"\xff\xd9", True),
        ("image/gif", b"GIF89a" + bytes(20), True),
        ("image/jpeg", b"GIF89a" + bytes(20), False),
        ("image/webp", b"RIFF\x24\0\0\0WEBPVP8 " + bytes(30), True),
        ("image/bmp", b"BM" + bytes(60), True),
        ("image/heic", b"\0\0\0\x18ftypheic" + bytes(20), True),
        ("application/pdf", PDF, True),
        ("application/gzip", b"\x1f\x8b\x08\0" + bytes(20), True),
        ("application/zip", DOCX, True),
        (WORD, DOCX, True),
        (EXCEL, DOCX, False),
        (WORD, an_archive(a="virus"), False),
        (WORD, b"PK\x03\x04 broken", False),
        (WORD, PNG, False),
        (ODT, an_archive(mimetype=ODT), True),
        (ODT, an_archive(mimetype="application/vnd.oasis.opendocument.spreadsheet"), False),
        ("application/msword", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), True),
        ("application/vnd.ms-excel", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), True),
        ("application/octet-stream", EXE, True),
        ("application/json", b'{"a": 1}', True),
        ("application/json", b"{'a': 1}", False),
        ("application/json", b"[" * 100_000, False),
        ("text/plain", "Größe\tund so\r\n".encode(), True),
        ("text/plain", "Größe".encode("cp1252"), True),
        ("text/plain", "Größe".encode("utf-16"), True),
        ("text/plain", b"\xff\xfe\x00", False),
        ("text/plain", b"\x81", False),
        ("text/csv", b"a;b\n1;2\n", True),
        ("text/csv", b"a\x00b", False),
        ("text/csv", PDF + b"\x00", False),
        ("image/svg+xml", b'<svg xmlns="http://www.w3.org/2000/svg"/>', True),
        ("image/svg+xml", b"<html/>", False),
        ("image/svg+xml", EXE, False),
        ("application/xml", b'<?xml version="1.0"?><a/>', True),
        ("text/xml", b'<?xml version="1.0"?><a/>', True),
        ("image/png", b"", False),
    ],
)
def test_a_content_fits_its_type_or_not(kind: str, content: bytes, *, fitting: bool) -> None:
    assert fits(kind, content) is fitting


async def test_fifty_files_may_wait_for_an_order_and_no_more(world: ApiWorld) -> None:
    kept = [(await upload(world)).status_code for _ in range(50)]
    assert kept == [201] * 50
    expect_problem(await upload(world), 409, "too-many-files")
    assert (await upload(world, who="ben")).status_code == 201


async def ordered_with_a_file(world: ApiWorld, name: str = "a.png") -> tuple[str, str]:
    upload_id = (await upload(world, name=name)).json()["id"]
    return world.register.take(a_new_order(uploads=(upload_id,))).order.number, upload_id


@pytest.mark.parametrize("who", ["ada", "otto"])
async def test_a_file_is_downloaded_by_those_who_see_its_request(world: ApiWorld, who: str) -> None:
    number, upload_id = await ordered_with_a_file(world, "Gr%C3%B6%C3%9Fe%20%22x%22.png")
    answer = await world.get(who, f"/requests/{number}/files/{upload_id}")
    assert (answer.status_code, answer.content) == (200, PNG)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20%22x%22.png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("sandbox")


async def test_a_stranger_cannot_tell_a_file_from_none(world: ApiWorld) -> None:
    number, upload_id = await ordered_with_a_file(world)
    there = expect_problem(await world.get("sam", f"/requests/{number}/files/{upload_id}"), 404, "not-found")
    nothing = expect_problem(await world.get("sam", "/requests/REQ-9999/files/x"), 404, "not-found")
    assert there == nothing


async def test_a_file_is_reached_only_through_its_own_request(world: ApiWorld) -> None:
    _, upload_id = await ordered_with_a_file(world)
    other = world.register.take(a_new_order("other")).order.number
    loose = (await upload(world)).json()["id"]
    for name in (upload_id, loose, "x", "%2E%2E", "%00"):
        assert (await world.get("ada", f"/requests/{other}/files/{name}")).status_code in (404, 422)


# What nobody came to use.


async def test_a_file_and_a_secret_that_no_order_names_are_dropped_after_a_day(resting: ApiWorld) -> None:
    world = resting
    loose = (await upload(world)).json()["id"]
    number, kept = await ordered_with_a_file(world)
    secret = world.parts.secrets.seal("id-ada", "hunter2", world.clock())
    world.clock.passes(timedelta(hours=23))
    await world.parts.sweeper.tidy()
    assert world.register.upload(loose)
    world.clock.passes(timedelta(hours=2))
    await world.parts.sweeper.tidy()
    assert world.register.upload(loose) is None
    assert world.register.secret(secret) is None
    assert world.register.file_of(number, kept)


async def test_it_is_tidied_once_an_hour_however_often_it_is_swept(
    resting: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    monkeypatch.setattr(resting.register, "drop_unused_secrets", lambda _before: looked.append("looked"))
    for minutes in (0, 1, 58, 1, 1):
        resting.clock.passes(timedelta(minutes=minutes))
        await resting.parts.sweeper.tidy()
    assert len(looked) == 2


async def test_a_register_that_is_away_is_tidied_when_it_is_back(
    resting: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def drop(_before: object) -> int:
        tries.append(1)
        if len(tries) == 1:
            raise RegisterUnavailable("gone")
        return 0

    monkeypatch.setattr(resting.register, "drop_unattached", drop)
    await resting.parts.sweeper.tidy()
    await resting.parts.sweeper.tidy()
    await resting.parts.sweeper.tidy()
    assert len(tries) == 2


async def test_what_cannot_be_dropped_is_told_once_an_hour(
    resting: ApiWorld, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_before: object) -> int:
        raise ValueError("odd")

    monkeypatch.setattr(resting.register, "drop_unattached", broken)
    for _ in range(3):
        await resting.parts.sweeper.tidy()
    assert len([record for record in caplog.records if "cannot be dropped" in record.message]) == 1
