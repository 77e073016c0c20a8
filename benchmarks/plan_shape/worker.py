"""A worker of the shape that the plan's example code has: the baseline that the fault table is compared with.

Not XNovu, and not a caricature: what the plan's two example workflows do is done here in the same order, with the plan's
own numbers; README.md lists every trait with its place in the plan, and what had to be added so that it runs. PostgREST,
rendering and settings are XNovu's own code, so that only the shape differs. It needs no operator: it starts a monitoring
workflow for each enterprise of XNOVU_BASELINE_ENTERPRISES. Run by tests/faults and by hand; ends with 0 on SIGTERM.
"""

import asyncio
import logging
import os
import signal
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Final

import httpx
from shape import Json, NotificationProcessing, Poll, RealtimeMonitoring, Ref, Status, Trigger
from temporalio import activity
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from xnovu.adapters.supabase import PostgrestGateway, SupabaseDatabase
from xnovu.adapters.temporal import connect
from xnovu.core.content import load_and_render
from xnovu.core.errors import NotificationError, TemporalUnavailable
from xnovu.settings import Settings
from xnovu.telemetry import health_server

RETRY_SECONDS: Final = 1.0


class PlanSettings(Settings):
    """XNovu's settings, and whom to poll for."""

    baseline_enterprises: str = ""
    """Ids, comma-separated."""


@dataclass
class Activities:
    """The plan's activities, over PostgREST (`rest`) and Novu."""

    rest: httpx.AsyncClient
    novu: httpx.AsyncClient
    gateway: PostgrestGateway

    async def _one(self, table: str, row_id: int) -> Json:
        answer = await self.rest.get(f"/{table}", params={"id": f"eq.{row_id}"})
        answer.raise_for_status()
        found: list[Json] = answer.json()
        if not found:
            raise ApplicationError(f"no row {row_id} in {table}", type="WorkflowNotFound")
        return found[0]

    @activity.defn(name="pollSupabase")
    async def poll(self, request: Poll) -> list[int]:
        due = {
            "select": "id",
            "enterprise_id": f"eq.{request.enterprise_id}",
            "id": f"gt.{request.last_processed_id}",
            "notification_status": "eq.PENDING",
            "publish_status": "eq.PUBLISH",
            "deactivated": "is.false",
            "or": "(scheduled_for.is.null,scheduled_for.lte.now)",
            "order": "id",
            "limit": str(request.limit),
        }
        answer = await self.rest.get("/ent_notification", params=due)
        answer.raise_for_status()
        return [int(row["id"]) for row in answer.json()]

    @activity.defn(name="updateNotificationStatus")
    async def update_status(self, request: Status) -> None:
        where = {
            "id": f"eq.{request.ref.notification_id}",
            "enterprise_id": f"eq.{request.ref.enterprise_id}",
        }
        row = {
            "notification_status": request.status,
            "error_details": {"message": request.error_details} if request.error_details else None,
            "transaction_id": request.transaction_id,
        }
        (await self.rest.patch("/ent_notification", params=where, json=row)).raise_for_status()

    @activity.defn(name="fetchNotification")
    async def fetch_notification(self, ref: Ref) -> Json:
        return await self._one("ent_notification", ref.notification_id)

    @activity.defn(name="fetchWorkflowConfig")
    async def fetch_workflow_config(self, workflow_id: int | None) -> Json:
        return await self._one("ent_notification_workflow", workflow_id or 0)

    @activity.defn(name="renderTemplate")
    async def render_template(self, ref: Ref) -> Trigger:
        database = SupabaseDatabase(self.gateway, ref.enterprise_id, 300)
        found = await database.fetch(ref.notification_id)
        if found.notification is None or found.workflow is None:
            raise ApplicationError("nothing to render", type="WorkflowNotFound")
        try:
            made = await load_and_render(found.notification, found.workflow, database.templates)
        except NotificationError as error:
            raise ApplicationError(error.message, type="ValidationError") from None
        recipients = list(found.notification.recipients)
        return Trigger(made.workflow_key, recipients, dict(made.payload), dict(made.overrides))

    @activity.defn(name="triggerNovu")
    async def trigger(self, request: Trigger) -> str:
        body = {
            "name": request.workflow_key,
            "to": request.recipients,
            "payload": request.payload,
            "overrides": request.overrides or {},
        }
        answer = await self.novu.post("/v1/events/trigger", json=body)
        if answer.status_code in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}:
            raise ApplicationError(f"Novu answered {answer.status_code}", type="ValidationError")
        answer.raise_for_status()
        return str(answer.json()["data"]["transactionId"])


def activities_of(settings: PlanSettings) -> Activities:
    """The plan's activities over the installation's database and Novu."""
    supabase, novu = settings.supabase, settings.novu
    key = supabase.service_role_key.get_secret_value() if supabase.service_role_key else ""
    secret = novu.secret_key.get_secret_value() if novu.secret_key else ""
    profile = {"Accept-Profile": "notify", "Content-Profile": "notify"}
    rest = httpx.AsyncClient(
        base_url=f"{supabase.url}/rest/v1",
        headers={"apikey": key, "Authorization": f"Bearer {key}", **profile},
        timeout=10,
    )
    calls = httpx.AsyncClient(
        base_url=novu.api_url, headers={"Authorization": f"ApiKey {secret}"}, timeout=15
    )
    gateway = PostgrestGateway(httpx.AsyncClient(timeout=10), str(supabase.url), key)
    return Activities(rest, calls, gateway)


async def start_monitors(client: Client, settings: PlanSettings) -> None:
    """One monitoring workflow an enterprise; one that runs already goes on, with its cursor."""
    for enterprise_id in filter(None, settings.baseline_enterprises.split(",")):
        await client.start_workflow(
            RealtimeMonitoring.run,
            enterprise_id,
            id=f"plan-realtime-{enterprise_id}",
            task_queue=settings.temporal.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )


async def connected(settings: PlanSettings) -> Client:
    """Waits for Temporal, as XNovu's worker does."""
    while True:
        try:
            client = await connect(settings.temporal)
            await start_monitors(client, settings)
        except (TemporalUnavailable, RPCError):
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return client


async def main() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    settings = PlanSettings()
    given, state = settings.worker, {"problem": "not connected to Temporal yet"}
    async with health_server(
        given.bind_address,
        given.health_port,
        alive=lambda: None,
        ready=lambda: state["problem"] or None,
    ):
        await work(settings, stop, state)


async def work(settings: PlanSettings, stop: asyncio.Event, state: dict[str, str]) -> None:
    done = activities_of(settings)
    stopping = asyncio.ensure_future(stop.wait())
    connecting = asyncio.ensure_future(connected(settings))
    await asyncio.wait({stopping, connecting}, return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set():
        return
    state["problem"] = ""
    async with Worker(
        connecting.result(),
        task_queue=settings.temporal.task_queue,
        workflows=[RealtimeMonitoring, NotificationProcessing],
        activities=[
            *(done.poll, done.update_status, done.fetch_notification),
            *(done.fetch_workflow_config, done.render_template, done.trigger),
        ],
        workflow_runner=UnsandboxedWorkflowRunner(),
        graceful_shutdown_timeout=timedelta(seconds=3),
    ):
        await stop.wait()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(main())
    os._exit(
        0
    )  # as XNovu's worker: Temporal's threads now and then abort an interpreter that is taken apart
