"""A real worker in the test's process over a stack's servers, for tests that need a delivered row. Not for production."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from pydantic import SecretStr
from temporalio.client import Client
from temporalio.runtime import Runtime

from xnovu.adapters.temporal import connect
from xnovu.adapters.tenants import EnterpriseTenants
from xnovu.core import ids
from xnovu.core.contracts.common import EnterpriseRef
from xnovu.core.contracts.notifications import NotificationRef, ProcessingInput
from xnovu.settings import NovuSettings, Settings, SupabaseSettings, TemporalSettings
from xnovu.worker import build
from xnovu_activities.measures import Measures
from xnovu_dev.state import Stack


@asynccontextmanager
async def a_worker(stack: Stack) -> AsyncIterator["Deliverer"]:
    """Works while the block runs, on a queue of its own."""
    settings = Settings(
        temporal=TemporalSettings(
            address=stack.temporal.address, task_queue=f"commands-{uuid.uuid4()}"
        ),
        supabase=SupabaseSettings(
            url=stack.supabase.url, service_role_key=SecretStr(stack.supabase.service_role_key)
        ),
        novu=NovuSettings(api_url=stack.novu.url, secret_key=SecretStr(stack.novu.secret_key)),
    )
    client = await connect(settings.temporal)
    async with EnterpriseTenants(settings) as tenants:
        measures = Measures(Runtime.default().metric_meter)
        async with build(client, settings, tenants, measures):
            yield Deliverer(client, settings.temporal.task_queue)


class Deliverer:
    """Starts the workflow of a notification, as a monitor does."""

    def __init__(self, client: Client, queue: str) -> None:
        self._client = client
        self._queue = queue

    async def __call__(self, enterprise: str, notification: int) -> None:
        """Until the workflow has ended."""
        await self._client.execute_workflow(
            "NotificationProcessingWorkflow",
            ProcessingInput(
                ref=NotificationRef(
                    enterprise=EnterpriseRef(id=enterprise), notification_id=notification
                )
            ),
            id=ids.notification_workflow_id(enterprise, notification),
            task_queue=self._queue,
            execution_timeout=timedelta(minutes=1),
        )
