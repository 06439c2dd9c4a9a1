"""Text from outside, made safe to show."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalog.text import MAX_TITLE, moment, one_line, paragraphs, quoted, readable, title

anything = st.text(st.characters())


def test_line_ends_and_control_characters_become_spaces() -> None:
    assert one_line("a\r\nb\u2028c\x85d\x00e\te  f ") == "a b c d e e f"
    assert one_line("\x1b[31mred") == "[31mred"


def test_characters_that_turn_the_line_around_are_dropped() -> None:
    assert one_line("rea\u202etxt\u2066.exe") == "reatxt.exe"


def test_letters_of_all_scripts_stay() -> None:
    text = "Åse Østrøm ❤ 山田 👩‍💻"
    assert one_line(text) == text


def test_a_title_is_cut_with_an_ellipsis() -> None:
    assert title("x" * MAX_TITLE) == "x" * MAX_TITLE
    assert title("x" * 1000) == f"{'x' * (MAX_TITLE - 1)}…"
    assert title("a\nb") == "a b"


def test_an_id_is_read_as_words() -> None:
    assert readable("hand-over_again") == "Hand over again"


def test_paragraphs_keep_their_line_ends() -> None:
    assert paragraphs("one  two\r\n\tthree\x07\n\nfour") == "one two\nthree\n\nfour"


def test_somebodys_words_are_quoted() -> None:
    assert quoted("fine\nwith me") == "'fine with me'"


@given(anything)
def test_whatever_comes_in_one_line_comes_out(text: str) -> None:
    line = one_line(text)
    assert line.splitlines() in ([], [line])
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in line)
    assert one_line(line) == line


def test_a_time_is_said_in_utc() -> None:
    assert moment("2025-03-03T12:00:00+00:00") == "3 March 2025, 12:00 UTC"
    assert moment("2025-03-03T00:30:00+02:00") == "2 March 2025, 22:30 UTC"
    assert moment("2025-03-03T12:00:00") == "3 March 2025, 12:00 UTC"
    assert moment("2025-03-03T12:00:00Z") == "3 March 2025, 12:00 UTC"


@given(anything)
@example("0001-01-01T00:00:00+02:00")
def test_what_is_no_time_comes_back_on_one_line(text: str) -> None:
    assert "\n" not in moment(text)


@pytest.mark.parametrize("text", ["tomorrow", "0001-01-01T00:00:00+02:00"])
def test_what_is_no_time_at_all_comes_back_as_it_is(text: str) -> None:
    assert moment(text) == text
