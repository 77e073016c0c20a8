"""How a delivery ends: the final status with its reason, and of a partial success who was reached and who was not.

Functions over ports, as in `deliver`. Called by the activities of both lanes. Idempotent: compare-and-set on owner and
generation.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from xnovu.core import partial
from xnovu.core.contracts.notifications import (
    ChunkOutcome,
    ChunkResult,
    FinishOutcome,
    NotificationStatus,
)
from xnovu.core.errors import ConfigurationError, NotificationError, Unavailable, clip
from xnovu.core.ids import transaction_id
from xnovu.core.records import Finish, JsonObject, Notification
from xnovu_activities import verify
from xnovu_activities.ports import Database, Novu

LOOKING: Final = 10.0
"""Seconds for which Novu's feed is asked before FAILED is written: well within one step of the workflow."""

LONGEST: Final = 1000
"""Characters of a message; ours names every chunk's number at most."""


@dataclass(frozen=True, slots=True)
class Held:
    """A row that we hold: compare-and-set is on all of this."""

    enterprise_id: str
    notification_id: int
    owner: str
    generation: int


def failure(reason: str, message: str) -> JsonObject:
    """What `error_details` of a FAILED row says at least."""
    return {"reason": reason, "message": clip(message, LONGEST)}


async def sent(database: Database, held: Held) -> FinishOutcome:
    """SENT: Novu has accepted all of it."""
    h = held
    first = transaction_id(h.enterprise_id, h.notification_id, h.generation, 0)
    item = Finish(
        h.enterprise_id,
        h.notification_id,
        h.owner,
        h.generation,
        NotificationStatus.SENT,
        first,
        None,
    )
    (finished,) = await database.finish([item])
    return finished.outcome


async def failed(
    database: Database, held: Held, details: JsonObject, state: JsonObject | None = None
) -> FinishOutcome:
    """FAILED. `state`: what a replay must know, where something was or may have been sent."""
    h = held
    item = Finish(
        h.enterprise_id,
        h.notification_id,
        h.owner,
        h.generation,
        NotificationStatus.FAILED,
        None,
        details,
        state,
    )
    (finished,) = await database.finish([item])
    return finished.outcome


async def failed_in_part(
    database: Database,
    novu: Novu | None,
    held: Held,
    notification: Notification,
    error: tuple[str, str],
    results: Sequence[ChunkResult],
) -> FinishOutcome:
    """FAILED although somebody was or may have been reached. `error`: reason and message."""
    seen = await _seen(novu, notification, results) if novu is not None else {}
    chunks = partial.chunk_details(notification, results, seen)
    reason, message = error
    details = {**failure(reason, f"{message} ({partial.summary(chunks)})"), "chunks": chunks}
    state = partial.delivery_state(notification, results, seen)
    return await failed(database, held, details, state)


async def _seen(
    novu: Novu, notification: Notification, results: Sequence[ChunkResult]
) -> dict[int, frozenset[str]]:
    """Whom the feed shows of the unclear chunks. What cannot be asked now stays unclear: a replay asks again."""
    parts = partial.parts(notification)
    unclear = [r.chunk for r in results if r.outcome is ChunkOutcome.UNCLEAR]
    found: dict[int, frozenset[str]] = {}
    with suppress(TimeoutError, Unavailable, ConfigurationError, NotificationError):
        async with asyncio.timeout(LOOKING):
            for chunk in unclear:
                if chunk < len(parts):
                    found[chunk] = (await verify.look(novu, notification, parts[chunk])).people
    return found
