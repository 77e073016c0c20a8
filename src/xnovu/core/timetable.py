"""The times at which a schedule is due, worked out here: for previews, and to see whether a later one has come.

The same as Temporal's server computes for the Schedule that we make of a rule (checked by tests against it): a wall
time in a gap is left out, one in an overlap comes twice, intervals count from 1970-01-01. Temporal decides what runs;
this only tells people and `core.occurrences`. Pure: the start is given.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from xnovu.core import clock, cron
from xnovu.core.api.v1alpha1.notification_rule import DstGap, ScheduleSpec
from xnovu.core.contracts.rules import RuleSchedule
from xnovu.core.errors import ScheduleInvalid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_LAST_YEAR = 2100
"""Temporal does not look further (`maxCalendarYear`)."""


def rule_schedule(spec: ScheduleSpec) -> RuleSchedule:
    """What a NotificationRule's `spec.schedule` says, as its runs carry it."""
    return RuleSchedule(
        cron=spec.cron,
        every=None if spec.every is None else spec.every.delta,
        offset=timedelta(0) if spec.offset is None else spec.offset.delta,
        at=spec.at,
        start_at=spec.start_at,
        end_at=spec.end_at,
        skip=spec.skip,
        jitter=timedelta(0) if spec.jitter is None else spec.jitter.delta,
        run_after_gap=spec.dst.gap is DstGap.RUN_AFTER,
    )


def next_occurrences(schedule: RuleSchedule, time_zone: str, after: datetime) -> Iterator[datetime]:
    """Aware times in the zone, strictly after `after` (aware), in order, without jitter; possibly without end.

    Raises ScheduleInvalid for a schedule, zone or time that nobody can read, at the first item.
    """
    zone = clock.check_time_zone(time_zone)
    start = after
    if schedule.start_at is not None:
        # The start itself counts, `after` does not.
        start = max(start, clock.moment(schedule.start_at, zone) - timedelta(seconds=1))
    end = None if schedule.end_at is None else clock.moment(schedule.end_at, zone)
    skip = frozenset(date.fromisoformat(day) for day in schedule.skip)
    for instant in _instants(schedule, zone, start):
        if end is not None and instant > end:
            return
        local = instant.astimezone(zone)
        if instant > start and local.date() not in skip:
            yield local


def _instants(schedule: RuleSchedule, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    if schedule.cron is not None:
        return _of_cron(
            cron.parse(schedule.cron), zone, after, run_after_gap=schedule.run_after_gap
        )
    if schedule.every is not None:
        return _of_interval(schedule.every, schedule.offset, after)
    if schedule.at is not None:
        return iter((clock.moment(schedule.at, zone),))
    raise ScheduleInvalid("a schedule needs one of cron, every and at")


def _of_interval(every: timedelta, offset: timedelta, after: datetime) -> Iterator[datetime]:
    if every < timedelta(seconds=1):
        raise ScheduleInvalid("every is at least 1s")
    count = (after - _EPOCH - offset) // every
    while True:
        yield _EPOCH + offset + count * every
        count += 1


def _of_cron(
    wanted: cron.Cron, zone: ZoneInfo, after: datetime, *, run_after_gap: bool
) -> Iterator[datetime]:
    # A day early: around a change of the date line, local dates do not follow the instants.
    day = (after.astimezone(zone) - _DAY).date()
    last = after - timedelta(seconds=1)
    while day.year <= _LAST_YEAR:
        if wanted.on(day):
            for instant in _of_day(wanted, day, zone, run_after_gap=run_after_gap):
                if instant > last:
                    last = instant
                    yield instant
        day += _DAY


def _of_day(wanted: cron.Cron, day: date, zone: ZoneInfo, *, run_after_gap: bool) -> list[datetime]:
    found: set[datetime] = set()
    for hour in wanted.hours:
        for minute in wanted.minutes:
            local = datetime.combine(day, time(hour, minute))
            shown = clock.instants(local, zone)
            found.update(shown)
            if not shown and run_after_gap and not wanted.every_hour:
                found.add(clock.gap_end(local, zone))
    return sorted(found)
