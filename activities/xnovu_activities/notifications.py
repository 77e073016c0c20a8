"""Activities of one notification: the composite of the single lane, and the plan's steps when it must go slowly.

Thin around `xnovu_activities.deliver`: they fetch clients, convert errors (`boundary`) and answer ids and reasons, never
bodies. Registered by the worker, called by NotificationProcessingWorkflow.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio import activity

from xnovu.core.contracts.notifications import (
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
    clip,
)
from xnovu.core.ids import claim_owner
from xnovu.core.recipients import chunks
from xnovu.core.records import Claimed, Finish, Notification
from xnovu_activities import deliver
from xnovu_activities.boundary import guarded
from xnovu_activities.measures import Measures
from xnovu_activities.ports import Database, Novu, Tenants

QUICK_CHUNKS = 5
"""Calls that the quick try makes: more would not fit in one workflow task."""


@dataclass(frozen=True, slots=True)
class NotificationActivities:
    """`namespace`: Temporal's, part of the claim's owner. `verify_delay`: how long Novu's queue may lag."""

    tenants: Tenants
    namespace: str
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
            case ClaimOutcome.CLAIMED:
                return await self._first_try(database, claimed, request, owner)
            case ClaimOutcome.RESUMED:
                return DeliverResult(next=Next.DEFERRED, reason="Resumed", resumed=True)
            case ClaimOutcome.RETRACTED:
                return await self._undo(database, request.ref, claimed)
            case other:
                return DeliverResult(next=Next.FINISHED, reason=other.value)

    async def _first_try(
        self, database: Database, claimed: Claimed, request: ProcessingInput, owner: str
    ) -> DeliverResult:
        notification = claimed.notification
        if notification is None:
            return DeliverResult(next=Next.FINISHED, reason=ClaimOutcome.MISSING.value)
        accepted = 0
        try:
            prepared = await deliver.prepare(database, *deliver.check(claimed, request, self.now()))
            if len(prepared.chunks) > QUICK_CHUNKS:
                return DeliverResult(next=Next.DEFERRED, reason="ManyRecipients", claimed=True)
            novu = self.tenants.novu(request.ref.enterprise)
            for chunk in prepared.chunks:
                await novu.trigger(deliver.request_of(prepared, chunk))
                self.measures.triggered(request.ref.enterprise.id, accepted=True)
                accepted += 1
        except NotificationError as error:
            if accepted:
                return _deferred(error, accepted)
            return await self._final(database, request.ref, owner, notification, error)
        except (Unavailable, ConfigurationError, OutcomeUnclear) as error:
            self.measures.triggered(request.ref.enterprise.id, accepted=False)
            return _deferred(error, accepted)
        return await self._final(
            database, request.ref, owner, notification, None, accepted=accepted
        )

    async def _final(
        self,
        database: Database,
        ref: NotificationRef,
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
            return await self._undo(database, ref, await database.fetch(ref.notification_id))
        return DeliverResult(
            next=Next.FINISHED,
            status=status,
            reason=error.reason if error else None,
            accepted=accepted,
        )

    async def _undo(
        self, database: Database, ref: NotificationRef, claimed: Claimed
    ) -> DeliverResult:
        if claimed.notification is not None:
            novu: Novu = self.tenants.novu(ref.enterprise)
            await deliver.compensate(database, novu, claimed.notification)
        return DeliverResult(next=Next.FINISHED, status=NotificationStatus.RETRACTED)

    async def _shadow(self, database: Database, request: ProcessingInput) -> DeliverResult:
        claimed = await database.fetch(request.ref.notification_id)
        try:
            prepared = await deliver.prepare(database, *deliver.check(claimed, request, self.now()))
            report = deliver.shadow_report(prepared)
        except NotificationError as error:
            report = deliver.failure(error.reason, error.message)
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
        try:
            count = len(chunks(row.recipients, row.topics))
        except NotificationError:
            count = 0
        return FetchResult(
            outcome=claimed.outcome,
            generation=row.generation,
            recipients=len(row.recipients),
            chunks=count,
        )

    @activity.defn(name="ValidateNotification")
    @guarded
    async def validate_notification(self, request: ProcessingInput) -> None:
        """Raises the NotificationError with which it must end, if any."""
        database = self.tenants.database(request.ref.enterprise)
        deliver.check(await database.fetch(request.ref.notification_id), request, self.now())

    @activity.defn(name="FetchWorkflowConfig")
    @guarded
    async def fetch_workflow_config(self, ref: NotificationRef) -> WorkflowConfigResult:
        """The notification's workflow; changes nothing."""
        claimed = await self.tenants.database(ref.enterprise).fetch(ref.notification_id)
        _, workflow = deliver.known(claimed)
        return WorkflowConfigResult(workflow_key=workflow.key, workflow_type=workflow.type)

    @activity.defn(name="RenderTemplate")
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
        claimed = await database.fetch(request.ref.notification_id)
        row = claimed.notification
        if (
            row is None
            or row.status is not NotificationStatus.PROCESSING
            or row.generation != request.generation
        ):
            return TriggerResult(transaction_id="", withdrawn=True)
        prepared = await deliver.prepare(database, *deliver.known(claimed))
        novu = self.tenants.novu(request.ref.enterprise)
        try:
            result = await deliver.send(
                novu, prepared, request, verify_delay=self.verify_delay.total_seconds()
            )
        except XNovuError:
            self.measures.triggered(request.ref.enterprise.id, accepted=False)
            raise
        self.measures.triggered(request.ref.enterprise.id, accepted=True)
        return result

    @activity.defn(name="UpdateNotificationStatus")
    @guarded
    async def update_notification_status(self, request: StatusInput) -> StatusResult:
        """Idempotency key: owner, generation and status; RETRACTED compensates and settles."""
        database = self.tenants.database(request.ref.enterprise)
        if request.status is NotificationStatus.RETRACTED:
            await self._undo(
                database, request.ref, await database.fetch(request.ref.notification_id)
            )
            return StatusResult(outcome=FinishOutcome.RETRACTED)
        sent = request.status is NotificationStatus.SENT
        item = Finish(
            request.ref.enterprise.id,
            request.ref.notification_id,
            self._owner(request.ref),
            request.generation,
            NotificationStatus.SENT if sent else NotificationStatus.FAILED,
            request.transaction_ids[0] if request.transaction_ids else None,
            None
            if sent
            else deliver.failure(request.reason or "InternalError", clip(request.message or "")),
        )
        (finished,) = await database.finish([item])
        if finished.outcome is FinishOutcome.FINISHED:
            self.measures.processed(request.ref.enterprise.id, request.status, None)
        return StatusResult(outcome=finished.outcome)

    def _owner(self, ref: NotificationRef) -> str:
        return claim_owner(self.namespace, ref.enterprise.id, ref.notification_id)


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
