"""Occurrences worked out here, on the days that matter."""

from datetime import datetime, timedelta
from itertools import islice

import pytest

from xnovu.core.api.v1alpha1.notification_rule import ScheduleSpec
from xnovu.core.contracts.rules import RuleSchedule
from xnovu.core.errors import ScheduleInvalid
from xnovu.core.timetable import next_occurrences, rule_schedule


def times(
    schedule: RuleSchedule, after: str, count: int = 3, zone: str = "America/New_York"
) -> list[str]:
    start = datetime.fromisoformat(after)
    return [
        one.isoformat(timespec="minutes")
        for one in islice(next_occurrences(schedule, zone, start), count)
    ]


def test_a_time_in_a_gap_is_left_out_as_temporal_does() -> None:
    found = times(
        RuleSchedule(cron="30 2 * * *", run_after_gap=False), "2027-03-13T00:00:00-05:00", 2
    )
    assert found == ["2027-03-13T02:30-05:00", "2027-03-15T02:30-04:00"]


def test_a_time_in_a_gap_runs_after_the_jump_where_that_is_wanted() -> None:
    found = times(RuleSchedule(cron="30 2 * * *"), "2027-03-14T00:00:00-05:00", 2)
    assert found == ["2027-03-14T03:00-04:00", "2027-03-15T02:30-04:00"]


def test_every_hour_has_no_extra_run_at_the_gap() -> None:
    found = times(RuleSchedule(cron="30 * * * *"), "2027-03-14T01:00:00-05:00")
    assert found == ["2027-03-14T01:30-05:00", "2027-03-14T03:30-04:00", "2027-03-14T04:30-04:00"]


def test_a_time_in_an_overlap_comes_twice() -> None:
    found = times(RuleSchedule(cron="30 1 * * *"), "2027-11-07T00:00:00-04:00")
    assert found == ["2027-11-07T01:30-04:00", "2027-11-07T01:30-05:00", "2027-11-08T01:30-05:00"]


def test_day_and_weekday_must_both_match() -> None:
    found = times(RuleSchedule(cron="0 9 1 * MON"), "2027-01-01T00:00:00-05:00")
    assert [one[:10] for one in found] == ["2027-02-01", "2027-03-01", "2027-11-01"]


def test_skipped_dates_and_bounds_are_kept() -> None:
    schedule = RuleSchedule(
        cron="@daily",
        start_at="2027-01-02T00:00:00",
        end_at="2027-01-05T00:00:00",
        skip=("2027-01-03",),
    )
    found = times(schedule, "2026-01-01T00:00:00+00:00", 9)
    assert [one[:10] for one in found] == ["2027-01-02", "2027-01-04", "2027-01-05"]


def test_a_single_time_comes_once() -> None:
    schedule = RuleSchedule(at="2027-01-02T08:00:00")
    assert times(schedule, "2026-01-01T00:00:00+00:00") == ["2027-01-02T08:00-05:00"]
    assert times(schedule, "2027-01-02T13:00:00+00:00") == []


def test_an_interval_starts_with_its_offset() -> None:
    schedule = RuleSchedule(every=timedelta(hours=1), offset=timedelta(minutes=15))
    assert times(schedule, "2027-01-01T00:15:00+00:00", 1, "UTC") == ["2027-01-01T01:15+00:00"]


def test_a_leap_day_is_found_years_away() -> None:
    assert times(RuleSchedule(cron="0 0 29 2 *"), "2097-01-01T00:00:00+00:00") == []
    assert (
        times(RuleSchedule(cron="0 0 29 2 *"), "2025-01-01T00:00:00+00:00", 1)[0][:10]
        == "2028-02-29"
    )


def test_nothing_to_run_by_is_refused() -> None:
    with pytest.raises(ScheduleInvalid):
        times(RuleSchedule(), "2026-01-01T00:00:00+00:00")


def test_what_a_notification_rule_says_is_carried_along() -> None:
    spec = ScheduleSpec.model_validate(
        {
            "every": "1h30m",
            "offset": "10m",
            "jitter": "5s",
            "skip": ["2026-12-25"],
            "dst": {"gap": "Skip"},
        }
    )
    assert rule_schedule(spec) == RuleSchedule(
        every=timedelta(minutes=90),
        offset=timedelta(minutes=10),
        jitter=timedelta(seconds=5),
        skip=("2026-12-25",),
        run_after_gap=False,
    )
    assert rule_schedule(
        ScheduleSpec.model_validate({"at": "2026-12-24T08:00:00"})
    ) == RuleSchedule(at="2026-12-24T08:00:00")
