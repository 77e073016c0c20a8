"""Wall times that the change to summer time leaves out, and when they run instead: as soon as the clock has jumped.

Temporal leaves such a time out. Its Schedule is therefore given the ends of the gaps that concern a rule as times of
their own. Pure: zones come from the package tzdata. Called where a rule becomes a Schedule.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from xnovu.core import clock, cron

YEARS: Final = range(2026, 2051)
"""Fixed, so that the same rule makes the same Schedule on every day. Each year adds at most two times to it."""

_MINUTE: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)


class Jump(NamedTuple):
    """`at`: the instant. The local times from `left` up to `reached`, which is excluded, do not exist. Both are naive."""

    at: datetime
    left: datetime
    reached: datetime


@lru_cache(maxsize=8192)
def runs_after_gaps(text: str, time_zone: str) -> tuple[datetime, ...]:
    """When the times of a cron expression run that fall into a gap, in UTC. Hours that pass have none.

    Raises ScheduleInvalid for an expression or a zone that nobody can read.
    """
    wanted = cron.parse(text)
    if wanted.every_hour:
        return ()
    return tuple(jump.at for jump in jumps(time_zone) if _concerns(wanted, jump))


def _concerns(wanted: cron.Cron, jump: Jump) -> bool:
    local = jump.left
    while local < jump.reached:
        if local.hour in wanted.hours and local.minute in wanted.minutes and wanted.on(local):
            return True
        local += _MINUTE
    return False


@lru_cache(maxsize=1024)
def jumps(time_zone: str) -> tuple[Jump, ...]:
    """Every time that clocks of a zone are put forward, in order."""
    zone = clock.check_time_zone(time_zone)
    found: list[Jump] = []
    instant = datetime(YEARS.start, 1, 1, tzinfo=UTC)
    while instant.year < YEARS.stop:
        before, after = (i.astimezone(zone).utcoffset() for i in (instant, instant + _DAY))
        if before is not None and after is not None and after > before:
            at = _change(instant, time_zone)
            naive = at.replace(tzinfo=None)
            found.append(Jump(at, naive + before, naive + after))
        instant += _DAY
    return tuple(found)


def _change(start: datetime, time_zone: str) -> datetime:
    """The instant, within a day from `start`, at which the offset is another one; to the second."""
    zone = clock.check_time_zone(time_zone)
    early, late = start, start + _DAY
    old = early.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=int((late - early).total_seconds()) // 2)
        if middle.astimezone(zone).utcoffset() == old:
            early = middle
        else:
            late = middle
    return late
