"""Answers of each kind: which are read, what they are stored as, and what is said of those that are wrong."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from pydantic import TypeAdapter

from catalog import fields as kinds
from catalog.fields import AttachmentField, Field
from catalog.form import check
from catalog.reading import _READERS, check_file, has_control_characters, read, size_words

read_field: TypeAdapter[Field] = TypeAdapter(Field)


def ask(type_: str, **other: Any) -> Field:
    """Return a field of a type."""
    return read_field.validate_python({"id": "it", "type": type_, "label": "It"} | other)


WHY = ask("text", max_length=20)
START = ask("date", earliest="2025-01-01", latest="2025-12-31")
CALL = ask("datetime", earliest="2025-01-01T00:00:00Z", latest="2025-12-31T00:00:00Z")
TERM = ask("duration", longest="30 days", shortest="1 day")
CODE = ask("text", pattern="[A-Z]{2}-[0-9]+", pattern_help="two capital letters, a hyphen and a number.")
SEATS = ask("integer", least=1, most=20)
HOURS = ask("decimal", least="0.5", most=40, places=1)
PRICE = ask("money", currency="EUR", least=0, most="99.99")
YEN = ask("money", currency="JPY")
REFUND = ask("money", currency="EUR", least=-100)
DINAR = ask("money", currency="KWD")
WORK_MAIL = ask("email", domains=["Example.org", "example.com"])
MAIL = ask("email")
PAGE = ask("url")
HTTP = ask("url", schemes=["https", "http"])
HOST = ask("ip")
NET = ask("ip", accept="network")
HOST_OR_NET = ask("ip", accept="both")
FOUR = ask("ip", version=4)
EVIL = "*)(uid=*))(|(cn=\\2a"


@pytest.mark.parametrize(
    ("field", "answer", "stored"),
    [
        (WHY, "I must", "I must"),
        (WHY, "x" * 20, "x" * 20),
        (WHY, EVIL, EVIL),
        (ask("text", multiline=True), "Once\nupon\ta time", "Once\nupon\ta time"),
        (ask("paragraph"), "Once\nupon\ta time", "Once\nupon\ta time"),
        (CODE, "AB-12", "AB-12"),
        (SEATS, 1, 1),
        (SEATS, 20, 20),
        (ask("integer"), -(10**15), -(10**15)),
        (HOURS, 1.5, "1.5"),
        (HOURS, "1.50", "1.5"),
        (HOURS, 40, "40"),
        (ask("decimal", places=9), 0.1, "0.1"),
        (ask("decimal", places=9), 1e-7, "0.0000001"),
        (ask("decimal"), -0.0, "0"),
        (ask("decimal"), "100000", "100000"),
        (PRICE, 12.5, {"amount": "12.50", "currency": "EUR"}),
        (PRICE, {"amount": "12", "currency": "EUR"}, {"amount": "12.00", "currency": "EUR"}),
        (YEN, 900, {"amount": "900", "currency": "JPY"}),
        (REFUND, -100, {"amount": "-100.00", "currency": "EUR"}),
        (DINAR, "1.005", {"amount": "1.005", "currency": "KWD"}),
        (ask("yes_no"), False, False),
        (ask("choice", choices=["a"]), "a", "a"),
        (ask("choice", provider="p"), {"value": "a", "label": "An A"}, "a"),
        (START, "2025-01-01", "2025-01-01"),
        (START, "2025-12-31", "2025-12-31"),
        (ask("date"), "0001-01-01", "0001-01-01"),
        (CALL, "2025-03-03T09:00:00+02:00", "2025-03-03T07:00:00+00:00"),
        (CALL, "2025-03-03T09:00:00.5Z", "2025-03-03T09:00:00.500000+00:00"),
        (ask("datetime"), "9999-12-31T23:59:59+02:00", "9999-12-31T21:59:59+00:00"),
        (TERM, "2 weeks", "P14D"),
        (TERM, "30 days", "P30D"),
        (TERM, "P1D", "P1D"),
        (ask("duration"), "36000 days", "P36000D"),
        (MAIL, "Ada.Byron+x@Example.ORG", "Ada.Byron+x@example.org"),
        (MAIL, "ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        (WORK_MAIL, "ada@EXAMPLE.com", "ada@example.com"),
        (PAGE, "https://example.org:8443/a%20b?q=1#x", "https://example.org:8443/a%20b?q=1#x"),
        (PAGE, "https://wiki/start", "https://wiki/start"),
        (PAGE, "https://[2001:db8::1]/", "https://[2001:db8::1]/"),
        (HTTP, "http://192.0.2.1", "http://192.0.2.1"),
        (HOST, "192.0.2.10", "192.0.2.10"),
        (HOST, "2001:DB8:0::1", "2001:db8::1"),
        (NET, "192.0.2.0/24", "192.0.2.0/24"),
        (HOST_OR_NET, "192.0.2.1", "192.0.2.1"),
        (HOST_OR_NET, "2001:db8::/32", "2001:db8::/32"),
        (ask("person"), EVIL, EVIL),
        (ask("person"), {"id": "id-ada", "login": "ada"}, "ada"),
        (ask("group"), "Wiki editors", "Wiki editors"),
        (ask("attachment", media_types=["a/b"]), "5f0c-1", "5f0c-1"),
        (ask("attachment", media_types=["a/b"]), {"id": "5f0c-1", "size": 1}, "5f0c-1"),
        (ask("secret"), {"secret": "secret:5f0c"}, {"secret": "secret:5f0c"}),
    ],
)
def test_a_right_answer_is_read_into_its_stored_form(field: Field, answer: Any, stored: Any) -> None:
    assert read(field, answer) == stored
    assert type(read(field, answer)) is type(stored)
    assert read(field, stored) == stored, "what is stored is an answer again"


@pytest.mark.parametrize(
    ("field", "answer", "code", "hint"),
    [
        (WHY, 5, "type", "must be a string, not int"),
        (WHY, ["x"], "type", "must be a string, not list"),
        (WHY, "a\x00b", "characters", "control characters"),
        (WHY, "\ud800", "characters", "control characters"),
        (WHY, "x" * 21, "length", "21 characters are too many; write 20 at most"),
        (ask("paragraph", min_length=3), "ab", "length", "2 characters are too few; write at least 3"),
        (WHY, "one\ntwo", "characters", "on one line"),
        (WHY, "one\n", "characters", "on one line"),
        (WHY, "one\u2028two", "characters", "on one line"),
        (WHY, None, "missing", "an answer is needed"),
        (WHY, " \n", "missing", "an answer is needed"),
        (CODE, "AB-12x", "value", "two capital letters, a hyphen and a number."),
        (ask("text", pattern="a+"), "b", "value", "the pattern a+"),
        (SEATS, True, "type", "whole number"),
        (SEATS, 3.0, "type", "whole number"),
        (SEATS, "3", "type", "whole number"),
        (SEATS, 0, "range", "give 1 or more"),
        (SEATS, 21, "range", "give 20 or less"),
        (ask("integer"), 10**15 + 1, "range", "15 digits"),
        pytest.param(ask("integer"), 10**6_000, "range", "15 digits", id="integer without end"),
        (HOURS, True, "type", "such as 12.5"),
        (HOURS, None, "missing", "needed"),
        (HOURS, [1], "type", "such as 12.5"),
        (HOURS, "1,5", "type", "such as 12.5"),
        (HOURS, "1e3", "type", "such as 12.5"),
        (HOURS, "\u0661", "type", "such as 12.5"),
        (HOURS, float("nan"), "type", "such as 12.5"),
        (HOURS, float("inf"), "type", "such as 12.5"),
        pytest.param(HOURS, 10**6_000, "type", "15 digits", id="decimal without end"),
        (HOURS, 1.25, "value", "1 digits after the point"),
        (HOURS, 0.4, "range", "give 0.5 or more"),
        (HOURS, 41, "range", "give 40 or less"),
        (ask("decimal", places=9), "123456789012.12345", "range", "15 digits"),
        (PRICE, 100, "range", "give 99.99 or less"),
        (YEN, -1, "range", "give 0 or more"),
        (REFUND, -101, "range", "give -100 or more"),
        (PRICE, 1.234, "value", "2 digits after the point"),
        (YEN, 1.5, "value", "0 digits after the point"),
        (PRICE, {"amount": 1, "currency": "USD"}, "value", "in EUR"),
        (PRICE, {"amount": 1}, "type", '"currency": "EUR"'),
        (PRICE, {"amount": {}, "currency": "EUR"}, "type", "such as 12.5"),
        (ask("yes_no"), "yes", "type", "true or false"),
        (ask("yes_no"), 1, "type", "true or false"),
        (ask("choice", choices=["laptop", "phone"]), "tablet", "value", "choose one of: laptop, phone"),
        (ask("choice", choices=["laptop", "phone"]), "Phone", "value", "choose one of"),
        (ask("choice", choices=["laptop", "phone"]), {}, "type", "must be a string, not dict"),
        (ask("choice", provider="p"), "a\nb", "value", "one of the values offered"),
        (ask("group"), "x" * 201, "value", "one of the values offered"),
        (ask("group"), {"label": "x"}, "type", "not dict"),
        (START, "tomorrow", "type", "YYYY-MM-DD"),
        (START, "2025-02-30", "type", "YYYY-MM-DD"),
        (START, "20250303", "type", "YYYY-MM-DD"),
        (START, "2024-12-31", "value", "2025-01-01 or later"),
        (START, "2026-01-01", "value", "2025-12-31 or earlier"),
        (CALL, "2025-03-03T09:00:00", "type", "with its offset from UTC"),
        (CALL, "2025-03-03", "type", "with its offset from UTC"),
        (CALL, "2025-02-30T09:00:00Z", "type", "with its offset from UTC"),
        (CALL, 5, "type", "must be a string"),
        (ask("datetime"), "0001-01-01T00:00:00+01:00", "type", "with its offset from UTC"),
        (CALL, "2024-12-31T23:59:59Z", "value", "2025-01-01T00:00:00+00:00 or later"),
        (CALL, "2025-12-31T00:00:01Z", "value", "or earlier"),
        (TERM, "soon", "type", "is not a duration"),
        (TERM, "31 days", "value", "at most 30 days"),
        (TERM, "1 hour", "value", "at least 1 day"),
        (MAIL, "ada", "type", "such as ada@example.org"),
        (MAIL, "ada@localhost", "type", "such as ada@example.org"),
        (MAIL, "ada@bücher.example", "type", "xn--"),
        (MAIL, "åda@example.org", "type", "such as"),
        (MAIL, ".ada@example.org", "type", "such as"),
        (MAIL, "a..da@example.org", "type", "such as"),
        (MAIL, "ada@example..org", "type", "such as"),
        (MAIL, "ada@-example.org", "type", "such as"),
        (MAIL, "ada@192.0.2.1", "type", "such as"),
        (MAIL, "Ada <ada@example.org>", "type", "such as"),
        (MAIL, "ada@example.org\nbcc:eve@example.org", "type", "such as"),
        (MAIL, "x" * 65 + "@example.org", "length", "64 characters before the @"),
        (MAIL, "ada@" + "x." * 124 + "org", "length", "254 in all"),
        (MAIL, "ada@" + "x." * 300 + "org", "type", "such as"),
        (WORK_MAIL, "ada@example.net", "value", "Example.org or example.com"),
        (PAGE, "http://example.org", "value", "must begin with https://"),
        (PAGE, "javascript:alert(1)", "type", "full web address"),
        (PAGE, "https://", "type", "full web address"),
        (PAGE, "/page", "type", "full web address"),
        (PAGE, "https://exämple.org", "type", "in ASCII"),
        (PAGE, "https://example.org/a b", "type", "full web address"),
        (PAGE, "https://example.org\\@evil.example", "type", "full web address"),
        (PAGE, "https://ada:pass@example.org", "value", "name and password out"),
        (PAGE, "https://example.org:99999", "type", "full web address"),
        (PAGE, "https://example.org:0", "type", "full web address"),
        (PAGE, "https://[::1", "type", "full web address"),
        (PAGE, "https://[fe80::1%25eth0]/", "type", "full web address"),
        (PAGE, "https://127.1/", "type", "full web address"),
        (PAGE, "https://example.org/" + "x" * 2_000, "length", "2000 at most"),
        (HOST, "192.0.2.300", "type", "an IP address"),
        (HOST, "192.0.2.010", "type", "an IP address"),
        (HOST, "192.0.2.0/24", "type", "an IP address"),
        (HOST, "fe80::1%eth0", "type", "an IP address"),
        (NET, "192.0.2.1", "type", "a network"),
        (NET, "192.0.2.1/24", "type", "host bits are zero"),
        (NET, "192.0.2.0/255.255.255.0", "type", "a network"),
        (HOST_OR_NET, "192.0.2.1/24", "type", "or a network"),
        (FOUR, "2001:db8::1", "value", "IPv4"),
        (ask("person"), "a\tb", "value", "one login"),
        (ask("person"), "x" * 129, "value", "one login"),
        (ask("person"), {"name": "Ada"}, "type", "not dict"),
        (ask("secret"), "hunter2", "type", "not part of an order; hand it in"),
        (ask("secret"), {"secret": 5}, "type", "hand it in"),
        (ask("secret"), {"secret": "a b"}, "type", "hand it in"),
        (ask("secret"), {"given": True}, "type", "hand it in"),
    ],
)
def test_a_wrong_answer_is_refused_with_the_reason(field: Field, answer: Any, code: str, hint: str) -> None:
    found = check((field,), {"it": answer}, {})
    assert found.answers == {}
    ((error),) = found.errors
    assert (error.field, error.code) == ("it", code)
    assert error.message.startswith("It: ")
    assert hint in error.message


@pytest.mark.parametrize(
    ("field", "answer", "where", "code"),
    [
        (ask("people", at_least=2), ["a"], "it", "range"),
        (ask("people", at_most=2), ["a", "b", "c"], "it", "range"),
        (ask("people"), ["a", 5], "it[1]", "type"),
        (ask("attachment", media_types=["a/b"]), ["1", "2"], "it", "range"),
        (ask("attachment", media_types=["a/b"]), ["../1"], "it[0]", "value"),
        (ask("attachment", media_types=["a/b"]), "1", "it", "type"),
    ],
)
def test_a_wrong_list_is_refused_as_a_whole_or_by_its_entries(field: Field, answer: Any, where: str, code: str) -> None:
    assert [(error.field, error.code) for error in check((field,), {"it": answer}, {}).errors] == [(where, code)]


def test_a_secret_is_never_repeated_in_what_is_said_of_it() -> None:
    assert "hunter2" not in check((ask("secret"),), {"it": "hunter2"}, {}).model_dump_json()


def test_every_kind_of_field_can_be_read() -> None:
    listed = get_args(get_args(kinds.Field)[0])
    words = {get_args(kind.model_fields["type"].annotation)[0] for kind in listed}
    assert set(_READERS) == words - {"rows"}


def test_control_characters_are_told_from_line_ends_and_letters() -> None:
    assert has_control_characters("bell\x07")
    assert has_control_characters("next\x85line")
    assert has_control_characters("half\udfff")
    assert all(has_control_characters(f"turn{turn}txt.exe") for turn in "\u202a\u202e\u2066\u2069")
    assert not has_control_characters("\u200fשלום\u2065\u206a\u2029\u202f")
    assert not has_control_characters("tab\tline\r\nÅse 🙂")


@pytest.mark.parametrize(
    ("media_type", "size", "said"),
    [
        ("application/pdf", 5_000_000, None),
        ("APPLICATION/PDF; charset=x", 1, None),
        ("image/png", 1, None),
        ("application/pdf", 5_000_001, "a.pdf is too large (5 MB); attach 5 MB at most."),
        ("text/html", 1, "a.pdf is of the type text/html; attach one of: application/pdf, image/*."),
        ("", 1, "a.pdf is of the type unknown; attach one of: application/pdf, image/*."),
        ("imagex/png", 1, "a.pdf is of the type imagex/png; attach one of: application/pdf, image/*."),
    ],
)
def test_a_file_is_judged_by_its_size_and_type(media_type: str, size: int, said: str | None) -> None:
    field = AttachmentField(id="it", type="attachment", label="It", media_types=("application/pdf", "image/*"))
    assert check_file(field, "a.pdf", media_type, size) == said


@pytest.mark.parametrize(
    ("size", "said"), [(0, "0 B"), (999, "999 B"), (1_000, "1 kB"), (120_400, "120.4 kB"), (2_500_000, "2.5 MB")]
)
def test_sizes_are_said_in_the_unit_people_use(size: int, said: str) -> None:
    assert size_words(size) == said
