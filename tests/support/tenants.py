"""Enterprises with secrets of their own, and a worker in the test's process that serves them through the real adapters.

Postgres, PostgREST, Temporal and the Novu sandbox are real; only the worker's process is the test's own.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic import SecretStr
from support.orchestration import health_of
from support.rows import Rows
from support.sandbox import SandboxProcess
from support.temporal import Case, eventually

from xnovu.adapters.tenants import EnterpriseTenants
from xnovu.core.contracts.common import CredentialSource
from xnovu.core.contracts.orchestration import Monitor
from xnovu.settings import NovuSettings, Settings, SupabaseSettings, WorkerSettings
from xnovu.worker import build

OWN = CredentialSource.ENTERPRISE
STEP = {"type": "in_app", "name": "In-app", "controlValues": {"body": "x"}}


@dataclass
class Tenant:
    """An enterprise with secrets of its own, as the worker finds them in its folder."""

    case: Case
    rows: Rows
    folder: Path
    sandbox: SandboxProcess
    workflow: int
    """A published static workflow of its own, in-app."""

    def file(self, name: str) -> Path:
        return self.folder / f"{self.case.enterprise.id}.{name}"

    def write(self, name: str, value: str) -> None:
        """As the kubelet and the mirror do: whole, by a rename."""
        half = self.folder / f".half-{uuid4()}"
        half.write_text(value)
        half.replace(self.file(name))

    def row(self, **columns: Any) -> int:
        plain = {"notification_workflow_id": self.workflow, "subscribers": ["ada"]}
        return self.rows.notification(**{"recipients": [], **plain, **columns})

    async def sent(self, notification: int, seconds: float = 30) -> None:
        async def look() -> bool:
            return self.rows.status(notification) == "SENT"

        await eventually(look, f"notification {notification} is sent", seconds)

    async def unwell(self, reason: str) -> None:
        async def look() -> bool:
            found = await health_of(self.case, Monitor.REALTIME)
            return found is not None and reason in {found.error_reason, found.held_reason}

        await eventually(look, f"its monitor says {reason}")

    def delivered(self) -> int:
        return len(self.sandbox.deliveries())


def prepared(case: Case, rows: Rows, folder: Path, sandbox: SandboxProcess, key: str) -> Tenant:
    with sandbox.client() as http:
        name = f"of-{case.enterprise.id}"
        body = {"workflowId": name, "name": name, "steps": [STEP]}
        http.put(f"/v2/workflows/{name}", json=body).raise_for_status()
    workflow = rows.one(
        "insert into notify.ent_notification_workflow"
        " (name, workflow_type, workflow_key, publish_status, enterprise_id, default_channels)"
        " values (%s, 'STATIC', %s, 'PUBLISH', %s, '{IN_APP}') returning id",
        case.enterprise.id, name, case.enterprise.id,
    )  # fmt: skip
    tenant = Tenant(case, rows, folder, sandbox, workflow)
    tenant.write("novu.apiUrl", sandbox.url)
    tenant.write("novu.secretKey", sandbox.secret_key)
    tenant.write("supabase.serviceRoleKey", key)
    return tenant


@asynccontextmanager
async def working(case: Case, folder: Path) -> AsyncIterator[EnterpriseTenants]:
    settings = Settings(
        temporal=case.settings.temporal,
        # The installation's own credentials: nobody here may ever be served with them.
        supabase=SupabaseSettings(url="http://127.0.0.1:9", service_role_key=SecretStr("ours")),
        novu=NovuSettings(api_url="http://127.0.0.1:9", secret_key=SecretStr("ours")),
        worker=WorkerSettings(credentials_dir=folder, verify_delay_seconds=0.05),
    )
    async with (
        EnterpriseTenants(settings) as tenants,
        build(case.client, settings, tenants, case.measures),
    ):
        yield tenants
