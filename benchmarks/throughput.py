"""Drain a backlog on the local stack: rows a second, and CPU milliseconds a row by process.

    python benchmarks/throughput.py --rows 2000 --enterprises 10

Everything is real and on this machine: Postgres, PostgREST, Temporal, the Novu sandbox, the worker. The rows are inserted in one
statement an enterprise; the clock runs until the last is SENT. A run that lost or doubled one row is void: it says so and ends
with 1. Counts and ratios are what to compare; a rate depends on the machine.
"""

import argparse
import asyncio
import tempfile
import time
import uuid
from collections import Counter
from pathlib import Path

import httpx
import psutil
import psycopg
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from xnovu.adapters.temporal import connect
from xnovu.core import ids
from xnovu.core.contracts.common import EnterpriseRef
from xnovu.core.contracts.orchestration import (
    EnterpriseConfig,
    OrchestrationInput,
    OrchestrationStatus,
)
from xnovu.settings import TemporalSettings
from xnovu_dev import stack
from xnovu_dev.state import Stack

SHOW_EVERY = 2.0
QUEUE = TemporalSettings().task_queue


def cpu_seconds(pids: dict[str, int]) -> dict[str, float]:
    """User and system time of every process and its children so far."""
    found = {}
    for name, pid in pids.items():
        total = 0.0
        for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system + times.children_user + times.children_system
        found[name] = total
    return found


async def apply(client: Client, enterprise: str) -> None:
    """As the operator does it."""
    config = EnterpriseConfig(generation=1, enterprise=EnterpriseRef(id=enterprise))
    start: WithStartWorkflowOperation[object, None] = WithStartWorkflowOperation(
        "NotificationOrchestrationWorkflow",
        OrchestrationInput(config=config),
        id=ids.orchestration_workflow_id(enterprise),
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        task_queue=QUEUE,
    )
    await client.execute_update_with_start_workflow(
        "apply_config", config, start_workflow_operation=start, result_type=OrchestrationStatus
    )


def workflow(connection: psycopg.Connection, novu: httpx.Client) -> int:
    key = f"notice-{uuid.uuid4().hex[:8]}"
    step = {"type": "in_app", "name": "In-app", "controlValues": {"body": "{{payload.text}}"}}
    body = {"workflowId": key, "name": key, "steps": [step]}
    novu.put(f"/v2/workflows/{key}", json=body).raise_for_status()
    row = connection.execute(
        "insert into notify.ent_notification_workflow (name, workflow_type, workflow_key, publish_status)"
        " values (%s, 'STATIC', %s, 'PUBLISH') returning id",
        (key, key),
    ).fetchone()
    assert row
    return int(row[0])


def insert(connection: psycopg.Connection, enterprise: str, workflow_id: int, rows: int) -> None:
    connection.execute(
        "insert into notify.ent_notification"
        " (name, enterprise_id, publish_status, notification_workflow_id, payload, recipients)"
        " select gen_random_uuid()::text, %s, 'PUBLISH', %s, '{\"text\": \"hello\"}',"
        " array[gen_random_uuid()] from generate_series(1, %s)",
        (enterprise, workflow_id, rows),
    )


def unsent(connection: psycopg.Connection, enterprises: list[str]) -> int:
    row = connection.execute(
        "select count(*) from notify.ent_notification"
        " where notification_status <> 'SENT' and enterprise_id = any (%s::uuid[])",
        (enterprises,),
    ).fetchone()
    assert row
    return int(row[0])


async def until_sent(
    connection: psycopg.Connection, enterprises: list[str], *, seconds: float
) -> float:
    begun = time.monotonic()
    shown = begun
    while left := unsent(connection, enterprises):
        now = time.monotonic()
        if now - begun > seconds:
            raise SystemExit(f"{left} rows are not SENT after {seconds:.0f} s")
        if now - shown > SHOW_EVERY:
            print(f"  {now - begun:5.1f} s: {left} left", flush=True)
            shown = now
        await asyncio.sleep(0.1)
    return time.monotonic() - begun


def ledger(novu: httpx.Client, enterprises: list[str]) -> Counter[int]:
    counts: Counter[int] = Counter()
    for entry in novu.get("/__sandbox/deliveries").json():
        found = ids.parse_transaction_id(entry["transactionId"])
        if found is not None and found.enterprise_id in enterprises:
            counts[found.notification_id] += 1
    return counts


async def until_in_ledger(novu: httpx.Client, enterprises: list[str], rows: int) -> Counter[int]:
    """Novu accepts first and delivers a moment later."""
    for _ in range(100):
        found = ledger(novu, enterprises)
        if len(found) >= rows:
            break
        await asyncio.sleep(0.2)
    return found


async def measure(up: Stack, rows: int, enterprises: int, home: Path) -> int:
    client = await connect(TemporalSettings(address=up.temporal.address))
    tenants = [str(uuid.uuid4()) for _ in range(enterprises)]
    key = {"Authorization": f"ApiKey {up.novu.secret_key}"}
    with (
        psycopg.connect(up.supabase.dsn, autocommit=True) as connection,
        httpx.Client(base_url=up.novu.url, headers=key, timeout=60) as novu,
    ):
        kind = workflow(connection, novu)
        for tenant in tenants:
            insert(connection, tenant, kind, 5)
            await apply(client, tenant)
        await until_sent(connection, tenants, seconds=60)
        pids = {n: p.pid for n, p in stack.processes(home).items() if n != "supervisor"}
        before = cpu_seconds(pids)
        for tenant in tenants:
            insert(connection, tenant, kind, rows // enterprises)
        seconds = await until_sent(connection, tenants, seconds=280)
        after = cpu_seconds(pids)
        total = rows // enterprises * enterprises
        wanted = total + 5 * enterprises
        found = await until_in_ledger(novu, tenants, wanted)
    report(total, enterprises, seconds, {n: after[n] - before[n] for n in pids})
    doubled = sum(count > 1 for count in found.values())
    print(f"lost {wanted - len(found)}, doubled {doubled}")
    return 0 if doubled == 0 and len(found) == wanted else 1


def report(rows: int, enterprises: int, seconds: float, cpu: dict[str, float]) -> None:
    print(f"\n{rows} rows of {enterprises} enterprises in {seconds:.1f} s: {rows / seconds:.0f}/s")
    print("CPU ms a row")
    for name, used in sorted(cpu.items(), key=lambda item: -item[1]):
        print(f"  {name:16} {1000 * used / rows:6.2f}")
    print(f"  {'sum':16} {1000 * sum(cpu.values()) / rows:6.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--enterprises", type=int, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        up = stack.start(home, components=("worker",))
        try:
            code = asyncio.run(measure(up, given.rows, given.enterprises, home))
        finally:
            stack.stop(home, forget=False)
    raise SystemExit(code)


if __name__ == "__main__":
    main()
