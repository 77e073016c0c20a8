"""Wall times that do not exist run when the clock has jumped."""

from datetime import UTC, datetime
from itertools import pairwise, takewhile

import pytest

from xnovu.core.contracts.rules import RuleSchedule
from xnovu.core.gaps import YEARS, jumps, runs_after_gaps
from xnovu.core.timetable import next_occurrences


def in_2027(text: str, zone: str) -> list[str]:
    return [at.isoformat()[:16] for at in runs_after_gaps(text, zone) if at.year == 2027]


@pytest.mark.parametrize(
    ("text", "zone", "found"),
    [
        ("30 2 * * *", "Europe/Berlin", ["2027-03-28T01:00"]),
        ("0,30 2 * * *", "Europe/Berlin", ["2027-03-28T01:00"]),
        ("30 2 * * SUN", "Europe/Berlin", ["2027-03-28T01:00"]),
        ("30 2 * * MON", "Europe/Berlin", []),
        ("0 3 * * *", "Europe/Berlin", []),
        ("30 * * * *", "Europe/Berlin", []),
        ("15 2 * * *", "Australia/Lord_Howe", ["2027-10-02T15:30"]),
        ("45 2 * * *", "Australia/Lord_Howe", []),
        ("30 2 * * *", "Africa/Casablanca", ["2027-03-14T02:00"]),
        ("30 2 * * *", "Asia/Kuala_Lumpur", []),
        ("30 0 * * *", "America/Havana", ["2027-03-14T05:00"]),
    ],
)
def test_a_time_in_a_gap_has_one_run(text: str, zone: str, found: list[str]) -> None:
    assert in_2027(text, zone) == found


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca"])
def test_it_is_what_the_timetable_tells_people(zone: str) -> None:
    every_minute = ",".join(map(str, range(60)))
    text = f"{every_minute} 2 * * *"
    start = datetime.fromisoformat("2027-01-01T00:00:00+00:00")
    told, plain = (
        takewhile(
            lambda at: at.year < 2028,
            next_occurrences(RuleSchedule(cron=text, run_after_gap=gap), zone, start),
        )
        for gap in (True, False)
    )
    ours = {at for at in runs_after_gaps(text, zone) if at.year == 2027}
    utc = [{at.astimezone(UTC) for at in found} for found in (told, plain)]
    assert utc[0] == utc[1] | ours
    assert len(ours) == 1


def test_the_jumps_are_in_order_and_few() -> None:
    found = jumps("Europe/Berlin")
    assert len(found) == len(YEARS)
    assert all(a.at < b.at for a, b in pairwise(found))
