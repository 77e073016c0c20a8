"""Time zones and wall times: which instants a local time means, on the days when clocks change as well.

Pure: nobody asks for the current time in here. Called by the operator (to judge a rule), by `core.timetable` and by
`core.occurrences`. Zones come from the package tzdata, so that they do not depend on the image.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from xnovu.core.errors import ScheduleInvalid, clip

# Names that zoneinfo resolves and Temporal's server does not, or that mean whatever machine they are read on.
_NO_ZONES = frozenset({"localtime", "posixrules", "Factory"})


def check_time_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name. Raises ScheduleInvalid, which says how to write one."""
    try:
        zone = None if name in _NO_ZONES else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        zone = None
    if zone is None:
        raise ScheduleInvalid(
            f"there is no time zone {clip(name, 64)!r}: write an IANA name such as Europe/Berlin or UTC"
        )
    return zone


def instants(local: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """The instants, in UTC, at which clocks of the zone show a naive local time: none in a gap, two in an overlap."""
    found: list[datetime] = []
    for fold in (0, 1):
        instant = local.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if instant.astimezone(zone).replace(tzinfo=None) == local and instant not in found:
            found.append(instant)
    return tuple(found)


def gap_end(local: datetime, zone: ZoneInfo) -> datetime:
    """When clocks jumped over a naive local time that `instants` does not find: the first instant after, in UTC."""
    # PEP 495: in a gap, fold=1 reads with the new offset (too early), fold=0 with the old one (too late).
    early = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    late = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    old = early.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=int((late - early).total_seconds()) // 2)
        if middle.astimezone(zone).utcoffset() == old:
            early = middle
        else:
            late = middle
    return late


def moment(text: str, zone: ZoneInfo) -> datetime:
    """The instant, in UTC, that an ISO 8601 time means: with its offset, or read in the zone.

    A local time that happens twice means the first, one in a gap the end of the gap. Raises ScheduleInvalid.
    """
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise ScheduleInvalid(
            f"{clip(text, 64)!r} is no time: write 2026-12-24T08:00:00 or 2026-12-24T08:00:00+01:00"
        ) from error
    try:
        if parsed.tzinfo is not None:
            return parsed.astimezone(UTC)
        found = instants(parsed, zone)
        return found[0] if found else gap_end(parsed, zone)
    except OverflowError:
        raise ScheduleInvalid(
            f"{clip(text, 64)!r} is at the end of the calendar: write a time between the years 2 and 9998"
        ) from None


def is_put_back_near(instant: datetime, zone: ZoneInfo) -> bool:
    """Whether clocks of the zone are put back within two hours before or after."""
    before, after = (
        (instant.astimezone(UTC) + timedelta(hours=h)).astimezone(zone).utcoffset() for h in (-2, 2)
    )
    return before is not None and after is not None and after < before
