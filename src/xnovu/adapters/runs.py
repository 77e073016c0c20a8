"""What Temporal knows of one notification: its workflow's newest run, and what the enterprise's monitor works with.

Reads only, and only what needs no worker: descriptions and the first event of a history. Nothing is started, and a
history's payloads stay what they are: ids and reasons. Called by the command line.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowHandle,
)
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from xnovu.core import ids
from xnovu.core.contracts.notifications import DeliverResult
from xnovu.core.contracts.orchestration import EnterpriseConfig, MonitorInput
from xnovu.core.errors import TemporalUnavailable, XNovuError, clip

TIMEOUT: Final = timedelta(seconds=5)

_UNREADABLE: Final = (XNovuError, RuntimeError, ValueError)
"""What decoding raises: a key of the codec that is not here, a payload of another version."""


@dataclass(frozen=True, slots=True)
class Pending:
    """An activity that is not done yet. `failure`: why its newest try failed; `next_try_at`: when it is tried again."""

    activity: str
    state: str
    attempt: int
    failure: str | None
    next_try_at: datetime | None


@dataclass(frozen=True, slots=True)
class Run:
    """The newest run of a notification's workflow. `result`: how a completed one ended, where it can be read."""

    workflow_id: str
    run_id: str
    status: str
    started_at: datetime
    closed_at: datetime | None
    events: int
    result: DeliverResult | None
    pending: tuple[Pending, ...]

    @property
    def is_running(self) -> bool:
        return self.closed_at is None


async def run_of(client: Client, enterprise_id: str, notification_id: int) -> Run | None:
    """The newest run. None: there is none, or Temporal has forgotten it. Raises TemporalUnavailable."""
    workflow_id = ids.notification_workflow_id(enterprise_id, notification_id)
    handle = client.get_workflow_handle(workflow_id, result_type=DeliverResult)
    try:
        found = await handle.describe(rpc_timeout=TIMEOUT)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise _away(error) from None
    completed = found.status is WorkflowExecutionStatus.COMPLETED
    pending = [
        await _pending(client.data_converter, item)
        for item in found.raw_description.pending_activities
    ]
    return _run(found, await _result(handle) if completed else None, tuple(pending))


async def _result(handle: WorkflowHandle[Any, DeliverResult]) -> DeliverResult | None:
    """None where it cannot be read here: another key of the codec, another version, a Temporal that went away."""
    try:
        async with asyncio.timeout(TIMEOUT.total_seconds()):
            return await handle.result(rpc_timeout=TIMEOUT)
    except (RPCError, TimeoutError, *_UNREADABLE):
        return None


async def config_of(client: Client, enterprise_id: str) -> EnterpriseConfig | None:
    """What the enterprise's realtime monitor works with. None: no monitor runs. Raises TemporalUnavailable."""
    handle = client.get_workflow_handle(ids.realtime_workflow_id(enterprise_id))
    try:
        found = await handle.describe(rpc_timeout=TIMEOUT)
        if found.status is not WorkflowExecutionStatus.RUNNING:
            return None
        payload = await _input(client, found)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise _away(error) from None
    if payload is None:
        return None
    try:
        (given,) = await client.data_converter.decode([payload], [MonitorInput])
    except _UNREADABLE:
        raise TemporalUnavailable(
            f"what monitor {found.id} works with cannot be read here: use the worker's version and its codec's keys"
        ) from None
    config = given.config if isinstance(given, MonitorInput) else None
    return config if config is not None and config.enterprise.id == enterprise_id else None


async def _input(client: Client, found: WorkflowExecutionDescription) -> Payload | None:
    handle = client.get_workflow_handle(found.id, run_id=found.run_id)
    async for event in handle.fetch_history_events(page_size=1, rpc_timeout=TIMEOUT):
        given = event.workflow_execution_started_event_attributes.input.payloads
        return given[0] if given else None
    return None


def _run(
    found: WorkflowExecutionDescription, result: DeliverResult | None, pending: tuple[Pending, ...]
) -> Run:
    status = found.status
    return Run(
        workflow_id=found.id,
        run_id=found.run_id,
        status="UNKNOWN" if status is None else status.name,
        started_at=found.start_time,
        closed_at=found.close_time,
        events=found.history_length,
        result=result,
        pending=pending,
    )


async def _pending(converter: DataConverter, item: PendingActivityInfo) -> Pending:
    state = PendingActivityState.Name(item.state).removeprefix("PENDING_ACTIVITY_STATE_")
    waits = item.HasField("next_attempt_schedule_time")
    return Pending(
        activity=item.activity_type.name,
        state=state.lower(),
        attempt=item.attempt,
        failure=await _failure(converter, item) if item.HasField("last_failure") else None,
        next_try_at=item.next_attempt_schedule_time.ToDatetime(UTC) if waits else None,
    )


async def _failure(converter: DataConverter, item: PendingActivityInfo) -> str:
    """Reason and message: an encrypted one is opened."""
    try:
        error = await converter.decode_failure(item.last_failure)
    except _UNREADABLE:
        return "a failure that cannot be read here: use the worker's codec keys"
    if isinstance(error, ApplicationError):
        return clip(f"{error.type}: {error.message}")
    return clip(str(error))


def _away(error: RPCError) -> TemporalUnavailable:
    return TemporalUnavailable(
        f"Temporal did not answer: {error.status.name}, {clip(error.message)}"
    )
