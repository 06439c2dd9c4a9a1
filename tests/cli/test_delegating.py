"""`commissary delegate`, against the API itself."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from support.api_world import ApiWorld
from support.terminal import Commissary

from catalog.delegation import Delegation
from cli.client import Trouble
from cli.delegations import _amount, _moment

WEEK = ("--from", "2025-03-10", "--until", "2025-03-14")


@pytest.fixture(autouse=True)
def _in_helsinki(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whoever types a day means it where they are."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Helsinki")
        time.tzset()
        yield
    time.tzset()


def standing(world: ApiWorld, login: str = "mara") -> Delegation:
    (one,) = world.register.delegations(viewer=f"id-{login}", state="open", at=world.clock.now).items
    return one


def test_days_are_meant_where_one_is_and_the_last_one_is_part_of_it(world: ApiWorld, commissary: Commissary) -> None:
    said = commissary("Mara Lind", "delegate", "set", "--to", "ben", *WEEK, "--reason", "On leave")
    one = standing(world)
    assert said == (
        0,
        (
            "Ben Bright may decide in the place of Mara Lind from Mon 10 Mar 2025 00:00 until Sat 15 Mar 2025 00:00, "
            f"for everything. To withdraw it: commissary delegate withdraw {one.id}"
        ),
    )
    assert (one.begins, one.ends) == (datetime(2025, 3, 9, 22, tzinfo=UTC), datetime(2025, 3, 14, 22, tzinfo=UTC))
    assert one.reason == "On leave"


def test_a_moment_may_be_named_and_without_a_beginning_it_is_now(world: ApiWorld, commissary: Commissary) -> None:
    commissary("Mara Lind", "delegate", "set", "--to", "ben", "--until", "2025-03-14T12:30")
    one = standing(world)
    assert (one.begins, one.ends) == (world.clock.now, datetime(2025, 3, 14, 10, 30, tzinfo=UTC))


def test_a_scope_is_made_of_items_categories_and_an_amount(world: ApiWorld, commissary: Commissary) -> None:
    scope = ("--item", "office-kit", "--item", "vpn", "--category", "access", "--up-to", "5000.50 eur")
    said = commissary("Mara Lind", "delegate", "set", "--to", "ben", *WEEK, *scope).text
    assert "for office-kit, vpn; everything in access, up to 5000.50 EUR in the first year." in said
    assert "Note: There is no item 'vpn' now." in said
    assert standing(world).scope.items == ("office-kit", "vpn")


def test_operators_set_it_for_others(world: ApiWorld, commissary: Commissary) -> None:
    said = commissary("Otto Operator", "delegate", "set", "--to", "ben", *WEEK, "--for", "mara")
    assert "Ben Bright may decide in the place of Mara Lind" in said.text
    assert standing(world).set_by.login == "otto"
    said = commissary("Ada Byron", "delegate", "set", "--to", "ben", *WEEK, "--for", "mara")
    assert said.code == 1
    assert "Only operators set delegations for others" in said.text


def test_a_repeat_with_its_key_sets_nothing_new(world: ApiWorld, commissary: Commissary) -> None:
    for _ in range(2):
        assert commissary("Mara Lind", "delegate", "set", "--to", "ben", *WEEK, "--key", "k").code == 0
    assert standing(world)


def test_both_find_it_in_their_list_until_it_is_withdrawn(world: ApiWorld, commissary: Commissary) -> None:
    commissary("Mara Lind", "delegate", "set", "--to", "ben", *WEEK)
    one = standing(world)
    row = f"{one.id} Mara Lind Ben Bright Mon 10 Mar 2025 00:00 Sat 15 Mar 2025 00:00 everything"
    for who in ("Mara Lind", "Ben Bright"):
        assert f"{row} to come" in commissary(who, "delegate", "list").text
    assert commissary("Sam Stranger", "delegate", "list").text == "There are no delegations, by you or to you."
    assert f"{row} to come" in commissary("Otto Operator", "delegate", "list", "--all").text
    assert commissary("Mara Lind", "delegate", "list", "--past").text == "No delegation is over."

    assert commissary("Mara Lind", "delegate", "withdraw", one.id) == (0, "Withdrawn.")
    assert f"{row} withdrawn" in commissary("Mara Lind", "delegate", "list", "--past").text
    assert one.id not in commissary("Mara Lind", "delegate", "list").text


def test_scripts_get_plain_json(commissary: Commissary) -> None:
    made = json.loads(commissary("Mara Lind", "delegate", "set", "--to", "ben", *WEEK, "--json").text)
    (listed,) = json.loads(commissary("Ben Bright", "delegate", "list", "--json").text)
    assert (made["id"], made["warnings"]) == (listed["id"], [])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--to", "nobody", *WEEK), "Error: The delegation is not set. • delegate: Nobody signs in as 'nobody'."),
        (("--to", "ben", "--until", "2025-03-01"), "• ends: It ends before it begins."),
        (("--to", "ben", "--until", "Friday"), "Error: --until Friday: write a day like 2027-01-06 or a moment"),
        (("--to", "ben", *WEEK, "--up-to", "much"), "Error: --up-to much: write it as AMOUNT CURRENCY"),
    ],
)
def test_mistakes_are_said_in_words(commissary: Commissary, arguments: tuple[str, ...], said: str) -> None:
    found = commissary("Mara Lind", "delegate", "set", *arguments)
    assert found.code == 1
    assert said in found.text


def test_withdrawing_what_there_is_not_is_said_in_words(commissary: Commissary) -> None:
    found = commissary("Mara Lind", "delegate", "withdraw", "dlg-nobody")
    assert found == (1, "Error: There is no such delegation, or you may not see it.")


@pytest.mark.parametrize(
    ("said", "first", "last"),
    [
        ("2025-03-30", "2025-03-30T00:00:00+02:00", "2025-03-31T00:00:00+03:00"),
        ("2025-10-26", "2025-10-26T00:00:00+03:00", "2025-10-27T00:00:00+02:00"),
        ("20250314", "2025-03-14T00:00:00+02:00", "2025-03-15T00:00:00+02:00"),
        ("2025-03-14T12:00", "2025-03-14T12:00:00+02:00", "2025-03-14T12:00:00+02:00"),
        ("2025-03-14T12:00Z", "2025-03-14T12:00:00+00:00", "2025-03-14T12:00:00+00:00"),
    ],
)
def test_a_day_is_as_long_as_it_is_there_also_when_the_clocks_change(said: str, first: str, last: str) -> None:
    assert _moment("--from", said) == first
    assert _moment("--until", said, last=True) == last


@pytest.mark.parametrize("said", ["", "9999-12-31", "2025-02-30", "noon"])
def test_what_is_no_time_is_refused(said: str) -> None:
    with pytest.raises(Trouble, match="write a day like"):
        _moment("--until", said, last=True)


@pytest.mark.parametrize(("said", "amount"), [("5000 EUR", "5000"), ("5_000eur", "5000"), (" 0.50 EUR ", "0.50")])
def test_an_amount_has_a_number_and_a_currency(said: str, amount: str) -> None:
    assert _amount(said) == {"amount": amount, "currency": "EUR"}


@pytest.mark.parametrize("said", ["5000", "EUR 5000", "5,000 EUR", "-1 EUR", "5000 Euro", ""])
def test_what_is_no_amount_is_refused(said: str) -> None:
    with pytest.raises(Trouble, match="AMOUNT CURRENCY"):
        _amount(said)
