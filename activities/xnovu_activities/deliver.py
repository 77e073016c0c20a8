"""The steps of a delivery as functions over ports: claim, prepare, send, finish, undo. No Temporal in here.

The composite local activity and the regular activities are thin around these, so both lanes do the same. All are
idempotent: claiming by owner, sending by transaction id, finishing by compare-and-set.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from typing import Literal

from pydantic import JsonValue

from xnovu.core import payload
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
    NotificationError,
    NotificationNotFound,
    WorkflowNotFound,
    XNovuError,
)
from xnovu.core.ids import idempotency_key, transaction_id
from xnovu.core.recipients import Chunk, chunks
from xnovu.core.records import (
    Claim,
    Claimed,
    Finish,
    JsonObject,
    Notification,
    TriggerRequest,
    Workflow,
)
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
            "the notification names no workflow that this enterprise may use and that is published"
        )
    return claimed.notification, claimed.workflow


def check(
    claimed: Claimed, request: ProcessingInput, now: datetime
) -> tuple[Notification, Workflow]:
    """Everything that can be said before rendering. Raises a NotificationError."""
    notification, workflow = known(claimed)
    limit = request.delivery.expire_after
    if limit is not None and now - notification.due_at > limit:
        raise Expired(
            f"it was due at {notification.due_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}; expireAfter is {limit}"
        )
    chunks(notification.recipients, notification.topics)
    payload.validate(notification, workflow)
    return notification, workflow


async def prepare(database: Database, notification: Notification, workflow: Workflow) -> Prepared:
    """Render and split. The same row gives the same chunks and content at every try."""
    content = await load_and_render(notification, workflow, database.templates)
    return Prepared(notification, content, chunks(notification.recipients, notification.topics))


def request_of(
    prepared: Prepared,
    chunk: Chunk,
    *,
    definite_errors: int = 0,
    missing: tuple[int, frozenset[str]] | None = None,
) -> TriggerRequest:
    """One call. `missing`: number of the round and the only recipients to send to."""
    n = prepared.notification
    round_, only = missing if missing is not None else (None, frozenset(chunk.recipients))
    transaction = transaction_id(n.enterprise_id, n.id, n.generation, chunk.index, round_)
    return TriggerRequest(
        workflow_key=prepared.content.workflow_key,
        recipients=tuple(r for r in chunk.recipients if r in only),
        topics=chunk.topics if missing is None else (),
        payload=prepared.content.payload,
        overrides=prepared.content.overrides,
        transaction_id=transaction,
        idempotency_key=idempotency_key(transaction, definite_errors),
    )


async def send(
    novu: Novu,
    prepared: Prepared,
    request: TriggerInput,
    *,
    verify_delay: float,
    pause: Pause = asyncio.sleep,
) -> TriggerResult:
    """Send one chunk; after an unclear outcome, only what Novu's feed does not show.

    The feed is asked twice, `verify_delay` seconds apart: Novu writes it some time after it has accepted.
    """
    chunk = prepared.chunks[request.chunk]
    plain = request_of(prepared, chunk, definite_errors=request.definite_errors)
    if request.verify:
        round_ = max(request.attempt, 1)
        seen = await _seen(novu, prepared, chunk, round_)
        if not _complete(chunk, seen):
            await pause(verify_delay)
            seen = await _seen(novu, prepared, chunk, round_)
        if _complete(chunk, seen):
            return TriggerResult(transaction_id=plain.transaction_id, verified=True)
        missing = frozenset(chunk.recipients) - seen
        if seen and missing:
            plain = request_of(
                prepared,
                chunk,
                definite_errors=request.definite_errors,
                missing=(round_, missing),
            )
    if request.send:
        await novu.trigger(plain)
        return TriggerResult(transaction_id=plain.transaction_id)
    return TriggerResult(transaction_id=plain.transaction_id, withdrawn=True)


def _complete(chunk: Chunk, seen: frozenset[str]) -> bool:
    # Who a topic stands for is Novu's to know: that anybody was reached says that the call was accepted.
    return bool(seen) if chunk.topics else seen >= frozenset(chunk.recipients)


async def _seen(novu: Novu, prepared: Prepared, chunk: Chunk, rounds: int) -> frozenset[str]:
    n = prepared.notification
    seen: frozenset[str] = frozenset()
    for number in (None, *range(1, rounds + 1)):
        transaction = transaction_id(n.enterprise_id, n.id, n.generation, chunk.index, number)
        seen |= await novu.accepted(transaction)
    return seen


async def finish(
    database: Database,
    owner: str,
    notification: Notification,
    final: Literal[NotificationStatus.SENT, NotificationStatus.FAILED],
    *,
    error: XNovuError | None = None,
) -> FinishOutcome:
    """Write a final status by compare-and-set."""
    first = transaction_id(notification.enterprise_id, notification.id, notification.generation, 0)
    details = None if error is None else failure(error.reason, error.message)
    item = Finish(
        notification.enterprise_id,
        notification.id,
        owner,
        notification.generation,
        final,
        first if final is NotificationStatus.SENT else None,
        details,
    )
    (finished,) = await database.finish([item])
    return finished.outcome


def failure(reason: str, message: str) -> JsonObject:
    """What `error_details` of a FAILED row says."""
    return {"reason": reason, "message": message}


async def compensate(database: Database, novu: Novu, notification: Notification) -> JsonObject:
    """Undo at Novu what can be undone of a withdrawn notification, and record it. An e-mail cannot be unsent."""
    cancelled = deleted = False
    refused: str | None = None
    # A generation that was replayed may have reached some before it FAILED.
    parts = chunks(notification.recipients, notification.topics)
    for generation, chunk in product(range(notification.generation + 1), parts):
        transaction = transaction_id(
            notification.enterprise_id, notification.id, generation, chunk.index
        )
        try:
            cancelled = await novu.cancel(transaction) or cancelled
            deleted = await novu.delete_messages(transaction) or deleted
        except NotificationError as error:
            # It will say so for ever; the row must not come back for ever.
            refused = error.reason
    report: dict[str, JsonValue] = {
        "cancelled": cancelled,
        "inAppDeleted": deleted,
        "cannotBeUndone": [str(c) for c in notification.channels if c != "IN_APP"],
    }
    if refused is not None:
        report["refused"] = refused
    await database.settle_retraction(notification.id, report)
    return report


def shadow_report(prepared: Prepared) -> JsonObject:
    """What would have been sent: sizes and digest, to be compared with what the old system sent."""
    return {
        "workflowKey": prepared.content.workflow_key,
        "channels": [str(c) for c in prepared.content.channels],
        "recipients": len(prepared.notification.recipients),
        "digest": prepared.content.digest,
    }
