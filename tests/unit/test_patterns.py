"""Patterns of tenants: what they mean, and that none takes long."""

import time

import pytest

from xnovu.core.patterns import PatternRefused, compiled


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("b", "abc", True),
        ("^b", "abc", False),
        (r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$", "ada@acme.example", True),
        (r"^\d{4}-\d{2}$", "2026-01", True),
        (r"^\d$", "٣", False),
        ("^a$", "a\n", False),
        (r"^\p{Lu}\p{Ll}+$", "Érik", True),
        (r"^\u0041\u00e9$", "Aé", True),
        (r"^[\u0041-\u0043]+$", "ABC", True),
        ("^(?<year>[0-9]{4})$", "2026", True),
        (r"^\/a\/$", "/a/", True),
        ("^(?:a|b)?c$", "c", True),
    ],
)
def test_a_pattern_means_what_json_schema_says(pattern: str, text: str, found: bool) -> None:
    assert compiled(pattern).found_in(text) is found


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        "(?=a)b",
        "(?!a)b",
        "(?<=a)b",
        r"(a)\1",
        "a{1001}",
        "((a{99}){99}){99}",
        "\ud800",
        "(" * 50_000 + ")" * 50_000,
    ],
)
def test_what_cannot_be_bounded_is_refused_by_its_name(pattern: str) -> None:
    started = time.process_time()
    with pytest.raises(PatternRefused, match="look-around or back references"):
        compiled(pattern)
    assert time.process_time() - started < 0.25


@pytest.mark.parametrize(
    "pattern",
    [
        "^(a+)+$",
        "^(a|a)*$",
        "^(a|aa)+$",
        "^(a*)*b$",
        "^(.*a){20}$",
        "^" + "a?" * 40 + "a" * 40 + "b",
        "^" + "(a|aa)" * 40 + "b",
        "(x+x+)+y",
        r"^(([a-z])+.)+[A-Z]([a-z])+$",
        r"^([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$",
        r"^(\d+|\d+\.\d+|\s)*$",
        "(a{0,50}){0,19}$",
        r"\s+$",
    ],
)
def test_what_explodes_elsewhere_takes_a_moment(pattern: str) -> None:
    """Each of them takes a backtracking engine minutes or years on one of these."""
    started = time.process_time()
    for text in ("a" * 5000 + "!", "x" * 5000, "1" * 5000 + "z", " " * 5000 + "z"):
        compiled(pattern).found_in(text)
    assert time.process_time() - started < 0.5


def test_the_cost_bounds_the_time_where_the_engine_is_slowest() -> None:
    """Ten million instructions times characters is what one check may take."""
    for text in ("(.{900}x|.{800}y)+z", "[ab]{0,900}a[ab]{900}c", "(.*)(.*)(.*)(.*)[ab]{500}$"):
        pattern = compiled(text)
        value = "a" * 1_000_000
        while pattern.cost(value) > 10_000_000:
            value = value[: len(value) * 9 // 10]
        started = time.process_time()
        pattern.found_in(value)
        assert time.process_time() - started < 0.25
