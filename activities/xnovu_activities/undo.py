"""Taking back a withdrawn notification at Novu, and saying per channel and recipient what could not be taken back.

What is delayed or digested is cancelled, in-app messages are deleted; an e-mail, a text, a push cannot be unsent. All
generations, chunks and verification rounds are covered. A function over ports; called by UpdateNotificationStatus.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from pydantic import JsonValue

from xnovu.core import partial
from xnovu.core.contracts.notifications import Channel, NotificationStatus
from xnovu.core.errors import NotificationError, NovuThrottled
from xnovu.core.records import FeedEntry, JobState, JsonObject, Notification
from xnovu_activities.deliver import Pause
from xnovu_activities.ports import Database, Novu

THROTTLED: Final = 1.0
"""Seconds to wait where Novu's 429 does not say how long."""

MOST_NAMED: Final = 1000
"""Recipients that a report names; the counts are of all of them."""


class Undone(StrEnum):
    """What became of a message that was to be taken back."""

    CANCELLED = "cancelled"
    DELETED = "deleted"
    CANNOT_BE_UNDONE = "cannotBeUndone"
    NEVER_SENT = "neverSent"
    UNDER_WAY = "underWay"
    """Novu is about to send it and takes no cancellation for it."""


@dataclass(slots=True)
class _Findings:
    """By transaction: whether messages were deleted, what the feed shows. `refused`: Novu's reason not to."""

    deleted: set[str] = field(default_factory=set)
    entries: dict[str, tuple[FeedEntry, ...]] = field(default_factory=dict)
    refused: str | None = None

    def people(self) -> frozenset[str]:
        return frozenset(e.subscriber_id for found in self.entries.values() for e in found)

    def is_settled(self, notification: Notification) -> bool:
        """Whether another look can show nothing new."""
        under_way = any(
            job.state is JobState.UNDER_WAY
            for found in self.entries.values()
            for entry in found
            for job in entry.jobs
        )
        everybody = self.people() >= frozenset(notification.recipients)
        return everybody and not under_way and not notification.topics


async def undo(
    database: Database,
    novu: Novu,
    notification: Notification,
    *,
    verify_delay: float,
    pause: Pause = asyncio.sleep,
    beat: Callable[[], None] = lambda: None,
) -> JsonObject | None:
    """Undo what can be undone, and record it; None where the row is not withdrawn. Idempotent.

    Novu makes the messages some time after it has accepted the send, so whatever does not show all of them at once is
    looked at again `verify_delay` seconds later. Raises what `ports.Novu` names when Novu is away: then nothing is
    recorded, and it is tried again.
    """
    if notification.status is not NotificationStatus.RETRACTED:
        return None
    found = _Findings()
    await _pass(novu, notification, found, pause, beat)
    if not found.is_settled(notification):
        await pause(verify_delay)
        await _pass(novu, notification, found, pause, beat)
    report = _report(notification, found)
    await database.settle_retraction(notification.id, report)
    return report


async def _pass(
    novu: Novu,
    notification: Notification,
    found: _Findings,
    pause: Pause,
    beat: Callable[[], None],
) -> None:
    for generation, transaction in partial.all_transactions(notification):
        is_current = generation == notification.generation
        while True:
            beat()
            try:
                await _one(novu, transaction, found, is_current=is_current)
            except NovuThrottled as error:
                # From the start again it would never come to its end: a large one is hundreds of calls.
                await pause(error.retry_after.total_seconds() if error.retry_after else THROTTLED)
                continue
            except NotificationError as error:
                # It will say so for ever; the row must not come back for ever.
                found.refused = error.reason
            break


async def _one(novu: Novu, transaction: str, found: _Findings, *, is_current: bool) -> None:
    """One transaction. What the feed does not show of the current generation may still be on its way there."""
    if not await novu.activity(transaction) and not is_current:
        return
    await novu.cancel(transaction)
    if await novu.delete_messages(transaction):
        found.deleted.add(transaction)
    found.entries[transaction] = await novu.activity(transaction)


def _report(notification: Notification, found: _Findings) -> JsonObject:
    people: dict[str, dict[Channel, Undone]] = {}
    for transaction, entries in found.entries.items():
        for entry in entries:
            mine = people.setdefault(entry.subscriber_id, {})
            for job in entry.jobs:
                if job.channel is not None:
                    deleted = transaction in found.deleted
                    mine[job.channel] = _undone(job.channel, job.state, deleted=deleted)
    counts: dict[Channel, Counter[Undone]] = {}
    for channels in people.values():
        for channel, undone in channels.items():
            counts.setdefault(channel, Counter())[undone] += 1
    not_seen = sorted(frozenset(notification.recipients) - people.keys())
    named: dict[str, JsonValue] = {
        who: {c.value: u.value for c, u in sorted(people[who].items())}
        for who in sorted(people)[:MOST_NAMED]
    }
    report: dict[str, JsonValue] = {
        "channels": {
            c.value: {u.value: n for u, n in sorted(counts[c].items())} for c in sorted(counts)
        },
        "recipients": named,
        "notSeen": [*not_seen[:MOST_NAMED]],
    }
    if found.refused is not None:
        report["refused"] = found.refused
    return report


def _undone(channel: Channel, state: JobState, *, deleted: bool) -> Undone:
    match state:
        case JobState.DELIVERED if channel is Channel.IN_APP and deleted:
            return Undone.DELETED
        case JobState.DELIVERED:
            return Undone.CANNOT_BE_UNDONE
        case JobState.CANCELLED:
            return Undone.CANCELLED
        case JobState.UNDER_WAY:
            return Undone.UNDER_WAY
        case JobState.FAILED | JobState.SKIPPED:
            return Undone.NEVER_SENT
