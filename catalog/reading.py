"""Read one answer: from the JSON that a client sends to the form in which it is stored (feature row C2).

An answer may also come in its stored form, as it does when an order is copied or an expression gives it: of a person,
a file or a choice on record only the login, the id or the value is read, and asked for anew. Conditions, lists, rows
and whatever else concerns more than one answer are `form`'s business; nobody is asked anything here.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

from catalog import duration
from catalog.fields import (
    AttachmentField,
    ChoiceField,
    DateField,
    DatetimeField,
    DecimalField,
    DurationField,
    EmailField,
    Field,
    IntegerField,
    IpField,
    MoneyField,
    MultiChoiceField,
    ParagraphField,
    PeopleField,
    RowsField,
    TextField,
    UrlField,
)

Code = Literal[
    "missing", "unknown", "type", "value", "characters", "length", "not-found", "hidden", "read-only", "range", "rule",
    "stale", "file", "not-eligible", "not-allowed", "already-open",
]  # fmt: skip
"""What is wrong with an answer, as a stable word."""

MAX_DIGITS = 15
"""Digits of the largest number, before and after the point together: as many as any JSON reader keeps exactly."""
MAX_MAIL = 254
"""Characters of the longest address that mail can be sent to (RFC 5321 4.5.3.1.3, without the angle brackets)."""
MAX_LOCAL = 64
"""Characters before the ``@`` (RFC 5321 4.5.3.1.1)."""
MAX_HOST = 253
MAX_URL = 2_000

LIST_FIELDS = (MultiChoiceField, PeopleField, AttachmentField, RowsField)
"""Fields whose answer is a list; each entry is read for itself."""
ListField = MultiChoiceField | PeopleField | AttachmentField | RowsField

_MINOR = dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3) | dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0
)
"""Digits after the point, of currencies that have not two (ISO 4217)."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_ONE_LINE = re.compile(r"[^\t\n\r\u2028\u2029]{1,200}")
_LOGIN = re.compile(r"[^\x00-\x1f\x7f]{1,128}")
_DECIMAL = re.compile(r"-?\d{1,15}(\.\d{1,9})?", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_URL = re.compile(r"[!#-;=?-\[\]_a-z~]+", re.IGNORECASE)
_NETWORK = re.compile(r"[0-9A-Fa-f:.]+/\d{1,3}", re.ASCII)
_REFERENCE = re.compile(r"[A-Za-z0-9:._-]{1,128}")


class Wrong(Exception):
    """An answer is not one: a code, and what is wrong and what to write instead."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def has_control_characters(text: str) -> bool:
    """Return whether text holds control characters (other than tab and line ends) or lone surrogates.

    Those that turn the direction of what follows count: with them a text reads as what it does not say.
    """
    return _CONTROL.search(text) is not None


def is_blank(field: Field, given: Any) -> bool:
    """Return whether this is how a client leaves a field unanswered: null, an empty text, an empty list."""
    if isinstance(given, str):
        return not given.strip()
    return given is None or (given == [] and isinstance(field, LIST_FIELDS))


def read(field: Field, given: Any) -> Any:
    """Return the stored form of one answer, or of one entry of an answer that is a list.

    Whom or what it names is not known yet: a person is still a login, a file an id, a provider's choice its value.

    Raises:
        Wrong: it is no answer to this field.
    """
    return _READERS[field.type](field, given)


def entries(field: ListField, given: Any) -> list[Any]:
    """Return the entries of an answer that is a list, to be read one by one.

    Raises:
        Wrong: it is no list, or one of the wrong length.
    """
    if not isinstance(given, list):
        raise Wrong("type", f"the answer must be a list, not {type(given).__name__}.")
    if len(given) > field.at_most:
        raise Wrong("range", f"{len(given)} are too many; give {field.at_most} at most.")
    least = 1 if isinstance(field, AttachmentField) else field.at_least
    if len(given) < least:
        raise Wrong("range", f"{len(given)} are not enough; give at least {least}.")
    return given


def check_file(field: AttachmentField, name: str, media_type: str, size: int) -> str | None:
    """Return what is wrong with a file as an answer to this field, in a sentence; None if it is right.

    Args:
        field: what is asked.
        name: of the file.
        media_type: what the content is, such as ``image/png``; parameters behind ``;`` do not count.
        size: in bytes.
    """
    if size > field.max_size:
        return f"{name} is too large ({size_words(size)}); attach {size_words(field.max_size)} at most."
    kind = media_type.partition(";")[0].strip().lower()
    if kind in field.media_types or f"{kind.partition('/')[0]}/*" in field.media_types:
        return None
    return f"{name} is of the type {kind or 'unknown'}; attach one of: {', '.join(field.media_types)}."


def size_words(size: int) -> str:
    """Return a number of bytes as people read it: ``120 kB``."""
    for unit, factor in (("MB", 1_000_000), ("kB", 1_000)):
        if size >= factor:
            return f"{round(size / factor, 1):g} {unit}"
    return f"{size} B"


def places(currency: str) -> int:
    """Return how many digits after the point an amount of a currency has."""
    return _MINOR.get(currency, 2)


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise Wrong("type", f"the answer must be a string, not {type(given).__name__}.")
    if has_control_characters(given):
        raise Wrong("characters", "the answer holds control characters; remove them.")
    return given


def _named(given: Any, key: str) -> str:
    """Return what names a person, a file or a choice: the answer itself, or that part of its stored form."""
    return _text(given[key] if isinstance(given, dict) and key in given else given)


def _read_text(field: TextField | ParagraphField, given: Any) -> str:
    text = _text(given)
    if len(text) > field.max_length:
        raise Wrong("length", f"{len(text)} characters are too many; write {field.max_length} at most.")
    if len(text) < field.min_length:
        raise Wrong("length", f"{len(text)} characters are too few; write at least {field.min_length}.")
    if isinstance(field, ParagraphField):
        return text
    if not field.multiline and text.splitlines() != [text]:
        raise Wrong("characters", "write it on one line.")
    if field.pattern and not re.fullmatch(field.pattern, text):
        raise Wrong("value", field.pattern_help or f"it must match the pattern {field.pattern} .")
    return text


def _bounded(number: int | Decimal, least: int | Decimal | None, most: int | Decimal | None) -> None:
    if least is not None and number < least:
        raise Wrong("range", f"give {least:f} or more." if isinstance(least, Decimal) else f"give {least} or more.")
    if most is not None and number > most:
        raise Wrong("range", f"give {most:f} or less." if isinstance(most, Decimal) else f"give {most} or less.")


def _read_integer(field: IntegerField, given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int):
        raise Wrong("type", "give a whole number, such as 3.")
    if abs(given) > 10**MAX_DIGITS:
        raise Wrong("range", f"give a number of at most {MAX_DIGITS} digits.")
    _bounded(given, field.least, field.most)
    return given


def _number(given: Any, most_places: int) -> Decimal:
    match given:
        case bool():
            number = None
        case int() | float() if abs(given) < 10**MAX_DIGITS:  # false for what is not a number, too
            number = Decimal(repr(given))
        case str() if _DECIMAL.fullmatch(given):
            number = Decimal(given)
        case _:
            number = None
    if number is None:
        raise Wrong("type", f"give a number of at most {MAX_DIGITS} digits, such as 12.5.")
    number = number.normalize() + 0  # no minus before zero
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int), "it is finite"
    if -exponent > most_places:
        raise Wrong("value", f"give {most_places} digits after the point at most.")
    if len(digits) > MAX_DIGITS:
        raise Wrong("range", f"give a number of at most {MAX_DIGITS} digits.")
    return number


def _read_decimal(field: DecimalField, given: Any) -> str:
    number = _number(given, field.places)
    _bounded(number, field.least, field.most)
    return f"{number:f}"


def _read_money(field: MoneyField, given: Any) -> dict[str, str]:
    if isinstance(given, dict):
        if set(given) != {"amount", "currency"}:
            raise Wrong("type", f'give {{"amount": …, "currency": "{field.currency}"}} or only the amount.')
        if given["currency"] != field.currency:
            raise Wrong("value", f"give the amount in {field.currency}.")
        given = given["amount"]
    amount = _number(given, places(field.currency))
    _bounded(amount, field.lowest, field.most)
    exact = amount.quantize(Decimal(1).scaleb(-places(field.currency)), rounding=ROUND_HALF_UP)
    return {"amount": f"{exact:f}", "currency": field.currency}


def _read_yes_no(_field: Field, given: Any) -> bool:
    if not isinstance(given, bool):
        raise Wrong("type", "answer true or false.")
    return given


def _read_choice(field: ChoiceField | MultiChoiceField, given: Any) -> str:
    if field.provider:
        return _read_provided(field, given)
    if _text(given) not in field.choices:
        raise Wrong("value", f"choose one of: {', '.join(field.choices)}.")
    return str(given)


def _read_provided(_field: Field, given: Any) -> str:
    value = _named(given, "value")
    if not _ONE_LINE.fullmatch(value):
        raise Wrong("value", "give one of the values offered.")
    return value


def _read_date(field: DateField, given: Any) -> str:
    text = _text(given)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:  # Python also reads 20260531 and 2026-W22-7
        raise Wrong("type", "write a day as YYYY-MM-DD.")
    if field.earliest and day < field.earliest:
        raise Wrong("value", f"the day must be {field.earliest.isoformat()} or later.")
    if field.latest and day > field.latest:
        raise Wrong("value", f"the day must be {field.latest.isoformat()} or earlier.")
    return text


def _read_datetime(field: DatetimeField, given: Any) -> str:
    try:
        at = datetime.fromisoformat(given).astimezone(UTC) if _MOMENT.fullmatch(_text(given)) else None
    except (ValueError, OverflowError):
        at = None
    if at is None:
        raise Wrong("type", "write a moment with its offset from UTC, such as 2026-05-31T09:00:00+02:00.")
    if field.earliest and at < field.earliest:
        raise Wrong("value", f"the moment must be {field.earliest.isoformat()} or later.")
    if field.latest and at > field.latest:
        raise Wrong("value", f"the moment must be {field.latest.isoformat()} or earlier.")
    return at.isoformat()


def _read_duration(field: DurationField, given: Any) -> str:
    try:
        length = duration.parse(_text(given))
    except ValueError as error:
        raise Wrong("type", f"{error}.") from None
    if field.longest and length > field.longest:
        raise Wrong("value", f"at most {duration.words(field.longest)}.")
    if field.shortest and length < field.shortest:
        raise Wrong("value", f"at least {duration.words(field.shortest)}.")
    return duration.iso(length)


def _is_host(name: str) -> bool:
    """Return whether this is the name of a host (RFC 1123 2.1); an internationalised one in its ASCII form only."""
    labels = name.split(".")
    return len(name) <= MAX_HOST and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()


def _read_email(field: EmailField, given: Any) -> str:
    local, _, domain = _text(given).rpartition("@")
    domain = domain.lower()
    if not _LOCAL.fullmatch(local) or not _is_host(domain) or "." not in domain:
        raise Wrong("type", "write a mail address such as ada@example.org, its domain in ASCII (xn--…).")
    if len(local) > MAX_LOCAL or len(local) + 1 + len(domain) > MAX_MAIL:
        raise Wrong("length", f"an address has {MAX_LOCAL} characters before the @ and {MAX_MAIL} in all at most.")
    if field.domains and domain not in map(str.lower, field.domains):
        raise Wrong("value", f"give an address at {' or '.join(field.domains)}.")
    return f"{local}@{domain}"


def _read_url(field: UrlField, given: Any) -> str:
    text = _text(given)
    if len(text) > MAX_URL:
        raise Wrong("length", f"{len(text)} characters are too many; write {MAX_URL} at most.")
    parts = _url(text)
    if parts is None:
        raise Wrong("type", f"write a full web address in ASCII, such as {field.schemes[0]}://example.org/page.")
    if parts.scheme not in field.schemes:
        raise Wrong("value", f"the address must begin with {' or '.join(f'{scheme}://' for scheme in field.schemes)}.")
    if "@" in parts.netloc:
        raise Wrong("value", "leave name and password out of the address.")
    return text


def _url(text: str) -> SplitResult | None:
    """Return the parts of a URL with a host (RFC 3986), or None."""
    if not _URL.fullmatch(text):
        return None
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    return parts if port != 0 and (_is_host(host) or _is_address(host)) else None


def _is_address(text: str) -> bool:
    try:
        return bool(_address(text))
    except ValueError:
        return False


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    if "%" in text:  # an interface of one machine means nothing to another
        raise ValueError(text)
    return ipaddress.ip_address(text)


def _read_ip(field: IpField, given: Any) -> str:
    text = _text(given)
    try:
        found = _ip(field, text)
    except ValueError:
        raise Wrong("type", f"write {_IP_WORDS[field.accept]}.") from None
    if field.version and found.version != field.version:
        raise Wrong("value", f"it must be IPv{field.version}.")
    return str(found)


_IP_WORDS = {
    "address": "an IP address, such as 192.0.2.10",
    "network": "a network whose host bits are zero, such as 192.0.2.0/24",
    "both": "an IP address or a network whose host bits are zero, such as 192.0.2.0/24",
}


def _ip(
    field: IpField, text: str
) -> ipaddress.IPv4Address | ipaddress.IPv6Address | ipaddress.IPv4Network | ipaddress.IPv6Network:
    if field.accept == "address" or (field.accept == "both" and "/" not in text):
        return _address(text)
    if not _NETWORK.fullmatch(text):  # Python also reads net masks, and an address as the network of itself
        raise ValueError(text)
    return ipaddress.ip_network(text)


def _read_person(_field: Field, given: Any) -> str:
    login = _named(given, "login")
    if not _LOGIN.fullmatch(login):
        raise Wrong("value", "give one login of at most 128 characters.")
    return login


def _read_upload(_field: Field, given: Any) -> str:
    upload = _named(given, "id")
    if not _REFERENCE.fullmatch(upload):
        raise Wrong("value", "upload the file first and give the id of the upload.")
    return upload


def _read_secret(_field: Field, given: Any) -> dict[str, str]:
    reference = given["secret"] if isinstance(given, dict) and set(given) == {"secret"} else None
    if not isinstance(reference, str) or not _REFERENCE.fullmatch(reference):
        raise Wrong(
            "type", 'a secret is not part of an order; hand it in for itself and answer {"secret": "<its reference>"}.'
        )
    return {"secret": reference}


_READERS: dict[str, Callable[[Any, Any], Any]] = {
    "text": _read_text,
    "paragraph": _read_text,
    "integer": _read_integer,
    "decimal": _read_decimal,
    "money": _read_money,
    "yes_no": _read_yes_no,
    "choice": _read_choice,
    "multi_choice": _read_choice,
    "date": _read_date,
    "datetime": _read_datetime,
    "duration": _read_duration,
    "email": _read_email,
    "url": _read_url,
    "ip": _read_ip,
    "person": _read_person,
    "people": _read_person,
    "group": _read_provided,
    "entitlement": _read_provided,
    "asset": _read_provided,
    "ci": _read_provided,
    "attachment": _read_upload,
    "secret": _read_secret,
}
"""By the type of a field; rows are read field by field."""
