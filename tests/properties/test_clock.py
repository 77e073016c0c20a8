"""Properties of wall times and timetables."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from xnovu.core import clock, cron
from xnovu.core.contracts.rules import RuleSchedule
from xnovu.core.timetable import next_occurrences

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "Africa/Cairo",
]
zones = st.sampled_from(ZONES)
walls = st.datetimes(
    datetime.fromisoformat("2010-01-01"), datetime.fromisoformat("2040-01-01")
).map(lambda t: t.replace(microsecond=0))
crons = st.builds(
    "{} {} {} * *".format,
    st.sampled_from(["0", "30", "*/20", "15,45"]),
    st.sampled_from(["*", "2", "1-3", "*/6", "0"]),
    st.sampled_from(["*", "29-31", "1/5"]),
)


@given(walls, zones)
def test_a_wall_time_is_shown_by_all_of_its_instants_or_lies_in_a_gap(
    local: datetime, name: str
) -> None:
    zone = ZoneInfo(name)
    found = clock.instants(local, zone)
    assert all(one.astimezone(zone).replace(tzinfo=None) == local for one in found)
    if not found:
        end = clock.gap_end(local, zone)
        before = (end - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None)
        assert before < local < end.astimezone(zone).replace(tzinfo=None)


@given(crons, zones, walls, st.booleans())
def test_occurrences_rise_follow_the_start_and_match_the_expression(
    text: str, name: str, start: datetime, gap: bool
) -> None:
    after = start.replace(tzinfo=UTC)
    schedule = RuleSchedule(cron=text, run_after_gap=gap)
    found = list(islice(next_occurrences(schedule, name, after), 40))
    assert all(one.astimezone(UTC) > after for one in found)
    assert all(a.astimezone(UTC) < b.astimezone(UTC) for a, b in pairwise(found))
    if not gap:
        wanted = cron.parse(text)
        assert all(one.hour in wanted.hours and one.minute in wanted.minutes for one in found)
        assert all(wanted.on(one.date()) for one in found)


@given(st.integers(1, 100_000), st.integers(0, 5000), walls)
def test_an_interval_counts_from_the_epoch(every: int, offset: int, start: datetime) -> None:
    after = start.replace(tzinfo=UTC)
    schedule = RuleSchedule(every=timedelta(seconds=every), offset=timedelta(seconds=offset))
    first, second = islice(next_occurrences(schedule, "UTC", after), 2)
    assert (first.timestamp() - offset) % every == 0
    assert after < first <= after + timedelta(seconds=every)
    assert second - first == timedelta(seconds=every)
