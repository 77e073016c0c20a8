"""Cron expressions as Temporal's server reads them, which is not how cron does.

The dialect is that of `service/worker/scheduler/calendar.go` of temporalio/temporal 1.29: names by prefix, `a/n` runs
to the end of the field, Sunday is 0 or 7, day and weekday must both match. Five fields or an @-name only: a sixth
would be the year and a seventh the seconds, which is never what somebody who comes from another cron means. Pure.
Called by the operator, by SyncSchedules and by `core.timetable`.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from xnovu.core.errors import ScheduleInvalid, clip

_NAMED: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS: Final = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_WEEKDAYS: Final = (
    "sunday",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
)
_LONGEST_MONTH: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_FIELDS: Final = 5
_MAX_LENGTH: Final = 255


@dataclass(frozen=True, slots=True)
class _Field:
    """Bounds of a field, the names it knows and how many letters make one."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    first: int = 0
    letters: int = 0


_MINUTE: Final = _Field("minute", 0, 59)
_HOUR: Final = _Field("hour", 0, 23)
_DAY: Final = _Field("day", 1, 31)
_MONTH: Final = _Field("month", 1, 12, _MONTHS, first=1, letters=3)
_WEEKDAY: Final = _Field("weekday", 0, 7, _WEEKDAYS, first=0, letters=2)
_ALL: Final = (_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY)


@dataclass(frozen=True, slots=True)
class Cron:
    """The values that each field allows. `weekdays`: 0 is Sunday."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @property
    def every_hour(self) -> bool:
        """Means hours that pass rather than times of the day: a repeated or missing hour does not concern it."""
        return len(self.hours) == _HOUR.high + 1

    def on(self, day: date) -> bool:
        """Whether it runs on that local date at all."""
        return (
            day.month in self.months
            and day.day in self.days
            and day.isoweekday() % 7 in self.weekdays
        )


def check_cron(text: str) -> None:
    """Raises ScheduleInvalid, with what to write instead, for what Temporal would refuse or read differently."""
    parse(text)


def parse(text: str) -> Cron:
    """Five fields or an @-name. Raises ScheduleInvalid."""
    stripped = text.strip()
    if len(stripped) > _MAX_LENGTH:
        raise ScheduleInvalid(
            f"the cron expression is longer than {_MAX_LENGTH} characters: make it several rules"
        )
    _refuse_other_dialects(stripped)
    fields = _NAMED.get(stripped, stripped).split()
    if len(fields) != _FIELDS:
        raise ScheduleInvalid(_wrong_number(stripped, len(fields)))
    minutes, hours, days, months, weekdays = (
        _values(part, field) for part, field in zip(fields, _ALL, strict=True)
    )
    if not any(day <= _LONGEST_MONTH[month - 1] for day in days for month in months):
        raise ScheduleInvalid(
            f"{clip(stripped, 64)!r} names a day that none of its months has: it would never run"
        )
    return Cron(minutes, hours, days, months, frozenset(day % 7 for day in weekdays))


def lint(text: str) -> tuple[str, ...]:
    """What a valid expression may not mean as people think it does; sentences for people. Raises ScheduleInvalid."""
    cron = parse(text)
    found: list[str] = []
    all_days = len(cron.days) == _DAY.high
    all_weekdays = len(cron.weekdays) == len(_WEEKDAYS)
    if not all_days and not all_weekdays:
        found.append(
            "day and weekday are both restricted: Temporal runs only when both match, cron when either does;"
            " for either, make it two rules"
        )
    if all_weekdays and min(cron.days) > min(
        _LONGEST_MONTH[month - 1] - 1 for month in cron.months
    ):
        found.append("some months or years do not have this day: they are left out")
    fields = _NAMED.get(text.strip(), text.strip()).split()
    for part, field in zip(fields, (_MINUTE, _HOUR), strict=False):
        star, _, step = part.partition("/")
        if star == "*" and step and (field.high + 1) % int(step):
            found.append(
                f"{part} does not divide the {field.name}s evenly: it starts anew with 0, so the last step is shorter"
            )
    return tuple(found)


def _refuse_other_dialects(text: str) -> None:
    if text.startswith(("TZ=", "CRON_TZ=")):
        raise ScheduleInvalid(
            "the cron expression holds a time zone: write it into the rule's time zone instead"
        )
    if text.startswith("@every"):
        raise ScheduleInvalid("@every is an interval: write it into every instead of cron")
    if text.startswith("@") and text not in _NAMED:
        raise ScheduleInvalid(
            f"there is no {clip(text, 64)!r}: write five fields, or one of {', '.join(_NAMED)}"
        )
    if "?" in text or "#" in text:
        raise ScheduleInvalid(
            "? and # are Quartz, which Temporal does not read: write * for any; for the n-th weekday, restrict day"
            " and weekday both (the first Monday is 0 9 1-7 * MON)"
        )


def _wrong_number(text: str, count: int) -> str:
    shown = clip(text, 64)
    if count == _FIELDS + 1:
        return (
            f"{shown!r} has six fields: Temporal would read the sixth as the year, others read the first as seconds;"
            " write five fields (minute hour day month weekday), and every for less than a minute"
        )
    return f"{shown!r} has {count} fields: write five (minute hour day month weekday), such as 0 8 * * 1-5"


def _values(text: str, field: _Field) -> frozenset[int]:
    return frozenset(value for part in text.split(",") for value in _part(part, field))


def _part(text: str, field: _Field) -> range:
    """One of `*`, `a`, `a-b`, each with or without `/n`."""
    body, slash, step_text = text.partition("/")
    step = _number(step_text) if slash else 1
    if step is None or step < 1:
        raise _bad(text, field, "a step is a number from 1")
    if body == "*":
        return range(field.low, field.high + 1, step)
    first, dash, second = body.partition("-")
    start = _value(first, field, text)
    if dash:
        end = _value(second, field, text)
        if end < start:
            raise _bad(text, field, "a range runs upwards; Sunday at its end is 7")
    else:
        end = field.high if slash else start
    return range(start, end + 1, step)


def _value(text: str, field: _Field, part: str) -> int:
    if field.names and len(text) >= field.letters:
        for index, name in enumerate(field.names, field.first):
            if name.startswith(text.lower()):
                return index
    value = _number(text)
    if value is None or not field.low <= value <= field.high:
        raise _bad(part, field, f"write numbers from {field.low} to {field.high}")
    return value


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _bad(part: str, field: _Field, advice: str) -> ScheduleInvalid:
    return ScheduleInvalid(f"{clip(part, 64)!r} is no {field.name} of a cron expression: {advice}")
