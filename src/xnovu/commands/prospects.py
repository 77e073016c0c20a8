"""How a replay of many dead letters would go, one by one: each is rehearsed as the worker would send it.

Reads only. A dead letter that would fail again is told with the reason that it would fail with. Called by
`deadletters replay`.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from xnovu.commands.rehearsal import Rehearsal, rehearse
from xnovu.commands.systems import Enterprise, Systems
from xnovu.commands.text import number
from xnovu.core.contracts.common import Mode
from xnovu.core.errors import NotificationNotFound
from xnovu.core.inspection import DeadLetter

AT_ONCE: Final = 8
"""Rehearsals at once: each is one or two calls of the database."""


class Outlook(StrEnum):
    """What a replay would come to."""

    GOES = "goes"
    FAILS = "fails again"
    WAITS = "waits"


@dataclass(frozen=True, slots=True)
class Prospect:
    """One dead letter and what its replay would come to."""

    letter: DeadLetter
    outlook: Outlook
    why: str


async def prospects(
    systems: Systems,
    enterprise: Enterprise,
    letters: Sequence[DeadLetter],
    advance: Callable[[], None],
) -> tuple[Prospect, ...]:
    """In the order of `letters`; `advance` is called after each. Raises what the database raises."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(letter: DeadLetter) -> Prospect:
        async with gate:
            try:
                rehearsed = await rehearse(systems, enterprise, letter.id, replayed=True)
            except NotificationNotFound as error:
                return Prospect(letter, Outlook.FAILS, error.message)
            finally:
                advance()
        return prospect(letter, rehearsed)

    return tuple(await asyncio.gather(*(one(letter) for letter in letters)))


def prospect(letter: DeadLetter, rehearsed: Rehearsal) -> Prospect:
    """What a rehearsal says of a replay."""
    if rehearsed.prepared is None:
        return Prospect(letter, Outlook.FAILS, f"{rehearsed.reason}: {rehearsed.message}")
    if not letter.published:
        return Prospect(letter, Outlook.WAITS, "it is not published, or deactivated")
    people = sum(len(chunk.recipients) for chunk in rehearsed.chunks)
    topics = sum(len(chunk.topics) for chunk in rehearsed.chunks)
    parts = [number(people, "recipient")] if people else []
    parts += [number(topics, "topic")] if topics else []
    channels = ", ".join(rehearsed.content.channels) if rehearsed.content else ""
    by = f" by {channels}" if channels else ""
    return Prospect(letter, Outlook.GOES, f"to {' and '.join(parts) or 'nobody'}{by}")


def intake_warning(enterprise: Enterprise) -> str | None:
    """Why nothing that is replayed would be picked up now; None where it would."""
    if enterprise.problem is not None:
        return f"Temporal did not say whether anybody picks them up: {enterprise.problem}"
    if enterprise.config is None:
        return "no monitor runs for this enterprise: what is replayed waits until one does"
    if enterprise.config.suspend:
        return "the enterprise is suspended: what is replayed waits until it is not"
    if enterprise.config.realtime.mode is not Mode.ACTIVE:
        return f"realtime intake is {enterprise.config.realtime.mode}: what is replayed waits"
    return None
