"""The steps of a delivery as functions over ports: claim, prepare, send, finish. No Temporal in here.

The composite local activity and the regular activities are thin around these, so both lanes do the same. All are
idempotent: claiming by owner, sending by transaction id, finishing by compare-and-set.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from xnovu.core import partial, payload
from xnovu.core.content import Content, load_and_render
from xnovu.core.contracts.notifications import (
    FinishOutcome,
    NotificationStatus,
    ProcessingInput,
    TriggerInput,
    TriggerResult,
)
from xnovu.core.errors import (
    Expired,
    NotificationNotFound,
    NovuThrottled,
    NovuUnavailable,
    OutcomeUnclear,
    WorkflowNotFound,
    XNovuError,
)
from xnovu.core.ids import idempotency_key, transaction_id
from xnovu.core.recipients import Chunk
from xnovu.core.records import Claim, Claimed, JsonObject, Notification, TriggerRequest, Workflow
from xnovu_activities import ending, verify
from xnovu_activities.ports import Database, Novu

Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A notification that can be sent, and how."""

    notification: Notification
    content: Content
    chunks: tuple[Chunk, ...]


async def claim(database: Database, request: ProcessingInput, owner: str) -> Claimed:
    """Make the row ours, or learn why not."""
    ref = request.ref
    (claimed,) = await database.claim([Claim(ref.enterprise.id, ref.notification_id, owner)])
    return claimed


def known(claimed: Claimed) -> tuple[Notification, Workflow]:
    """The row and its workflow. Raises NotificationNotFound and WorkflowNotFound."""
    if claimed.notification is None:
        raise NotificationNotFound(
            f"notification {claimed.notification_id} is not there for this enterprise"
        )
    if claimed.workflow is None:
        raise WorkflowNotFound(
            "the notification names no workflow that this enterprise may use and that is published:"
            " publish it, or correct notification_workflow_id, then replay the notification"
        )
    return claimed.notification, claimed.workflow


def check(
    claimed: Claimed, request: ProcessingInput, now: datetime, *, verified: bool = False
) -> tuple[Notification, Workflow]:
    """Everything that can be said before rendering. Raises a NotificationError.

    Raises OutcomeUnclear where an earlier generation may have been accepted, unless the feed is asked (`verified`).
    """
    notification, workflow = known(claimed)
    if notification.unclear and not verified:
        raise OutcomeUnclear("an earlier try may have been accepted: Novu's feed is asked first")
    limit = request.delivery.expire_after
    if limit is not None and now - notification.due_at > limit:
        raise _expired(notification, limit)
    payload.validate(notification, workflow)
    return notification, workflow


async def prepare(database: Database, notification: Notification, workflow: Workflow) -> Prepared:
    """Render and split. The same row gives the same chunks and content at every try."""
    content = await load_and_render(notification, workflow, database.templates)
    return Prepared(notification, content, partial.parts(notification))


def _expired(notification: Notification, limit: timedelta) -> Expired:
    due = f"{notification.due_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return Expired(
        f"it was due at {due}, and the Enterprise's delivery.expireAfter is {limit}: too late to be"
        " of use; raise expireAfter and replay it, if it still is"
    )


def request_of(
    prepared: Prepared, chunk: Chunk, *, definite_errors: int = 0, round_: int | None = None
) -> TriggerRequest:
    """One call. `round_`: number of a send to those alone that the feed missed."""
    n = prepared.notification
    transaction = transaction_id(n.enterprise_id, n.id, n.generation, chunk.index, round_)
    return TriggerRequest(
        workflow_key=prepared.content.workflow_key,
        recipients=chunk.recipients,
        topics=chunk.topics,
        payload=prepared.content.payload,
        overrides=prepared.content.overrides,
        transaction_id=transaction,
        idempotency_key=idempotency_key(transaction, definite_errors),
    )


@dataclass(frozen=True, slots=True)
class Sending:
    """What `send` works with. `verify_delay`: seconds for which Novu's feed may lag."""

    database: Database
    novu: Novu
    verify_delay: float
    now: datetime
    pause: Pause = asyncio.sleep


async def send(by: Sending, prepared: Prepared, request: TriggerInput) -> TriggerResult:
    """Send one chunk; after an unclear outcome, only what Novu's feed does not show.

    The feed is asked twice, `verify_delay` seconds apart: Novu writes it some time after it has accepted.
    """
    n, chunk = prepared.notification, prepared.chunks[request.chunk]
    round_: int | None = None
    if request.verify:
        seen = await _look(by.novu, n, chunk)
        if not seen.covers(chunk):
            await by.pause(by.verify_delay)
            seen = await _look(by.novu, n, chunk)
        if seen.covers(chunk):
            first = transaction_id(n.enterprise_id, n.id, n.generation, chunk.index)
            return TriggerResult(transaction_id=first, verified=True)
        chunk = seen.missing(chunk)
        round_ = seen.free_round if seen.own else None
    call = request_of(prepared, chunk, definite_errors=request.definite_errors, round_=round_)
    if not request.send:
        return TriggerResult(transaction_id=call.transaction_id, withdrawn=True)
    limit = request.expire_after
    if limit is not None and by.now - n.due_at > limit:
        raise _expired(n, limit)
    if round_ is not None and round_ > n.rounds:
        await by.database.note_round(n.id, round_)
    await by.novu.trigger(call)
    return TriggerResult(transaction_id=call.transaction_id)


async def _look(novu: Novu, notification: Notification, chunk: Chunk) -> verify.Seen:
    """`verify.look`, whose throttling is no refusal of the send: it must not change the send's idempotency key."""
    try:
        return await verify.look(novu, notification, chunk)
    except NovuThrottled as error:
        raise NovuUnavailable(
            f"Novu's feed cannot be asked yet: {error.message}", retry_after=error.retry_after
        ) from None


async def finish(
    database: Database,
    owner: str,
    notification: Notification,
    final: Literal[NotificationStatus.SENT, NotificationStatus.FAILED],
    *,
    error: XNovuError | None = None,
) -> FinishOutcome:
    """Write a final status by compare-and-set: SENT, or FAILED with `error` and nothing sent."""
    n = notification
    held = ending.Held(n.enterprise_id, n.id, owner, n.generation)
    if final is NotificationStatus.SENT or error is None:
        return await ending.sent(database, held)
    return await ending.failed(database, held, ending.failure(error.reason, error.message))


def shadow_report(prepared: Prepared) -> JsonObject:
    """What would have been sent: sizes and digest, to be compared with what the old system sent."""
    return {
        "workflowKey": prepared.content.workflow_key,
        "channels": [str(c) for c in prepared.content.channels],
        "recipients": len(prepared.notification.recipients),
        "digest": prepared.content.digest,
    }
