"""What encryption costs: CPU milliseconds a notification, plain and encrypted, in the worker and in Temporal.

    PYTHONPATH=tests python benchmarks/codec.py --rows 400 --rounds 6

Temporal's dev server and the worker's own code are real; the database and Novu are the fakes of the tests, so the rest
of a delivery is cheaper than in production, and the ratio is above what production sees. Plain and encrypted take turns
in one process, and the medians are compared, because a shared machine drifts. The time inside the codec is measured by
itself too: it is the more exact of the two numbers. Ends with 1 where that is above 5 %.
"""

import argparse
import asyncio
import base64
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil
from fakes.database import FakeDatabase
from fakes.novu import FakeNovu, FakeTenants
from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import PayloadCodec
from temporalio.runtime import Runtime
from temporalio.testing import WorkflowEnvironment
from typing_extensions import override

from xnovu.adapters.temporal import connect, ensure_search_attributes
from xnovu.core import ids
from xnovu.core.contracts.common import EnterpriseRef
from xnovu.core.contracts.notifications import NotificationRef, ProcessingInput
from xnovu.settings import Settings, TemporalSettings
from xnovu.worker import build
from xnovu_activities.measures import Measures
from xnovu_activities.monitors import Starter
from xnovu_dev import environment, programs
from xnovu_dev.progress import silent

MOST = 0.05
"""Part of a delivery's CPU that encryption may cost."""

AT_ONCE = 20


@dataclass
class Timed(PayloadCodec):
    """The codec, with the seconds and the payloads that went through it."""

    inner: PayloadCodec
    seconds: float = 0.0
    payloads: int = 0

    @override
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        begun = time.thread_time()
        found = await self.inner.encode(payloads)
        self.seconds += time.thread_time() - begun
        self.payloads += len(payloads)
        return found

    @override
    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        begun = time.thread_time()
        found = await self.inner.decode(payloads)
        self.seconds += time.thread_time() - begun
        self.payloads += len(payloads)
        return found


@dataclass
class Measured:
    """Of one way, a value a round: CPU milliseconds a notification."""

    worker: list[float] = field(default_factory=list)
    server: list[float] = field(default_factory=list)


async def delivered(client: Client, settings: Settings, rows: int) -> None:
    """So many notifications of a new enterprise, each by its own workflow, started as a monitor starts them."""
    enterprise = EnterpriseRef(id=str(uuid.uuid4()))
    database, novu = FakeDatabase(enterprise.id), FakeNovu()
    tenants = FakeTenants({enterprise.id: database}, {enterprise.id: novu})
    measures = Measures(Runtime.default().metric_meter)
    gate = asyncio.Semaphore(AT_ONCE)
    starter = Starter(client, settings.temporal.task_queue)

    async def one(number: int) -> None:
        database.add(number)
        async with gate:
            ref = NotificationRef(enterprise=enterprise, notification_id=number)
            await starter.start(ProcessingInput(ref=ref))
            name = ids.notification_workflow_id(enterprise.id, number)
            await client.get_workflow_handle(name).result()

    async with build(client, settings, tenants, measures):
        await asyncio.gather(*(one(number) for number in range(1, rows + 1)))
    if len(novu.delivered) != rows:
        raise SystemExit(f"void: {len(novu.delivered)} of {rows} were delivered")


def server_cpu(server: psutil.Process) -> float:
    times = server.cpu_times()
    return times.user + times.system


def a_key(folder: Path) -> Path:
    (folder / "k1").write_bytes(base64.b64encode(os.urandom(32)))
    return folder


async def measure(rows: int, rounds: int, folder: Path) -> tuple[Measured, Measured, Timed]:
    environ = environment.inherited()
    found = programs.find(
        programs.PROGRAMS["temporal"], environ, environment.cache(environ), silent
    )
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(found.path), dev_server_log_level="error"
    ) as env:
        address = env.client.service_client.config.target_host
        server = next(
            p for p in psutil.Process().children(recursive=True) if "temporal" in p.name()
        )
        given = TemporalSettings(address=address, task_queue="codec")
        plain = await connect(given)
        await ensure_search_attributes(plain, manage=True)
        keyed = given.model_copy(update={"codec_keys_dir": a_key(folder), "codec_active_key": "k1"})
        sealed = await connect(keyed)
        codec = sealed.data_converter.payload_codec
        assert codec is not None
        timed = Timed(codec)
        config = sealed.config()
        config["data_converter"] = replace(sealed.data_converter, payload_codec=timed)
        ways = ((plain, Measured()), (Client(**config), Measured()))
        settings = Settings(temporal=given)
        for client, _ in ways:
            await delivered(client, settings, rows // 4)
        timed.seconds, timed.payloads = 0.0, 0
        for number in range(rounds):
            for client, into in ways if number % 2 else ways[::-1]:
                ours, its = time.process_time(), server_cpu(server)
                await delivered(client, settings, rows)
                into.worker.append((time.process_time() - ours) * 1000 / rows)
                into.server.append((server_cpu(server) - its) * 1000 / rows)
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
        return ways[0][1], ways[1][1], timed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=6)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plain, sealed, timed = asyncio.run(measure(given.rows, given.rounds, Path(folder)))
    total = given.rows * given.rounds
    inside = timed.seconds * 1000 / total
    whole = statistics.median(sealed.worker) + statistics.median(sealed.server)
    for name, way in (("plain", plain), ("encrypted", sealed)):
        worker, server = statistics.median(way.worker), statistics.median(way.server)
        print(f"{name:<10} worker {worker:6.2f} ms, Temporal {server:6.2f} ms a notification")
    ratio = whole / (statistics.median(plain.worker) + statistics.median(plain.server))
    print(f"ratio      {ratio:.3f} encrypted to plain, all CPU")
    print(
        f"codec      {inside * 1000:.0f} µs in {timed.payloads / total:.1f} payloads a notification:"
        f" {inside / whole:.2%} of all CPU, {inside / statistics.median(sealed.worker):.2%} of the worker's"
    )
    return 0 if inside / whole <= MOST else 1


if __name__ == "__main__":
    # The Rust core's threads may call a dying interpreter (see xnovu.worker).
    code = main()
    sys.stdout.flush()
    os._exit(code)
