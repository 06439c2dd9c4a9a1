from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from support.builders import NOON, a_new_order, a_person

from records.register import Register, TooManyFiles, UnknownRequest, UnknownUpload, Upload
from records.tables import blobs, request_files, uploads

LATER = NOON + timedelta(hours=1)
CONTENT = bytes(range(256)) * 4


def keep(register: Register, content: bytes = CONTENT, owner_id: str = "id-ada") -> Upload:
    return register.keep_file(owner_id, "offer.pdf", "application/pdf", content, NOON)


def count_contents(register: Register) -> int | None:
    with register.read() as connection:
        return connection.scalar(select(func.count()).select_from(blobs))


def test_a_file_is_read_back_as_it_was_uploaded(register: Register) -> None:
    name = "Größe ≥ 10 µm 🦊 \u0000.pdf"
    upload = register.keep_file("id-ada", name, "application/pdf", CONTENT, NOON)
    assert upload == Upload(
        id=upload.id,
        owner_id="id-ada",
        digest="sha256:" + hashlib.sha256(CONTENT).hexdigest(),
        name=name,
        media_type="application/pdf",
        size=1024,
        uploaded_at=NOON,
    )
    assert register.upload(upload.id) == upload
    assert register.content(upload.digest) == CONTENT


@pytest.mark.parametrize("content", [b"", b"\x00", b"x" * 5_000_000])
def test_any_content_is_kept(register: Register, content: bytes) -> None:
    assert register.content(keep(register, content).digest) == content


def test_the_same_content_is_kept_once_however_often_it_is_uploaded(register: Register) -> None:
    first, second = keep(register), keep(register, owner_id="id-eve")
    assert first.id != second.id
    assert first.digest == second.digest
    assert count_contents(register) == 1


@pytest.mark.parametrize("nothing", ["", "nothing", "\x00", "\ud800", "sha256:" + "0" * 64])
def test_what_was_never_uploaded_is_not_found(register: Register, nothing: str) -> None:
    keep(register)
    assert register.upload(nothing) is None
    assert register.content(nothing) is None


def test_a_file_that_an_order_names_is_kept(register: Register) -> None:
    upload = keep(register)
    register.take(a_new_order(uploads=(upload.id, upload.id)))
    assert register.drop_unattached(LATER) == 0
    assert register.content(upload.digest) == CONTENT


def test_a_file_may_belong_to_several_orders_of_its_owner(register: Register) -> None:
    upload = keep(register)
    for key in "ab":
        register.take(a_new_order(key, uploads=(upload.id,)))
    with register.read() as connection:
        links = connection.execute(select(request_files).order_by(request_files.c.request_id)).all()
    assert [tuple(link) for link in links] == [(1001, upload.id), (1002, upload.id)]


@pytest.mark.parametrize("stranger", ["", "nothing", "\x00", "\ud800"])
def test_an_order_that_names_an_unknown_file_is_not_taken(register: Register, stranger: str) -> None:
    with pytest.raises(UnknownUpload, match="upload it again"):
        register.take(a_new_order(uploads=(keep(register).id, stranger)))
    assert not register.requests(viewer=None).items


def test_an_order_that_names_the_file_of_another_is_not_taken(register: Register) -> None:
    upload = keep(register)
    with pytest.raises(UnknownUpload):
        register.take(a_new_order(requester=a_person("Eve").ref(), uploads=(upload.id,)))
    assert not register.requests(viewer=None).items
    assert register.drop_unattached(LATER) == 1


def test_an_order_sent_again_after_its_file_is_gone_is_still_the_same_order(register: Register) -> None:
    first = register.take(a_new_order())
    assert register.take(a_new_order(uploads=("gone",))).order == first.order


def test_unattached_files_are_dropped_once_they_are_old_and_their_contents_with_the_last(register: Register) -> None:
    attached, loose, other = keep(register), keep(register), keep(register, b"other")
    register.take(a_new_order(uploads=(attached.id,)))
    assert register.drop_unattached(NOON) == 0
    assert register.drop_unattached(LATER) == 2
    assert register.drop_unattached(LATER) == 0
    assert register.upload(attached.id) == attached
    assert register.content(attached.digest) == CONTENT
    assert [register.upload(upload.id) for upload in (loose, other)] == [None, None]
    assert register.content(other.digest) is None
    assert count_contents(register) == 1


def test_more_files_than_one_transaction_drops_go_in_turns(register: Register) -> None:
    digest = keep(register).digest
    row = {"owner_id": "id-ada", "digest": digest, "uploaded_at": NOON, "document": "{}"}
    with register.write() as connection:
        connection.execute(uploads.insert(), [row | {"id": f"u-{n}"} for n in range(1_000)])
    assert [register.drop_unattached(LATER) for _ in range(3)] == [1_000, 1, 0]
    assert count_contents(register) == 0


def test_nobody_hoards_files_that_no_request_names(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("records.files.MAX_LOOSE", 3)
    first, *_ = (keep(register) for _ in range(3))
    with pytest.raises(TooManyFiles, match="You have uploaded 3 files"):
        keep(register)
    keep(register, owner_id="id-eve")
    register.take(a_new_order(uploads=(first.id,)))
    keep(register)
    with pytest.raises(TooManyFiles):
        keep(register)
    assert register.drop_unattached(LATER) == 4
    keep(register)


def test_nobody_hoards_bytes_that_no_request_names(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("records.files.MAX_LOOSE_BYTES", 3 * len(CONTENT))
    for content in (CONTENT, CONTENT, CONTENT[1:]):
        keep(register, content)
    with pytest.raises(TooManyFiles):
        keep(register, b"xx")
    keep(register, b"x")


def test_whatever_is_uploaded_while_files_are_dropped_keeps_its_content(connect: Callable[[], Register]) -> None:
    registers = [connect() for _ in range(4)]

    def upload_or_drop(n: int) -> Upload | None:
        register = registers[n % 4]
        if n % 4:
            return keep(register)
        register.drop_unattached(LATER)
        return None

    with ThreadPoolExecutor(4) as threads:
        kept = [upload for upload in threads.map(upload_or_drop, range(120)) if upload]
    assert len(kept) == 90
    last = keep(registers[0])
    assert all(register.content(last.digest) == CONTENT for register in registers)
    assert registers[0].drop_unattached(LATER) > 0
    assert count_contents(registers[0]) == 0


def test_an_order_taken_while_files_are_dropped_has_its_file_or_is_refused(connect: Callable[[], Register]) -> None:
    registers = [connect() for _ in range(4)]

    def order(n: int) -> Upload | None:
        register = registers[n % 4]
        upload = keep(register, f"content of {n}".encode())
        try:
            register.take(a_new_order(f"key-{n}", uploads=(upload.id,)))
        except UnknownUpload:
            return None
        return upload

    def order_or_drop(n: int) -> Upload | None:
        if n % 3:
            return order(n)
        registers[0].drop_unattached(LATER)
        return None

    with ThreadPoolExecutor(4) as threads:
        ordered = [upload for upload in threads.map(order_or_drop, range(120)) if upload]
    assert all(registers[0].content(upload.digest) for upload in ordered)
    assert len(registers[0].requests(viewer=None, limit=200).items) == len(ordered)


def test_a_file_is_found_by_the_requests_it_belongs_to_only(register: Register) -> None:
    upload = keep(register)
    mine = register.take(a_new_order("a", uploads=(upload.id,))).order.number
    other = register.take(a_new_order("b")).order.number
    assert register.file_of(mine, upload.id) == upload
    for number, upload_id in ((other, upload.id), ("REQ-9", upload.id), ("x", upload.id), (mine, "x"), (mine, "\x00")):
        assert register.file_of(number, upload_id) is None


def test_whoever_works_on_a_request_can_give_it_files_and_repeat_it(register: Register) -> None:
    upload = keep(register, owner_id="id-eve")
    number = register.take(a_new_order()).order.number
    for _ in range(2):
        register.add_evidence(number, "id-eve", (upload.id,), ())
    assert register.file_of(number, upload.id) == upload
    assert register.drop_unattached(LATER) == 0
    with pytest.raises(UnknownUpload):
        register.add_evidence(number, "id-ada", (upload.id,), ())
    with pytest.raises(UnknownRequest):
        register.add_evidence("REQ-9999", "id-eve", (upload.id,), ())
