"""What people write to choose dead letters, read: since when, which reason, which ids.

Pure: the time now is an argument. Called by `deadletters`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from xnovu.core import errors
from xnovu.core.errors import SettingsInvalid, XNovuError
from xnovu.core.inspection import DeadFilter

UNKNOWN: Final = "Unknown"
"""The reason of rows whose details say none, such as those of the TypeScript original."""

_SPAN: Final = re.compile(r"([0-9]{1,5})([smhdw])")
_UNITS: Final = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_HELP: Final = "write a length of time such as 30m, 24h or 7d, or a time such as 2026-11-24T08:00Z"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which dead letters, as written. `everything`: those that match nothing else are meant, too."""

    reason: str | None
    since: str | None
    ids: tuple[int, ...]
    limit: int
    everything: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said: a replay of all must be meant."""
        return not (self.reason or self.since or self.ids or self.everything)


def since(text: str | None, now: datetime) -> datetime | None:
    """A length of time before `now`, or a time; one without a zone is UTC. Raises SettingsInvalid."""
    if text is None:
        return None
    span = _SPAN.fullmatch(text.strip())
    try:
        if span is not None:
            return now - int(span[1]) * _UNITS[span[2]]
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise SettingsInvalid(f"--since cannot be read: {_HELP}") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def dead_filter(wanted: Wanted, now: datetime) -> DeadFilter:
    """Raises SettingsInvalid."""
    return DeadFilter(
        reason=wanted.reason,
        since=since(wanted.since, now),
        ids=tuple(sorted(set(wanted.ids))) or None,
        limit=wanted.limit,
    )


def reasons() -> list[str]:
    """Every reason with which a notification can have failed, for completion."""
    found: set[str] = {UNKNOWN}
    waiting: list[type[XNovuError]] = [errors.NotificationError, errors.OutcomeUnclear]
    while waiting:
        kind = waiting.pop()
        found.add(kind.reason)
        waiting.extend(kind.__subclasses__())
    return sorted(found)


def complete_reason(incomplete: str) -> list[str]:
    """The reasons that begin so, whatever the case."""
    return [r for r in reasons() if r.lower().startswith(incomplete.lower())]
