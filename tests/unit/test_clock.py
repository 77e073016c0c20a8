"""Zones, and wall times on the days when clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from xnovu.core import clock
from xnovu.core.errors import ScheduleInvalid

BERLIN = ZoneInfo("Europe/Berlin")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"])
def test_a_zone_is_found(name: str) -> None:
    assert clock.check_time_zone(name).key == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Mars/Base",
        "+02:00",
        "../etc/passwd",
        "/etc/localtime",
        "localtime",
        "Europe",
        "\0",
        "x" * 5000,
    ],
)
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(ScheduleInvalid, match="there is no time zone"):
        clock.check_time_zone(name)


def test_a_wall_time_in_a_gap_is_no_instant_and_ends_with_the_jump() -> None:
    local = datetime.fromisoformat("2026-03-29T02:30")
    assert clock.instants(local, BERLIN) == ()
    assert clock.gap_end(local, BERLIN) == utc("2026-03-29T01:00:00")


def test_a_wall_time_that_comes_twice_is_two_instants() -> None:
    first, second = clock.instants(datetime.fromisoformat("2026-10-25T02:30"), BERLIN)
    assert (first, second - first) == (utc("2026-10-25T00:30:00"), timedelta(hours=1))


def test_clocks_are_put_back_on_one_night_only() -> None:
    back = utc("2026-10-25T01:00:00")
    assert clock.is_put_back_near(back - timedelta(minutes=30), BERLIN)
    assert clock.is_put_back_near(back + timedelta(minutes=90), BERLIN)
    assert not clock.is_put_back_near(back + timedelta(hours=3), BERLIN)
    assert not clock.is_put_back_near(utc("2026-03-29T01:00:00"), BERLIN)


def test_half_an_hour_of_summer_time_is_known() -> None:
    zone = ZoneInfo("Australia/Lord_Howe")
    assert clock.gap_end(datetime.fromisoformat("2026-10-04T02:15"), zone) == utc(
        "2026-10-03T15:30:00"
    )


def test_a_moment_is_local_or_has_an_offset() -> None:
    assert clock.moment("2026-12-24T08:00:00", BERLIN) == utc("2026-12-24T07:00:00")
    assert clock.moment("2026-12-24T08:00:00+05:30", BERLIN) == utc("2026-12-24T02:30:00")
    assert clock.moment("2026-03-29T02:30:00", BERLIN) == utc("2026-03-29T01:00:00")


def test_a_moment_that_is_none_is_refused() -> None:
    with pytest.raises(ScheduleInvalid, match="is no time"):
        clock.moment("tomorrow", BERLIN)


@pytest.mark.parametrize(
    "text",
    ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59"],
)
def test_a_time_at_the_end_of_the_calendar_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(ScheduleInvalid, match="end of the calendar"):
        clock.moment(text, clock.check_time_zone("America/New_York"))
