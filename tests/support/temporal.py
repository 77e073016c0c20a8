"""A worker of XNovu in the test's process, against the stack's Temporal, with fakes behind the ports.

Workflows run in Temporal's sandbox here, so that what is not deterministic fails. Every case has an enterprise and a
task queue of its own.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from fakes.database import FakeDatabase, Row
from fakes.novu import FakeNovu, FakeTenants
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.runtime import Runtime
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from xnovu.adapters.temporal import connect, ensure_search_attributes
from xnovu.core import ids
from xnovu.core.contracts.common import DeliveryConfig, EnterpriseRef, RetryConfig
from xnovu.core.contracts.notifications import DeliverResult, NotificationRef, ProcessingInput
from xnovu.settings import Settings, TemporalSettings, WorkerSettings
from xnovu.worker import build
from xnovu_activities.measures import Measures

T = TypeVar("T")
FAST = DeliveryConfig(
    retry=RetryConfig(initial_interval=timedelta(milliseconds=50), maximum_attempts=3)
)


async def eventually(probe: Callable[[], Awaitable[T]], what: str, seconds: float = 20.0) -> T:
    """The first truthy answer of `probe`, asked again and again until the deadline."""
    answer: object = None
    try:
        async with asyncio.timeout(seconds):
            while not (answer := await probe()):
                await asyncio.sleep(0.05)
            return answer
    except TimeoutError:
        raise AssertionError(f"not within {seconds} s: {what}; last seen: {answer!r}") from None


@dataclass
class Case:
    """One enterprise with its systems and a worker."""

    client: Client
    settings: Settings
    enterprise: EnterpriseRef
    database: FakeDatabase
    novu: FakeNovu
    tenants: FakeTenants
    measures: Measures
    delivery: DeliveryConfig = field(default_factory=lambda: FAST)

    @property
    def queue(self) -> str:
        return self.settings.temporal.task_queue

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[None]:
        runner = SandboxedWorkflowRunner(
            restrictions=SandboxRestrictions.default.with_passthrough_modules("xnovu", "pydantic")
        )
        async with build(self.client, self.settings, self.tenants, self.measures, runner):
            yield

    async def start(
        self, row: Row, *, shadow: bool = False
    ) -> WorkflowHandle[object, DeliverResult]:
        given = ProcessingInput(
            ref=NotificationRef(enterprise=self.enterprise, notification_id=row.notification.id),
            delivery=self.delivery,
            shadow=shadow,
        )
        return await self.client.start_workflow(
            "NotificationProcessingWorkflow",
            given,
            id=ids.notification_workflow_id(self.enterprise.id, row.notification.id),
            task_queue=self.queue,
            result_type=DeliverResult,
            execution_timeout=timedelta(minutes=2),
        )

    async def deliver(self, row: Row, *, shadow: bool = False) -> DeliverResult:
        handle = await self.start(row, shadow=shadow)
        async with asyncio.timeout(40):
            return await handle.result()

    async def status_of(self, workflow_id: str) -> WorkflowExecutionStatus | None:
        return (await self.client.get_workflow_handle(workflow_id).describe()).status

    async def activities_of(self, row: Row) -> list[str]:
        """Names of the regular activities of the newest run, in order."""
        workflow_id = ids.notification_workflow_id(self.enterprise.id, row.notification.id)
        history = await self.client.get_workflow_handle(workflow_id).fetch_history()
        found = [e.activity_task_scheduled_event_attributes for e in history.events]
        return [a.activity_type.name for a in found if a.activity_type.name]


async def a_case(address: str) -> Case:
    """A new enterprise on a new queue. `verify_delay` is short: the fake's feed has no lag."""
    temporal = TemporalSettings(address=address, task_queue=f"test-{uuid.uuid4()}")
    settings = Settings(temporal=temporal, worker=WorkerSettings(verify_delay_seconds=0.05))
    client = await connect(temporal)
    await ensure_search_attributes(client, manage=True)
    enterprise = EnterpriseRef(id=str(uuid.uuid4()))
    database, novu = FakeDatabase(enterprise.id), FakeNovu()
    return Case(
        client=client,
        settings=settings,
        enterprise=enterprise,
        database=database,
        novu=novu,
        tenants=FakeTenants({enterprise.id: database}, {enterprise.id: novu}),
        measures=Measures(Runtime.default().metric_meter),
    )
