"""How tests play the operator: start an enterprise's orchestration, speak to it, and look at its monitors."""

from collections.abc import Sequence
from datetime import timedelta

from support.temporal import FAST, Case, eventually
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import (
    WithStartWorkflowOperation,
    WorkflowExecutionStatus,
    WorkflowHandle,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from xnovu.core import ids
from xnovu.core.contracts.orchestration import (
    EnterpriseConfig,
    Monitor,
    OrchestrationInput,
    OrchestrationStatus,
    PollHealth,
    RealtimeConfig,
    ShutdownInput,
)
from xnovu_activities.monitors import monitor_id

RUNNING = WorkflowExecutionStatus.RUNNING
ALL = tuple(Monitor)
QUICK_POLL = RealtimeConfig(poll_interval=timedelta(milliseconds=100))


def a_config(case: Case, generation: int = 1, **changes: object) -> EnterpriseConfig:
    plain = EnterpriseConfig(
        generation=generation, enterprise=case.enterprise, realtime=QUICK_POLL, delivery=FAST
    )
    return plain.model_copy(update=changes)


async def apply(case: Case, config: EnterpriseConfig) -> OrchestrationStatus:
    """As the operator does it: update with start."""
    start: WithStartWorkflowOperation[object, None] = WithStartWorkflowOperation(
        "NotificationOrchestrationWorkflow",
        OrchestrationInput(config=config),
        id=ids.orchestration_workflow_id(case.enterprise.id),
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        task_queue=case.queue,
    )
    answer: OrchestrationStatus = await case.client.execute_update_with_start_workflow(
        "apply_config", config, start_workflow_operation=start, result_type=OrchestrationStatus
    )
    return answer


def orchestration(case: Case) -> WorkflowHandle[object, None]:
    return case.client.get_workflow_handle(ids.orchestration_workflow_id(case.enterprise.id))


async def run_exactly(case: Case, wanted: Sequence[Monitor], seconds: float = 20) -> None:
    async def they_do() -> bool:
        found = [m for m in Monitor if await is_running(case, m)]
        return found == list(wanted)

    await eventually(they_do, f"exactly {list(wanted)} run", seconds)


async def is_running(case: Case, monitor: Monitor) -> bool:
    try:
        return await case.status_of(monitor_id(monitor, case.enterprise.id)) is RUNNING
    except RPCError:
        return False


async def stop(case: Case, drain: float = 5) -> None:
    await orchestration(case).execute_update(
        "shutdown", ShutdownInput(drain=timedelta(seconds=drain))
    )


async def health_of(case: Case, monitor: Monitor) -> PollHealth | None:
    handle = case.client.get_workflow_handle(monitor_id(monitor, case.enterprise.id))
    try:
        found = await handle.describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None  # not started yet
        raise
    for one in found.raw_description.pending_activities:
        started = one.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
        if started and one.heartbeat_details.payloads:
            (health,) = await case.client.data_converter.decode(
                one.heartbeat_details.payloads, [PollHealth]
            )
            assert isinstance(health, PollHealth)
            return health
    return None
