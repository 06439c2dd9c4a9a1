"""What kind of file a content is, against what its sender says it is (feature row C10).

Only whether the two fit is said here; which types are welcome is each form's own rule (`catalog.form.check_file`).
"""

from __future__ import annotations

import io
import json
import re
import zipfile

import puremagic

ANYTHING = "application/octet-stream"
"""The type that says nothing of a content and therefore fits every one."""

_BINARY = re.compile("[\0-\x08\x0b\x0e-\x1f\x7f-\x9f]")
"""What no text file holds; characters that turn the direction of writing may be in one."""
_WORD_AND_KIN = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."
_SAME = {
    "application/excel": "application/vnd.ms-excel",
    "application/mspowerpoint": "application/vnd.ms-powerpoint",
    "image/ms-bmp": "image/bmp",
    "image/heif": "image/heic",
    "text/xml": "application/xml",
}
"""Other names of types, without their ``x-``."""


def fits(media_type: str, content: bytes) -> bool:
    """Return whether the content can be of that type; false for types that cannot be told from a content."""
    kind = _named(media_type)
    if kind == ANYTHING:
        return True
    if kind.startswith("text/"):
        return _text(content) is not None
    if kind == "application/json":
        return _is_json(content)
    if kind == "image/svg+xml":
        text = _text(content)
        return text is not None and "<svg" in text
    if kind.startswith((_WORD_AND_KIN, _ODF)):
        return _is_document(kind, content)
    return kind in _seen(content)


def _named(media_type: str) -> str:
    kind = media_type.lower().replace("/x-", "/")
    return _SAME.get(kind, kind)


def _seen(content: bytes) -> set[str]:
    """Return the types whose marks the content bears most clearly."""
    try:
        matches = puremagic.magic_string(content)
    except (puremagic.PureError, ValueError):
        return set()
    return {_named(match.mime_type) for match in matches if match.confidence == matches[0].confidence}


def _text(content: bytes) -> str | None:
    """Return the content as text, or None: a binary file holds control characters in any of these encodings."""
    for encoding in ("utf-8-sig", "utf-16", "cp1252"):
        if encoding == "utf-16" and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
            continue
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if _BINARY.search(text) else text
    return None


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True


def _is_document(kind: str, content: bytes) -> bool:
    """Return whether this is an office document of that kind; both families are archives that say what they hold."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, UnicodeDecodeError):
        return False
    if kind.startswith(_ODF):
        # ODF 1.3, part 2, section 3.3: the first member is "mimetype", stored as it is.
        return names[:1] == ["mimetype"] and kind.encode() in content[:200]
    folder = {"wordprocessingml": "word/", "spreadsheetml": "xl/", "presentationml": "ppt/"}
    within = folder.get(kind.removeprefix(_WORD_AND_KIN).partition(".")[0], "?")
    return "[Content_Types].xml" in names and any(name.startswith(within) for name in names)
