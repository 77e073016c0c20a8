"""Activities of one notification: the composite of the single lane, and the plan's steps when it must go slowly.

Thin around `xnovu_activities.deliver`: they fetch clients, convert errors (`boundary`) and answer ids and reasons, never
bodies. Registered by the worker, called by NotificationProcessingWorkflow.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio import activity

from xnovu.core.contracts.notifications import (
    ChunkOutcome,
    ClaimOutcome,
    DeliverResult,
    FetchResult,
    FinishOutcome,
    Next,
    NotificationRef,
    NotificationStatus,
    ProcessingInput,
    RenderResult,
    StatusInput,
    StatusResult,
    TriggerInput,
    TriggerResult,
    WorkflowConfigResult,
)
from xnovu.core.errors import (
    ConfigurationError,
    NotificationError,
    NovuUnavailable,
    OutcomeUnclear,
    Unavailable,
    XNovuError,
)
from xnovu.core.ids import claim_owner
from xnovu.core.partial import is_partial, parts
from xnovu.core.records import Claimed, Notification
from xnovu_activities import deliver, ending, undo
from xnovu_activities.beating import BEAT
from xnovu_activities.boundary import gives_up, guarded
from xnovu_activities.measures import Measures
from xnovu_activities.ports import Database, Novu, Tenants

QUICK_CHUNKS = 5
"""Calls that the quick try makes: more would not fit in one workflow task."""


@dataclass(frozen=True, slots=True)
class NotificationActivities:
    """`installation`: part of the claims' owner. `verify_delay`: how long Novu's queue may lag."""

    tenants: Tenants
    installation: str
    verify_delay: timedelta
    measures: Measures
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @activity.defn(name="DeliverNotification")
    @guarded
    async def deliver_notification(self, request: ProcessingInput) -> DeliverResult:
        """All steps at once; whatever is not plainly done is DEFERRED. Idempotency key: the claim's owner."""
        begun = time.monotonic()
        try:
            result = await self._quick(request)
        except (Unavailable, ConfigurationError, OutcomeUnclear) as error:
            return DeliverResult(
                next=Next.DEFERRED, reason=error.reason, retry_after=error.retry_after
            )
        if result.status is not None:
            self.measures.processed(
                request.ref.enterprise.id, result.status, time.monotonic() - begun
            )
        return result

    async def _quick(self, request: ProcessingInput) -> DeliverResult:
        database = self.tenants.database(request.ref.enterprise)
        if request.shadow:
            return await self._shadow(database, request)
        owner = self._owner(request.ref)
        claimed = await deliver.claim(database, request, owner)
        match claimed.outcome:
            case ClaimOutcome.CLAIMED if claimed.notification is not None:
                row = claimed.notification
                return await self._first_try(database, claimed, row, request, owner)
            case ClaimOutcome.RESUMED:
                return DeliverResult(next=Next.DEFERRED, reason="Resumed", resumed=True)
            case ClaimOutcome.RETRACTED:
                return _withdrawn()
            case other:
                return DeliverResult(next=Next.FINISHED, reason=other.value)

    async def _first_try(
        self,
        database: Database,
        claimed: Claimed,
        notification: Notification,
        request: ProcessingInput,
        owner: str,
    ) -> DeliverResult:
        if notification.unclear:
            # Every chunk may have been accepted already, not only the first.
            return DeliverResult(
                next=Next.DEFERRED, reason=OutcomeUnclear.reason, resumed=True, claimed=True
            )
        accepted: list[int] = []
        try:
            prepared = await deliver.prepare(database, *deliver.check(claimed, request, self.now()))
            if (why := _not_quick(prepared)) is not None:
                return why
            ours = await self._trigger_all(database, request.ref, prepared, accepted)
        except (NotificationError, Unavailable, ConfigurationError, OutcomeUnclear) as error:
            final = isinstance(error, NotificationError) and len(parts(notification)) <= 1
            if not final:
                # One chunk that is refused does not stop the others: each is tried by itself.
                return _deferred(error, len(accepted))
            return await self._final(database, owner, notification, error)
        if not ours:
            return _withdrawn()
        return await self._final(database, owner, notification, None, accepted=len(accepted))

    async def _trigger_all(
        self,
        database: Database,
        ref: NotificationRef,
        prepared: deliver.Prepared,
        accepted: list[int],
    ) -> bool:
        """Send the chunks, adding those that Novu took to `accepted`; False where it was withdrawn between two."""
        novu = self.tenants.novu(ref.enterprise)
        for chunk in prepared.chunks:
            if accepted and not await self._is_ours(database, ref, prepared.notification):
                return False
            try:
                await novu.trigger(deliver.request_of(prepared, chunk))
            except XNovuError:
                self.measures.triggered(ref.enterprise.id, accepted=False)
                raise
            self.measures.triggered(ref.enterprise.id, accepted=True)
            accepted.append(chunk.index)
        return True

    async def _final(
        self,
        database: Database,
        owner: str,
        notification: Notification,
        error: XNovuError | None,
        *,
        accepted: int = 0,
    ) -> DeliverResult:
        status = NotificationStatus.FAILED if error else NotificationStatus.SENT
        try:
            if error:
                outcome = await deliver.finish(
                    database, owner, notification, NotificationStatus.FAILED, error=error
                )
            else:
                outcome = await deliver.finish(
                    database, owner, notification, NotificationStatus.SENT
                )
        except Unavailable as away:
            # What was accepted is known, so nothing needs to be verified when this is written later.
            return _deferred(away, accepted)
        if outcome is FinishOutcome.RETRACTED:
            return _withdrawn()
        return DeliverResult(
            next=Next.FINISHED,
            status=status,
            reason=error.reason if error else None,
            accepted=accepted,
        )

    async def _is_ours(
        self, database: Database, ref: NotificationRef, before: Notification
    ) -> bool:
        """Whether it may still be sent: not withdrawn, not replayed, not taken by another installation."""
        claimed = await database.fetch(ref.notification_id, self._owner(ref))
        row = claimed.notification
        return (
            row is not None
            and row.status is NotificationStatus.PROCESSING
            and row.generation == before.generation
        )

    async def _shadow(self, database: Database, request: ProcessingInput) -> DeliverResult:
        claimed = await database.fetch(request.ref.notification_id)
        try:
            checked = deliver.check(claimed, request, self.now(), verified=True)
            prepared = await deliver.prepare(database, *checked)
            report = deliver.shadow_report(prepared)
        except NotificationError as error:
            report = ending.failure(error.reason, error.message)
        await database.record_shadow(request.ref.notification_id, report)
        return DeliverResult(next=Next.FINISHED, reason="Shadow")

    @activity.defn(name="FetchNotification")
    @guarded
    async def fetch_notification(self, request: ProcessingInput) -> FetchResult:
        """Claim, or claim again: the same owner always gets the row."""
        database = self.tenants.database(request.ref.enterprise)
        claimed = await deliver.claim(database, request, self._owner(request.ref))
        row = claimed.notification
        if row is None:
            return FetchResult(outcome=claimed.outcome)
        return FetchResult(
            outcome=claimed.outcome,
            generation=row.generation,
            recipients=len(row.recipients),
            chunks=len(parts(row)),
        )

    @activity.defn(name="ValidateNotification")
    @gives_up
    @guarded
    async def validate_notification(self, request: ProcessingInput) -> None:
        """Raises the NotificationError with which it must end, if any."""
        database = self.tenants.database(request.ref.enterprise)
        claimed = await database.fetch(request.ref.notification_id)
        deliver.check(claimed, request, self.now(), verified=True)

    @activity.defn(name="FetchWorkflowConfig")
    @gives_up
    @guarded
    async def fetch_workflow_config(self, ref: NotificationRef) -> WorkflowConfigResult:
        """The notification's workflow; changes nothing."""
        claimed = await self.tenants.database(ref.enterprise).fetch(ref.notification_id)
        _, workflow = deliver.known(claimed)
        return WorkflowConfigResult(workflow_key=workflow.key, workflow_type=workflow.type)

    @activity.defn(name="RenderTemplate")
    @gives_up
    @guarded
    async def render_template(self, ref: NotificationRef) -> RenderResult:
        """Prove that the content renders; changes nothing."""
        database = self.tenants.database(ref.enterprise)
        begun = time.monotonic()
        prepared = await deliver.prepare(
            database, *deliver.known(await database.fetch(ref.notification_id))
        )
        self.measures.rendered(time.monotonic() - begun)
        return RenderResult(channels=prepared.content.channels, digest=prepared.content.digest)

    @activity.defn(name="TriggerNovu")
    @guarded
    async def trigger_novu(self, request: TriggerInput) -> TriggerResult:
        """One chunk, one try. Idempotency key: its transaction id; verified first where that was asked for."""
        database = self.tenants.database(request.ref.enterprise)
        claimed = await database.fetch(request.ref.notification_id, self._owner(request.ref))
        row = claimed.notification
        if (
            row is None
            or row.status is not NotificationStatus.PROCESSING
            or row.generation != request.generation
        ):
            return TriggerResult(transaction_id="", withdrawn=True)
        prepared = await deliver.prepare(database, *deliver.known(claimed))
        novu = self.tenants.novu(request.ref.enterprise)
        delay = self.verify_delay.total_seconds()
        sending = deliver.Sending(database, novu, delay, self.now())
        try:
            result = await deliver.send(sending, prepared, request)
        except XNovuError:
            self.measures.triggered(request.ref.enterprise.id, accepted=False)
            raise
        self.measures.triggered(request.ref.enterprise.id, accepted=True)
        return result

    @activity.defn(name="UpdateNotificationStatus")
    @guarded
    async def update_notification_status(self, request: StatusInput) -> StatusResult:
        """Idempotency key: owner, generation and status; RETRACTED undoes and settles."""
        database = self.tenants.database(request.ref.enterprise)
        if request.status is NotificationStatus.RETRACTED:
            return StatusResult(outcome=await self._undo(database, request.ref))
        held = ending.Held(
            request.ref.enterprise.id,
            request.ref.notification_id,
            self._owner(request.ref),
            request.generation,
        )
        if request.status is NotificationStatus.SENT:
            outcome = await ending.sent(database, held)
        else:
            outcome = await self._failed(database, held, request)
        if outcome is FinishOutcome.FINISHED:
            self.measures.processed(request.ref.enterprise.id, request.status, None)
        return StatusResult(outcome=outcome)

    async def _failed(
        self, database: Database, held: ending.Held, request: StatusInput
    ) -> FinishOutcome:
        reason, message = request.reason or "InternalError", request.message or ""
        row = None
        if is_partial(request.chunks):
            row = (await database.fetch(held.notification_id, held.owner)).notification
        if row is None:
            return await ending.failed(database, held, ending.failure(reason, message))
        novu: Novu | None = None
        if any(c.outcome is ChunkOutcome.UNCLEAR for c in request.chunks):
            try:
                novu = self.tenants.novu(request.ref.enterprise)
            except ConfigurationError:
                novu = None
        return await ending.failed_in_part(
            database, novu, held, row, (reason, message), request.chunks
        )

    async def _undo(self, database: Database, ref: NotificationRef) -> FinishOutcome:
        row = (await database.fetch(ref.notification_id)).notification
        if row is None or row.status is not NotificationStatus.RETRACTED:
            # Another owner's, or replayed: not ours to touch.
            return FinishOutcome.LOST
        delay = self.verify_delay.total_seconds()
        await undo.undo(
            database,
            self.tenants.novu(ref.enterprise),
            row,
            verify_delay=delay,
            pause=_pause_beating,
            beat=activity.heartbeat,
        )
        return FinishOutcome.RETRACTED

    def _owner(self, ref: NotificationRef) -> str:
        return claim_owner(self.installation, ref.enterprise.id, ref.notification_id)


async def _pause_beating(seconds: float) -> None:
    """Wait, and go on saying that we live."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        await asyncio.sleep(min(left, BEAT))
        activity.heartbeat()


def _not_quick(prepared: deliver.Prepared) -> DeliverResult | None:
    """Why it must go step by step from the start, if it must."""
    if len(prepared.chunks) > QUICK_CHUNKS:
        return DeliverResult(next=Next.DEFERRED, reason="ManyRecipients", claimed=True)
    return None


def _withdrawn() -> DeliverResult:
    """Taking it back waits for Novu's feed, so it is no matter of a quick try."""
    return DeliverResult(next=Next.DEFERRED, reason=ClaimOutcome.RETRACTED.value, claimed=True)


def _deferred(error: XNovuError, accepted: int) -> DeliverResult:
    """Claimed by this very try, and this much of it is certain."""
    return DeliverResult(
        next=Next.DEFERRED,
        reason=error.reason,
        retry_after=error.retry_after,
        accepted=accepted,
        unclear=isinstance(error, OutcomeUnclear | NovuUnavailable),
        claimed=True,
    )
