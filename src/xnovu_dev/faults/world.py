"""What all faults of one run share: the servers, behind no proxy, and one global workflow that everybody may use.

Opened by `run`, `soak` and the tests; each fault takes enterprises, a queue and a worker of its own (`site`).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from uuid import uuid4

from temporalio.client import Client

from xnovu.adapters.temporal import connect
from xnovu.settings import TemporalSettings
from xnovu_dev.faults.novu_ledger import NovuLedger
from xnovu_dev.faults.rows import Sql
from xnovu_dev.faults.subject import OURS, Subject
from xnovu_dev.state import Stack

OUTAGE: Final = 6.0
LONG_OUTAGE: Final = 60.0
"""Seconds for which something is away: in the bounded form, and in the full one (the matrix's figure)."""


@dataclass(frozen=True, slots=True)
class World:
    """`home`: the stack's folder, for restarts. `folder`: for logs and markers of this run."""

    stack: Stack
    home: Path
    folder: Path
    subject: Subject
    full: bool
    sql: Sql
    ledger: NovuLedger
    client: Client
    workflow_key: str
    workflow_id: int

    @property
    def outage(self) -> float:
        return LONG_OUTAGE if self.full else OUTAGE

    async def publish(self, key: str, **columns: object) -> int:
        """A published global workflow in the database; Novu is not told. `columns`: as text."""
        made = await self.sql.run(
            "insert into notify.ent_notification_workflow (name, workflow_type, workflow_key,"
            " publish_status, default_channels, payload_schema, template_overrides)"
            " values (%s, %s::shared_types.notification_workflow_type, %s, 'PUBLISH', '{IN_APP}',"
            " %s::jsonb, %s::jsonb) on conflict (workflow_key) do update set name = excluded.name returning id",
            key,
            columns.get("workflow_type", "STATIC"),
            key,
            columns.get("payload_schema"),
            columns.get("template_overrides"),
        )
        return int(str(made[0][0]))


@asynccontextmanager
async def world(
    stack: Stack, folder: Path, *, subject: Subject = OURS, full: bool = False
) -> AsyncIterator[World]:
    """Open connections, watch statuses; at the end nothing of ours stays in the database but rows."""
    sql = Sql(stack.supabase.dsn)
    client = await connect(TemporalSettings(address=stack.temporal.address))
    async with NovuLedger(stack.novu.url, stack.novu.secret_key) as ledger:
        key = f"fault-notice-{uuid4().hex[:8]}"
        await sql.watch(guarded=subject.ours)
        await ledger.workflow(key)
        made = World(
            stack=stack,
            home=Path(stack.kubeconfig).parent,
            folder=folder,
            subject=subject,
            full=full,
            sql=sql,
            ledger=ledger,
            client=client,
            workflow_key=key,
            workflow_id=0,
        )
        number = await made.publish(key)
        try:
            yield replace(made, workflow_id=number)
        finally:
            await sql.unwatch()
            await sql.close()
