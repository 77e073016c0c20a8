"""Texts for a terminal: what somebody else wrote made harmless, times and lengths of time as people say them.

Pure. Names, messages and recipients come from tenants: an escape sequence in one of them must not reach the terminal,
and rich's markup is never read from them. Used by every view.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from xnovu.core.errors import clip

_UNITS: Final = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
_EXACT: Final = 10
"""Seconds below which tenths are said."""


def line(text: str, limit: int = 256) -> str:
    """One line without control characters."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in clip(text, limit))


def block(text: str) -> str:
    """The same for a text of many lines."""
    lines = text.replace("\r\n", "\n").replace("\t", "    ").split("\n")
    return "\n".join(
        "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in part)
        for part in lines
    )


def stamp(at: datetime) -> str:
    """A time in UTC to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def length(span: timedelta, units: int = 2) -> str:
    """A length of time in its one or two largest units: `2 h 5 min`, `3 d`, `0.4 s`."""
    seconds = abs(span.total_seconds())
    if seconds < _EXACT:
        return f"{seconds:.1f} s"
    rest = round(seconds)
    parts: list[str] = []
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if parts and not count:
            break
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:units])


def relative(at: datetime, now: datetime) -> str:
    """`5 min ago`, `in 2 h`."""
    span = now - at
    return f"{length(span)} ago" if span >= timedelta() else f"in {length(span)}"


def roughly(at: datetime, now: datetime) -> str:
    """The same in one unit, for tables: `2 h ago`."""
    span = now - at
    return f"{length(span, 1)} ago" if span >= timedelta() else f"in {length(span, 1)}"


def when(at: datetime, now: datetime) -> str:
    """The time, and how far away it is."""
    return f"{stamp(at)} ({relative(at, now)})"


def number(count: int, noun: str, plural: str | None = None) -> str:
    """`1 recipient`, `2 recipients`."""
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"
