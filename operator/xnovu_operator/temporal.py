"""What the operator asks of Temporal about an enterprise's workflows: start, configure, look, stop. No decisions.

Called by `reconcile` and `act`. Everything is bounded in time: a Temporal or a worker that is away delays an object, and
nothing else.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import (
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from xnovu.adapters.schedules import Schedules
from xnovu.core import ids
from xnovu.core.contracts.orchestration import (
    EnterpriseConfig,
    Monitor,
    OrchestrationInput,
    OrchestrationStatus,
    PollHealth,
    ShutdownInput,
)
from xnovu.core.contracts.rules import ExecutionResult
from xnovu.core.errors import TemporalUnavailable, Unavailable, clip

ORCHESTRATION: Final = "NotificationOrchestrationWorkflow"
RPC: Final = timedelta(seconds=5)
UPDATE_SECONDS: Final = 5.0
"""How long a worker has to take a configuration before the object says that none is there."""

DRAIN: Final = timedelta(seconds=20)
"""How long what is under way may take when an enterprise is deleted."""

_T = TypeVar("_T")
_ENTERPRISE: Final = SearchAttributeKey.for_keyword(ids.SEARCH_ATTRIBUTE_ENTERPRISE)


class WorkerAway(Unavailable):
    """No worker has taken what Temporal holds for it."""

    reason = "WorkerAway"


class _Outdated(TemporalUnavailable):
    """The orchestration holds a later generation than the object has."""


@dataclass(frozen=True, slots=True)
class Running:
    """A running workflow: which run, since when, and what its activity said last."""

    run_id: str
    started_at: datetime | None
    health: PollHealth | None


class EnterpriseWorkflows:
    """The workflows of enterprises in one Temporal namespace."""

    def __init__(self, client: Client, task_queue: str) -> None:
        self._client = client
        self._task_queue = task_queue
        self.schedules = Schedules(client, task_queue)

    async def running(self, workflow_id: str) -> Running | None:
        """None: it is not there, or has ended. Strongly consistent."""
        found = await self._describe(workflow_id)
        if found is None or found.status is not WorkflowExecutionStatus.RUNNING:
            return None
        return Running(found.run_id, found.start_time, await self._health(found))

    async def monitors(self, enterprise_id: str) -> dict[Monitor, Running | None]:
        names = {
            Monitor.REALTIME: ids.realtime_workflow_id(enterprise_id),
            Monitor.SCHEDULED: ids.scheduled_workflow_id(enterprise_id),
            Monitor.CRON: ids.cron_workflow_id(enterprise_id),
        }
        found = await asyncio.gather(*(self.running(name) for name in names.values()))
        return dict(zip(names, found, strict=True))

    async def apply(self, config: EnterpriseConfig) -> OrchestrationStatus:
        """Update-with-start. Idempotency key: the configuration. Raises WorkerAway and TemporalUnavailable."""
        try:
            return await self._apply(config)
        except _Outdated:
            # The same object with a lower generation: the cluster was restored from a backup. The monitors are peers: they run
            # on, and hear the configuration from the new orchestration.
            await self._terminate(ids.orchestration_workflow_id(config.enterprise.id))
            return await self._apply(config)

    async def _apply(self, config: EnterpriseConfig) -> OrchestrationStatus:
        enterprise_id = config.enterprise.id
        start: WithStartWorkflowOperation[object, object] = WithStartWorkflowOperation(
            ORCHESTRATION,
            OrchestrationInput(config=config),
            id=ids.orchestration_workflow_id(enterprise_id),
            task_queue=self._task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=_attributes(enterprise_id),
        )
        update = self._client.execute_update_with_start_workflow(
            "apply_config",
            config,
            start_workflow_operation=start,
            # No id of our own: Temporal answers one that a closed run has completed, and starts nothing.
            result_type=OrchestrationStatus,
            rpc_timeout=timedelta(seconds=UPDATE_SECONDS),
        )
        # The call ends by itself; the outer bound is for one that does not, because cancelling it is noisy.
        return await self._bounded(update, UPDATE_SECONDS + 3)

    async def shut_down(self, enterprise_id: str) -> None:
        """Ask for a drain, then make sure: nothing of the enterprise runs afterwards."""
        workflow_id = ids.orchestration_workflow_id(enterprise_id)
        if await self.running(workflow_id) is not None:
            handle = self._client.get_workflow_handle(workflow_id)
            update = handle.execute_update(
                "shutdown",
                ShutdownInput(drain=DRAIN),
                id="shutdown",
                rpc_timeout=DRAIN + timedelta(seconds=5),
            )
            # Without a worker nothing drains, and nothing is lost: the rows are still there.
            with suppress(WorkerAway):
                await self._bounded(update, DRAIN.total_seconds() + 8)
        await self.terminate(enterprise_id)

    async def terminate(self, enterprise_id: str) -> None:
        """End what still runs, and remove the Schedules of the database's rules."""
        names = [
            ids.orchestration_workflow_id(enterprise_id),
            ids.realtime_workflow_id(enterprise_id),
            ids.scheduled_workflow_id(enterprise_id),
            ids.cron_workflow_id(enterprise_id),
        ]
        for name in names:
            if await self.running(name) is not None:
                await self._terminate(name)
        query = (
            f"{ids.SEARCH_ATTRIBUTE_ENTERPRISE} = '{enterprise_id}' AND ExecutionStatus = 'Running'"
        )
        try:
            async for item in self._client.list_workflows(query, limit=1000):
                await self._terminate(item.id)
        except RPCError as error:
            raise _unavailable(error) from None
        for schedule_id in await self.schedules.list(enterprise_id):
            if ids.parse_database_schedule_id(schedule_id) is not None:
                await self.schedules.delete(schedule_id)

    async def result(self, workflow_id: str, run_id: str) -> tuple[str, int | None]:
        """What became of a rule's run: a word for people, and the notification."""
        found = await self._describe(workflow_id, run_id)
        if found is None:
            return "Unknown", None
        if found.status is WorkflowExecutionStatus.RUNNING:
            return "Running", None
        handle = self._client.get_workflow_handle(
            workflow_id, run_id=run_id, result_type=ExecutionResult
        )
        try:
            result = await handle.result(rpc_timeout=RPC)
        except WorkflowFailureError as failure:
            cause = failure.cause.__cause__ or failure.cause
            reason = cause.type if isinstance(cause, ApplicationError) and cause.type else "Failed"
            return f"Failed: {reason}", None
        except RPCError as error:
            raise _unavailable(error) from None
        if result.reason:
            return f"Skipped: {result.reason}", None
        return "Created", result.notification_id

    async def _describe(
        self, workflow_id: str, run_id: str | None = None
    ) -> WorkflowExecutionDescription | None:
        try:
            handle = self._client.get_workflow_handle(workflow_id, run_id=run_id)
            return await handle.describe(rpc_timeout=RPC)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise _unavailable(error) from None

    async def _health(self, found: WorkflowExecutionDescription) -> PollHealth | None:
        for pending in found.raw_description.pending_activities:
            if pending.heartbeat_details.payloads:
                decoded = await self._client.data_converter.decode(
                    pending.heartbeat_details.payloads, [PollHealth]
                )
                return decoded[0] if isinstance(decoded[0], PollHealth) else None
        return None

    async def _terminate(self, workflow_id: str) -> None:
        try:
            await self._client.get_workflow_handle(workflow_id).terminate(
                "the Enterprise was deleted", rpc_timeout=RPC
            )
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise _unavailable(error) from None

    async def _bounded(self, call: Coroutine[object, object, _T], seconds: float) -> _T:
        try:
            return await asyncio.wait_for(call, seconds)
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
            raise WorkerAway(
                "no worker has taken the configuration: look whether one runs and serves the queue"
                f" {self._task_queue!r}"
            ) from None
        except WorkflowUpdateFailedError as error:
            if isinstance(error.cause, ApplicationError) and error.cause.type == "Outdated":
                raise _Outdated("the orchestration works with a newer generation") from None
            raise TemporalUnavailable(
                f"the orchestration refused: {clip(str(error.cause))}"
            ) from None
        except RPCError as error:
            raise _unavailable(error) from None


def _attributes(enterprise_id: str) -> TypedSearchAttributes:
    return TypedSearchAttributes([SearchAttributePair(_ENTERPRISE, enterprise_id)])


def _unavailable(error: RPCError) -> TemporalUnavailable:
    return TemporalUnavailable(f"Temporal did not answer: {clip(error.message)}")
