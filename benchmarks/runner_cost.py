"""What Temporal's sandbox costs a worker of XNovu: CPU of a delivery, memory of a waiting one, with it and without.

The figures behind docs/adr/0012-evolution.md: `python benchmarks/runner_cost.py`, on a quiet machine. Real workflows and
a real server; the one activity that runs answers at once, so that the workflow's own cost is what is left. Each round is
a process of its own, which reports its CPU time and its resident memory; the parent starts the workflows.
"""

import argparse
import asyncio
import json
import os
import resource
import statistics
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from xnovu.core.contracts.common import EnterpriseRef
from xnovu.core.contracts.notifications import (
    DeliverResult,
    Next,
    NotificationRef,
    NotificationStatus,
    ProcessingInput,
)
from xnovu.worker import WORKFLOWS
from xnovu_dev import environment, programs
from xnovu_dev.progress import silent

Handle = WorkflowHandle[Any, Any]
Ask = Callable[[], Awaitable[dict[str, float]]]
RUNNERS: Final = {
    # As the tests have it: what may be passed through is.
    "sandboxed": lambda: SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_passthrough_modules("xnovu", "pydantic")
    ),
    "unsandboxed": UnsandboxedWorkflowRunner,
}
SENT: Final = DeliverResult(next=Next.FINISHED, status=NotificationStatus.SENT, accepted=1)
WAITS: Final = DeliverResult(next=Next.DEFERRED, retry_after=timedelta(hours=1))
AT_ONCE: Final = 50
WAITING_EVENTS: Final = 6
"""Started, three of the workflow task, the local activity's marker, the timer."""


@activity.defn(name="DeliverNotification")
async def deliver(request: ProcessingInput) -> DeliverResult:
    """A negative id stands for: Novu is throttling, wait for an hour."""
    return WAITS if request.ref.notification_id < 0 else SENT


def usage() -> dict[str, float]:
    """CPU in ms since the process began, resident memory in KiB."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "cpu": (spent.ru_utime + spent.ru_stime) * 1000,
        "memory": pages * resource.getpagesize() / 1024,
    }


async def work(runner: str, address: str, queue: str) -> None:
    """The child: a worker that says what it has used, once ready and at every line it is sent."""
    client = await Client.connect(address, data_converter=pydantic_data_converter)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    async with Worker(
        client,
        task_queue=queue,
        workflows=WORKFLOWS,
        activities=[deliver],
        workflow_runner=RUNNERS[runner](),
        max_cached_workflows=2000,
    ):
        print(json.dumps(usage()), flush=True)
        while await lines.readline():
            print(json.dumps(usage()), flush=True)


@asynccontextmanager
async def a_worker(runner: str, address: str, queue: str) -> AsyncIterator[Ask]:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, __file__, "--child", runner, address, queue),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    told, said = child.stdin, child.stdout
    assert told is not None
    assert said is not None
    await said.readline()

    async def ask() -> dict[str, float]:
        told.write(b"\n")
        answer: dict[str, float] = json.loads(await said.readline())
        return answer

    yield ask
    told.close()
    await child.wait()


async def start(client: Client, queue: str, numbers: Iterable[int]) -> list[Handle]:
    enterprise = EnterpriseRef(id=str(uuid.uuid4()))
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> Handle:
        given = ProcessingInput(ref=NotificationRef(enterprise=enterprise, notification_id=number))
        async with gate:
            return await client.start_workflow(
                "NotificationProcessingWorkflow",
                given,
                id=f"cost-{uuid.uuid4()}",
                task_queue=queue,
                execution_timeout=timedelta(minutes=10),
            )

    return await asyncio.gather(*map(one, numbers))


async def until_waiting(handle: Handle) -> None:
    async with asyncio.timeout(60):
        while (await handle.describe()).history_length < WAITING_EVENTS:  # noqa: ASYNC110 - a server is asked
            await asyncio.sleep(0.05)


async def measure(runner: str, client: Client, count: int) -> tuple[float, float]:
    """CPU ms of a delivery, KiB of one that waits in the worker's cache."""
    queue = f"cost-{uuid.uuid4()}"
    address = client.service_client.config.target_host
    async with a_worker(runner, address, queue) as ask:
        # The first ones pay for what is loaded and compiled once.
        await asyncio.gather(*(h.result() for h in await start(client, queue, range(20))))
        before = await ask()
        waiting = await start(client, queue, range(-count, 0))
        await asyncio.gather(*map(until_waiting, waiting))
        full = await ask()
        await asyncio.gather(*(h.result() for h in await start(client, queue, range(count))))
        after = await ask()
        await asyncio.gather(*(h.terminate() for h in waiting))
    cpu = (after["cpu"] - full["cpu"]) / count
    return cpu, (full["memory"] - before["memory"]) / count


async def compare(count: int, rounds: int) -> None:
    environ = environment.inherited()
    program = programs.find(
        programs.PROGRAMS["temporal"], environ, environment.cache(environ), silent
    )
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in RUNNERS}
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(program.path),
        dev_server_log_level="error",
        data_converter=pydantic_data_converter,
    ) as server:
        for number in range(rounds):
            for name in RUNNERS:
                found[name].append(await measure(name, server.client, count))
                cpu, memory = found[name][-1]
                print(f"round {number + 1}: {name:12} {cpu:6.2f} ms, {memory:6.1f} KiB", flush=True)
    middle = {
        name: [statistics.median(column) for column in zip(*values, strict=True)]
        for name, values in found.items()
    }
    print(f"\n{count} workflows, median of {rounds} rounds\n")
    print("| runner | CPU a delivery | memory a waiting one |\n|---|---|---|")
    for name, (cpu, memory) in middle.items():
        print(f"| {name} | {cpu:.1f} ms | {memory:.0f} KiB |")
    with_it, without = middle.values()
    ratio = [a / b for a, b in zip(with_it, without, strict=True)]
    print(f"| ratio | {ratio[0]:.1f} | {ratio[1]:.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workflows", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        asyncio.run(work(*given.child))
        os._exit(0)  # Temporal's threads now and then abort an interpreter that is taken apart
    asyncio.run(compare(given.workflows, given.rounds))


if __name__ == "__main__":
    main()
