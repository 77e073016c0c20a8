"""Texts of the commands: nothing hostile reaches a terminal, and times are said as people say them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xnovu.commands.text import block, length, line, number, relative, roughly, when

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@given(st.text())
def test_no_control_character_reaches_the_terminal(text: str) -> None:
    assert line(text).isprintable()
    assert all(part.isprintable() for part in block(text).split("\n"))


def test_what_is_harmless_stays_as_it_is() -> None:
    assert line("[red]Grüße[/red] 名前") == "[red]Grüße[/red] 名前"
    assert block("one\n\ttwo\r\nthree") == "one\n    two\nthree"
    assert (
        block("\x1b[2J\N{RIGHT-TO-LEFT OVERRIDE}")
        == "\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (0.42, "0.4 s"),
        (9.99, "10.0 s"),
        (10, "10 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
        (86_400 * 3 + 7200, "3 d 2 h"),
        (86_400 * 3 + 60, "3 d"),
        (86_400 * 400, "400 d"),
    ],
)
def test_a_length_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert length(timedelta(seconds=seconds)) == text


def test_times_are_said_from_now_on() -> None:
    assert relative(NOW - timedelta(minutes=5), NOW) == "5 min ago"
    assert relative(NOW + timedelta(hours=2), NOW) == "in 2 h"
    assert roughly(NOW - timedelta(minutes=95), NOW) == "1 h ago"
    assert roughly(NOW + timedelta(minutes=95), NOW) == "in 1 h"
    assert when(NOW - timedelta(hours=1), NOW) == "2026-11-24 07:00:00Z (1 h ago)"


def test_numbers_agree_with_their_nouns() -> None:
    assert [number(n, "row") for n in (0, 1, 2)] == ["0 rows", "1 row", "2 rows"]
    assert number(2, "delivery", "deliveries") == "2 deliveries"
