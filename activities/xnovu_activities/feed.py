"""Fills the delivery log: asks Novu's activity feed what became of what was SENT, some times after it.

All state is in the database (`feed_due_at`, `feed_checks`), so a restart loses nothing and two workers that look at the
same time record once. Runs beside the polls of an enterprise, never in their way: a bounded batch, few calls at once,
and a pause as long as Novu asks for. Called by `upkeep`; decides nothing (`core.feed`).
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from xnovu.core import partial
from xnovu.core.contracts.common import EnterpriseRef
from xnovu.core.errors import NotificationError, NovuUnavailable, XNovuError
from xnovu.core.feed import Found, judge
from xnovu.core.records import DueFeed, Notification
from xnovu_activities.measures import Measures
from xnovu_activities.ports import Database, Novu, Tenants

BATCH: Final = 20
AT_ONCE: Final = 4
"""Calls at the same time. A look is one call for most notifications, and Novu's smallest plan has 30 reads a second."""

IDLE: Final = 30.0
AWAY: Final = 15.0
"""Seconds to the next look when nothing is due, and when the other side is away."""

_log: Final = logging.getLogger("xnovu.feed")


@dataclass(frozen=True, slots=True)
class FeedReader:
    """`delays`: seconds after the send at which the feed is looked at; none: never."""

    tenants: Tenants
    measures: Measures
    delays: tuple[float, ...]

    async def round(self, enterprise: EnterpriseRef) -> tuple[float, int]:
        """Look at what is due; answers the seconds to the next round, and how many of the last day did not arrive.

        Raises what the ports raise when a whole round got nothing done.
        """
        database = self.tenants.database(enterprise)
        due = await database.due_feeds(BATCH)
        if not due.rows:
            soon = due.next_due_seconds if due.next_due_seconds is not None else IDLE
            return min(max(soon, 0.05), IDLE), due.unreached_24h
        novu = self.tenants.novu(enterprise)
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(row: DueFeed) -> XNovuError | None:
            async with gate:
                return await self._look(database, novu, enterprise, row)

        ends = await asyncio.gather(*(one(row) for row in due.rows))
        errors = [end for end in ends if end is not None]
        if len(errors) == len(ends):
            raise errors[0]
        for row, end in zip(due.rows, ends, strict=True):
            if isinstance(end, NovuUnavailable):
                # The others were answered, so it is this one: it must not be the first of every round.
                await database.record_deliveries(judge(row, (), self.delays))
        return (_pause(errors) if errors else 0.05), due.unreached_24h

    async def _look(
        self, database: Database, novu: Novu, enterprise: EnterpriseRef, row: DueFeed
    ) -> XNovuError | None:
        try:
            found = await _found(novu, row.notification)
        except NotificationError as error:
            _log.warning("the feed of %s was refused: %s", row.notification.id, error.message)
            found = ()
        except XNovuError as error:
            return error
        record = judge(row, found, self.delays)
        if await database.record_deliveries(record) and record.next_seconds is None:
            self.measures.fed(enterprise.id, record.problem)
        return None


async def _found(novu: Novu, notification: Notification) -> Sequence[Found]:
    """The feed of every send. Most have one; an earlier generation's are asked for where it reached somebody."""
    found: list[Found] = []
    earlier = bool(notification.reached or notification.reached_topics or notification.unclear)
    for generation, transaction in partial.all_transactions(notification):
        if generation != notification.generation and not earlier:
            continue
        entries = await novu.activity(transaction)
        found += [Found(generation, transaction, entry) for entry in entries]
    return found


def _pause(errors: Sequence[XNovuError]) -> float:
    asked = [e.retry_after.total_seconds() for e in errors if e.retry_after is not None]
    return max(asked, default=AWAY)
