"""Credentials of enterprises change while everything runs: no restart, nothing lost, nobody else notices."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.orchestration import ALL, a_config, apply, run_exactly, stop
from support.recorder import Recorder, recording
from support.rows import Rows
from support.sandbox import SandboxProcess
from support.temporal import a_case, eventually
from support.tenants import OWN, Tenant, prepared, working

from xnovu.adapters.tenants import EnterpriseTenants
from xnovu.core.contracts.common import EnterpriseRef
from xnovu_dev import keys
from xnovu_dev.home import Home
from xnovu_dev.state import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]


async def test_keys_change_while_everything_runs(
    servers: Stack,
    rows: Rows,
    tmp_path: Path,
    novu_sandbox: SandboxProcess,
    second_sandbox: SandboxProcess,
) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    secret = keys.of_home(Home(servers.kubeconfig.parent)).jwt_secret
    now = datetime.now(UTC)
    first, second = (keys.token("service_role", secret, now - timedelta(hours=h)) for h in (1, 2))
    case = await a_case(servers.temporal.address)
    ours = replace(case, enterprise=EnterpriseRef(id=rows.enterprise, supabase=OWN, novu=OWN))
    other = rows.other()
    theirs = replace(case, enterprise=EnterpriseRef(id=other.enterprise, supabase=OWN, novu=OWN))
    async with recording(servers.supabase.url) as gateway, working(case, folder) as tenants:
        mine = prepared(ours, rows, folder, novu_sandbox, first)
        neighbour = prepared(theirs, other, folder, second_sandbox, first)
        mine.write("supabase.url", gateway.url)
        neighbour.write("supabase.url", servers.supabase.url)
        for one in (mine, neighbour):
            await apply(one.case, a_config(one.case))
            await one.sent(one.row())
        await a_rotated_database_key_is_used(mine, gateway, first, second, tenants)
        await a_missing_key_is_waited_for(mine, neighbour, second)
        await a_rotated_novu_key_is_used(mine, neighbour)
        assert mine.delivered() == 4
        for one in (mine, neighbour):
            await stop(one.case)


async def a_rotated_database_key_is_used(
    mine: Tenant, gateway: Recorder, first: str, second: str, tenants: EnterpriseTenants
) -> None:
    assert gateway.keys_since(0) == {first}
    rotated = time.monotonic()
    mine.write("supabase.serviceRoleKey", second)

    async def used() -> bool:
        return second in gateway.keys_since(rotated)

    await eventually(used, "the new key is used", 10)
    changed = time.monotonic()
    await mine.sent(mine.row())
    assert gateway.keys_since(changed) == {second}
    assert (gateway.url, first) not in tenants._gateways, "the client with the old key is kept"


async def a_missing_key_is_waited_for(mine: Tenant, neighbour: Tenant, key: str) -> None:
    mine.file("supabase.serviceRoleKey").unlink()
    await mine.unwell("CredentialsMissing")
    waiting, free = mine.row(), neighbour.row()
    await neighbour.sent(free)
    assert mine.rows.status(waiting) == "PENDING"
    mine.write("supabase.serviceRoleKey", key)
    await mine.sent(waiting)


async def a_rotated_novu_key_is_used(mine: Tenant, neighbour: Tenant) -> None:
    """Novu revokes the old key first: what comes in between waits."""
    sandbox = mine.sandbox
    port = int(sandbox.url.rpartition(":")[2])
    old = sandbox.secret_key
    assert sandbox.stop() == 0
    sandbox.secret_key = "rotated-sandbox-key"
    sandbox.start(port)
    try:
        waiting, free = mine.row(), neighbour.row()
        await neighbour.sent(free)

        async def refused() -> bool:
            return mine.rows.status(waiting) == "PROCESSING"

        await eventually(refused, "the delivery is claimed and refused")
        mine.write("novu.secretKey", "rotated-sandbox-key")
        await mine.sent(waiting)
    finally:
        sandbox.stop()
        sandbox.secret_key = old
        sandbox.start(port)


@pytest.mark.parametrize("file", ["novu.secretKey", "novu.apiUrl"])
async def test_without_its_own_key_nothing_is_sent_with_anybody_elses(
    servers: Stack,
    rows: Rows,
    tmp_path: Path,
    novu_sandbox: SandboxProcess,
    file: str,
) -> None:
    case = await a_case(servers.temporal.address)
    case.enterprise = EnterpriseRef(id=rows.enterprise, supabase=OWN, novu=OWN)
    async with working(case, tmp_path):
        mine = prepared(case, rows, tmp_path, novu_sandbox, servers.supabase.service_role_key)
        mine.write("supabase.url", servers.supabase.url)
        kept = mine.file(file).read_text()
        mine.file(file).unlink()
        await apply(case, a_config(case))
        waiting = mine.row()
        await run_exactly(case, ALL)
        await mine.unwell("CredentialsMissing")
        assert rows.status(waiting) in {"PENDING", "PROCESSING"}
        assert mine.delivered() == 0
        mine.write(file, kept)
        await mine.sent(waiting)
        assert mine.delivered() == 1
        await stop(case)
