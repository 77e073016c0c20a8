"""A worker in the test's process against real systems: the stack's Temporal and database, and a Novu sandbox.

For what fakes cannot prove: the SQL, Novu's lag, the feed's shapes. Each case has an enterprise and a queue of its own, and
short delays. What `support.orchestration` does with a `Case`, it does with this one too.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import SecretStr
from support.rows import Reachable, Rows
from support.sandbox import SandboxProcess
from support.temporal import FAST
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.runtime import Runtime

from xnovu.adapters.temporal import connect, ensure_search_attributes, installation
from xnovu.adapters.tenants import EnterpriseTenants
from xnovu.core import ids
from xnovu.core.contracts.common import DeliveryConfig, EnterpriseRef
from xnovu.core.contracts.notifications import DeliverResult, NotificationRef, ProcessingInput
from xnovu.settings import (
    NovuSettings,
    Settings,
    SupabaseSettings,
    TemporalSettings,
    WorkerSettings,
)
from xnovu.worker import build
from xnovu_activities.measures import Measures

IN_APP = {"type": "in_app", "name": "In-app", "controlValues": {"body": "b"}}
EMAIL = {"type": "email", "name": "E-mail", "controlValues": {"subject": "s", "body": "b"}}
AN_HOUR = {"type": "delay", "name": "Wait", "controlValues": {"amount": 1, "unit": "hours"}}


@dataclass
class RealCase:
    """One enterprise."""

    rows: Rows
    sandbox: SandboxProcess
    client: Client
    settings: Settings
    tenants: EnterpriseTenants
    owner: str
    delivery: DeliveryConfig = FAST

    @property
    def enterprise(self) -> EnterpriseRef:
        return EnterpriseRef(id=self.rows.enterprise)

    @property
    def queue(self) -> str:
        return self.settings.temporal.task_queue

    @property
    def measures(self) -> Measures:
        return Measures(Runtime.default().metric_meter)

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[None]:
        async with build(
            self.client, self.settings, self.tenants, self.measures, installation=self.owner
        ):
            yield

    def workflow(self, *steps: dict[str, Any]) -> int:
        """A workflow of these steps, at Novu and in the database."""
        number, key = self.rows.workflow()
        body = {"workflowId": key, "name": key, "steps": list(steps)}
        with self.sandbox.client() as api:
            api.put(f"/v2/workflows/{key}", json=body).raise_for_status()
        return number

    async def deliver(self, notification: int) -> DeliverResult:
        """Run its workflow to the end."""
        ref = NotificationRef(enterprise=self.enterprise, notification_id=notification)
        result: DeliverResult = await self.client.execute_workflow(
            "NotificationProcessingWorkflow",
            ProcessingInput(ref=ref, delivery=self.delivery),
            id=ids.notification_workflow_id(self.enterprise.id, notification),
            task_queue=self.queue,
            result_type=DeliverResult,
            execution_timeout=timedelta(minutes=1),
        )
        return result

    async def status_of(self, workflow_id: str) -> WorkflowExecutionStatus | None:
        return (await self.client.get_workflow_handle(workflow_id).describe()).status

    def column(self, notification: int, name: str) -> Any:
        """One column of the row, as JSON."""
        return self.rows.one(
            "select to_jsonb(n) -> %s from notify.ent_notification n where id = %s",
            name,
            notification,
        )

    def inbox(self, subscriber: str) -> list[Any]:
        """What the subscriber still sees."""
        with self.sandbox.client() as api:
            answer = api.get("/v1/messages", params={"subscriberId": subscriber})
        return list(answer.json()["data"])


@asynccontextmanager
async def a_real_case(
    temporal: str, supabase: Reachable, sandbox: SandboxProcess, rows: Rows
) -> AsyncIterator[RealCase]:
    """`verify_delay`: well above the sandbox's lag. The feed is looked at after fractions of a second."""
    settings = Settings(
        temporal=TemporalSettings(address=temporal, task_queue=f"test-{rows.enterprise}"),
        supabase=SupabaseSettings(
            url=supabase.url, service_role_key=SecretStr(supabase.service_role_key)
        ),
        novu=NovuSettings(api_url=sandbox.url, secret_key=SecretStr(sandbox.secret_key)),
        worker=WorkerSettings(verify_delay_seconds=0.5, feed_check_seconds=(0.3, 0.8)),
    )
    client = await connect(settings.temporal)
    await ensure_search_attributes(client, manage=True)
    async with EnterpriseTenants(settings) as tenants:
        yield RealCase(rows, sandbox, client, settings, tenants, await installation(client))
