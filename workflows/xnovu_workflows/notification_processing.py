"""NotificationProcessingWorkflow: one notification from claim to final status. Its id is the notification's mutex.

The single lane is one local activity: six events, three transitions. What is not plainly done there goes on step by
step: each step visible, sends decided here one by one, because only what is certain may be counted or repeated.
It never fails: a notification that cannot be delivered is FAILED in the database, with its reason.
"""

from collections.abc import Sequence
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    FailureError,
    is_cancelled_exception,
)

with workflow.unsafe.imports_passed_through():
    from xnovu.core.contracts.common import RetryConfig
    from xnovu.core.contracts.notifications import (
        ChunkOutcome,
        ChunkResult,
        ClaimOutcome,
        DeliverResult,
        FetchResult,
        FinishOutcome,
        Next,
        NotificationStatus,
        ProcessingInput,
        RenderResult,
        StatusInput,
        StatusResult,
        TriggerInput,
        TriggerResult,
        WorkflowConfigResult,
        WorkflowType,
    )
    from xnovu.core.errors import (
        ConfigurationError,
        CredentialsMissing,
        CredentialsRejected,
        DatabaseUnavailable,
        Expired,
        NovuFailed,
        NovuNoTurn,
        NovuThrottled,
        NovuUnavailable,
        OutcomeUnclear,
        WorkflowNotFound,
    )
    from xnovu_workflows.policies import (
        FOREVER,
        ONCE,
        QUICK,
        SEND,
        STEP,
        UNDO,
        UNDO_HEARTBEAT,
    )

SLOW = timedelta(minutes=1)
"""Wait between two tries with credentials that are refused: somebody must mend them."""

_WAITING = {
    ConfigurationError.reason,
    CredentialsMissing.reason,
    CredentialsRejected.reason,
    NovuNoTurn.reason,
    NovuThrottled.reason,
    NovuUnavailable.reason,
    NovuFailed.reason,
    DatabaseUnavailable.reason,
}
"""Certainly not accepted, and no fault of the notification: waited for, not counted."""

_HOPELESS = {WorkflowNotFound.reason, Expired.reason}
"""What refuses one chunk for such a reason refuses all that follow."""

_UNCLEAR = {None, OutcomeUnclear.reason, NovuUnavailable.reason, NovuFailed.reason}
"""It may have been accepted: a time-out, a reset, and Novu's own 5xx, which may come after it has queued the work."""

_KEPT = {NovuThrottled.reason, NovuFailed.reason}
"""Answers that Novu keeps under the idempotency key for a day: the same key would get the same answer again."""


@workflow.defn
class NotificationProcessingWorkflow:
    """Answers how it ended."""

    @workflow.run
    async def run(self, request: ProcessingInput) -> DeliverResult:
        quick = await self._quick(request)
        if quick.next is Next.FINISHED:
            return quick
        if request.shadow:
            return await self._shadow(request)
        return await _Slow(request, quick).run()

    async def _quick(self, request: ProcessingInput) -> DeliverResult:
        quick: DeliverResult
        try:
            quick = await workflow.execute_local_activity(
                "DeliverNotification",
                request,
                result_type=DeliverResult,
                schedule_to_close_timeout=QUICK,
                retry_policy=ONCE,
            )
        except FailureError as error:
            # A local activity's own error comes as it is, a time-out and a cancellation inside an ActivityError.
            if is_cancelled_exception(error):
                raise
            # Timed out, or a defect: anything may have been sent.
            reason = error.type if isinstance(error, ApplicationError) else "Timeout"
            quick = DeliverResult(next=Next.DEFERRED, reason=reason, resumed=True, unclear=True)
        return quick

    async def _shadow(self, request: ProcessingInput) -> DeliverResult:
        result: DeliverResult = await workflow.execute_activity(
            "DeliverNotification",
            request,
            result_type=DeliverResult,
            start_to_close_timeout=STEP,
            retry_policy=FOREVER,
        )
        return result


class _Slow:
    """The steps one by one, after a quick try that was deferred."""

    def __init__(self, request: ProcessingInput, quick: DeliverResult) -> None:
        self._request = request
        self._quick = quick
        self._resumed = quick.resumed
        self._generation = 0

    async def run(self) -> DeliverResult:
        workflow.logger.info("delivery goes step by step", extra={"reason": self._quick.reason})
        if self._quick.retry_after is not None:
            await workflow.sleep(self._quick.retry_after)
        fetched = await workflow.execute_activity(
            "FetchNotification",
            self._request,
            result_type=FetchResult,
            start_to_close_timeout=STEP,
            retry_policy=FOREVER,
        )
        self._generation = fetched.generation
        if fetched.outcome is ClaimOutcome.RETRACTED:
            return await self._take_back()
        if fetched.outcome not in {ClaimOutcome.CLAIMED, ClaimOutcome.RESUMED}:
            return DeliverResult(next=Next.FINISHED, reason=fetched.outcome.value)
        if fetched.outcome is ClaimOutcome.RESUMED and not self._quick.claimed:
            # Ours, but not from this run: whoever made that claim may have sent.
            self._resumed = True
        return await self._deliver(fetched.chunks)

    async def _deliver(self, chunks: int) -> DeliverResult:
        try:
            await self._check()
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            # What an earlier run sent of a row that cannot be prepared any more, Novu's feed may tell.
            found = _chunk_result(0, error, unclear=self._resumed)
            each = [found.model_copy(update={"chunk": chunk}) for chunk in range(chunks)]
            return await self._end(NotificationStatus.FAILED, found.reason, found.message, each)
        results = await self._send_all(chunks)
        if results is None:
            return await self._take_back()
        if all(r.outcome is ChunkOutcome.ACCEPTED for r in results):
            return await self._end(NotificationStatus.SENT)
        return await self._fail(results)

    async def _fail(self, results: Sequence[ChunkResult]) -> DeliverResult:
        first = next(r for r in results if r.outcome is not ChunkOutcome.ACCEPTED)
        return await self._end(NotificationStatus.FAILED, first.reason, first.message, results)

    async def _check(self) -> None:
        ref = self._request.ref
        if self._quick.accepted:
            return
        config = await workflow.execute_activity(
            "FetchWorkflowConfig",
            ref,
            result_type=WorkflowConfigResult,
            start_to_close_timeout=STEP,
            retry_policy=FOREVER,
        )
        await workflow.execute_activity(
            "ValidateNotification",
            self._unhurried() if self._resumed else self._request,
            start_to_close_timeout=STEP,
            retry_policy=FOREVER,
        )
        if config.workflow_type is WorkflowType.DYNAMIC:
            await workflow.execute_activity(
                "RenderTemplate",
                ref,
                result_type=RenderResult,
                start_to_close_timeout=STEP,
                retry_policy=FOREVER,
            )

    def _unhurried(self) -> ProcessingInput:
        """What may have been sent in time must not be called expired before Novu's feed was asked; the send does that."""
        delivery = self._request.delivery.model_copy(update={"expire_after": None})
        return self._request.model_copy(update={"delivery": delivery})

    async def _send_all(self, chunks: int) -> list[ChunkResult] | None:
        """What became of each chunk; None where it was withdrawn. One that is refused does not stop the others."""
        results: list[ChunkResult] = []
        for chunk in range(chunks):
            result: ChunkResult | None
            if chunk < self._quick.accepted:
                result = ChunkResult(chunk=chunk, outcome=ChunkOutcome.ACCEPTED)
            else:
                unclear = self._resumed or bool(_tried(self._quick, chunk))
                result = await self._send(chunk, unclear=unclear)
            if result is None:
                return None
            results.append(result)
            if result.reason in _HOPELESS:
                break
        return results

    async def _send(self, chunk: int, *, unclear: bool) -> ChunkResult | None:
        """Try until it is accepted or the attempts are used up; never again without asking, after an unclear one."""
        retry = self._request.delivery.retry
        attempt, waits, refusals = _tried(self._quick, chunk), 0, 0
        if chunk == self._quick.accepted and self._quick.reason in _KEPT:
            refusals = 1
        while True:
            last = attempt >= retry.maximum_attempts
            call = TriggerInput(
                ref=self._request.ref,
                generation=self._generation,
                chunk=chunk,
                verify=unclear,
                definite_errors=refusals,
                send=not (last and unclear),
                expire_after=self._request.delivery.expire_after,
            )
            try:
                result = await workflow.execute_activity(
                    "TriggerNovu",
                    call,
                    result_type=TriggerResult,
                    start_to_close_timeout=SEND,
                    retry_policy=ONCE,
                )
            except ActivityError as error:
                reason = _reason(error)
                counted = reason not in _WAITING
                if is_cancelled_exception(error):
                    raise
                if counted and (last or not _is_retryable(error)):
                    return _chunk_result(chunk, error, unclear=unclear or reason in _UNCLEAR)
                unclear = unclear or counted or reason in _UNCLEAR
                # Only what was received: an answer that was lost is not known to be a refusal.
                refusals += int(reason in _KEPT)
                attempt, waits = attempt + int(counted), waits + 1
                await workflow.sleep(_delay(error, reason, retry, waits))
                if workflow.info().is_continue_as_new_suggested():
                    # Hours of waiting: the next run claims again and asks Novu before it sends.
                    workflow.continue_as_new(self._request)
                continue
            return _ended(call, result, retry)

    async def _take_back(self) -> DeliverResult:
        """Undo at Novu what can be undone; a Novu that is away is waited for. Not ours any more: leave it alone."""
        result = await workflow.execute_activity(
            "UpdateNotificationStatus",
            StatusInput(ref=self._request.ref, status=NotificationStatus.RETRACTED),
            result_type=StatusResult,
            start_to_close_timeout=UNDO,
            heartbeat_timeout=UNDO_HEARTBEAT,
            retry_policy=FOREVER,
        )
        if result.outcome is FinishOutcome.LOST:
            return DeliverResult(next=Next.FINISHED, reason=result.outcome.value)
        return DeliverResult(next=Next.FINISHED, status=NotificationStatus.RETRACTED)

    async def _end(
        self,
        status: NotificationStatus,
        reason: str | None = None,
        message: str | None = None,
        chunks: Sequence[ChunkResult] = (),
    ) -> DeliverResult:
        result = await workflow.execute_activity(
            "UpdateNotificationStatus",
            StatusInput(
                ref=self._request.ref,
                status=status,
                generation=self._generation,
                reason=reason,
                message=message,
                chunks=tuple(chunks),
            ),
            result_type=StatusResult,
            start_to_close_timeout=STEP,
            retry_policy=FOREVER,
        )
        if result.outcome is FinishOutcome.RETRACTED:
            return await self._take_back()
        if result.outcome is FinishOutcome.LOST:
            return DeliverResult(next=Next.FINISHED, reason=result.outcome.value)
        return DeliverResult(next=Next.FINISHED, status=status, reason=reason)


def _tried(quick: DeliverResult, chunk: int) -> int:
    """Attempts at a chunk that this run has made already. What an earlier run did is looked up, but not counted:
    whether it came to send anything is not known.
    """
    return int(quick.unclear and chunk == quick.accepted)


def _ended(call: TriggerInput, result: TriggerResult, retry: RetryConfig) -> ChunkResult | None:
    """What a call that was answered says of its chunk; None where the notification was withdrawn."""
    if not result.withdrawn:
        return ChunkResult(chunk=call.chunk, outcome=ChunkOutcome.ACCEPTED)
    if call.send:
        return None
    return ChunkResult(
        chunk=call.chunk,
        outcome=ChunkOutcome.UNCLEAR,
        reason=OutcomeUnclear.reason,
        message=f"Novu did not clearly accept it in {retry.maximum_attempts} attempts, and its feed does not show"
        " it: look whether Novu is well, then replay it",
    )


def _chunk_result(chunk: int, error: ActivityError, *, unclear: bool) -> ChunkResult:
    """Why a chunk was not accepted."""
    return ChunkResult(
        chunk=chunk,
        outcome=ChunkOutcome.UNCLEAR if unclear else ChunkOutcome.REFUSED,
        reason=_reason(error) or OutcomeUnclear.reason,
        message=_message(error),
    )


def _cause(error: ActivityError) -> ApplicationError | None:
    return error.cause if isinstance(error.cause, ApplicationError) else None


def _reason(error: ActivityError) -> str | None:
    """The reason of our own error; None for a time-out or a lost worker."""
    cause = _cause(error)
    return cause.type if cause else None


def _message(error: ActivityError) -> str:
    cause = _cause(error)
    return (
        cause.message
        if cause
        else "the worker did not answer in time: look at its log, then replay it"
    )


def _is_retryable(error: ActivityError) -> bool:
    cause = _cause(error)
    return cause is None or not cause.non_retryable


def _delay(error: ActivityError, reason: str | None, retry: RetryConfig, waits: int) -> timedelta:
    """What the other side asked for, else the policy's; credentials wait for a person."""
    cause = _cause(error)
    if cause is not None and cause.next_retry_delay is not None:
        return cause.next_retry_delay
    factor = retry.backoff_coefficient ** min(waits - 1, 30)
    seconds = min(
        retry.initial_interval.total_seconds() * factor, retry.maximum_interval.total_seconds()
    )
    if reason in {CredentialsMissing.reason, CredentialsRejected.reason}:
        seconds = min(max(seconds, 5.0), SLOW.total_seconds())
    return timedelta(seconds=seconds)
