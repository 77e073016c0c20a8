"""Makes a fault's place and takes it away again: proxies, a worker, enterprises that it polls for. Called by `run`, `soak`.

Plays the operator: each tenant's orchestration is started by update-with-start, as the Enterprise's pass does it.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

from temporalio.service import RPCError

from xnovu.core.contracts.common import (
    CredentialSource,
    DeliveryConfig,
    EnterpriseRef,
    Mode,
    RetryConfig,
)
from xnovu.core.contracts.orchestration import (
    CronConfig,
    EnterpriseConfig,
    ScheduledConfig,
)
from xnovu.core.errors import Unavailable
from xnovu_dev.faults.http_proxy import HttpProxy, Request
from xnovu_dev.faults.novu_process import NovuProcess
from xnovu_dev.faults.requests import is_poll, of
from xnovu_dev.faults.site import Site
from xnovu_dev.faults.tcp_proxy import TcpProxy
from xnovu_dev.faults.worker_process import WorkerProcess
from xnovu_dev.faults.world import World
from xnovu_operator.temporal import EnterpriseWorkflows

START_SECONDS: Final = 60.0
APPLIED_AT_ONCE: Final = 4
QUICK: Final = DeliveryConfig(
    retry=RetryConfig(
        initial_interval=timedelta(milliseconds=300), maximum_interval=timedelta(seconds=3)
    )
)
"""Three attempts, as by default; shorter waits, so that a test is."""

WORKER: Final = {
    "XNOVU_WORKER__VERIFY_DELAY_SECONDS": "1",
    "XNOVU_WORKER__CLAIM_LEASE_SECONDS": "5",
    "XNOVU_WORKER__SWEEP_SECONDS": "3",
}
"""The sandbox's feed lags by 50 ms, so a second of looking is as much as ten in production."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a site is made with. `points`: failpoints. `own_novu`: a Novu that nobody else uses.

    `own_credentials`: the victim has secrets of its own, and with them that Novu; its neighbours use the installation's.
    """

    tenants: int = 2
    points: str = ""
    own_credentials: bool = False
    own_novu: bool = False
    delivery: DeliveryConfig = QUICK
    start: bool = True


@asynccontextmanager
async def site(world: World, name: str, needs: Needs) -> AsyncIterator[Site]:
    """A worker that works for all its tenants. Everything of it ends with the block."""
    queue = f"faults-{uuid4().hex[:8]}"
    folder = world.folder / f"{name}-{queue}"
    (folder / "credentials").mkdir(parents=True)
    stack = world.stack
    async with AsyncExitStack() as opened:
        made = Site(
            world=world,
            queue=queue,
            temporal=await opened.enter_async_context(TcpProxy(stack.temporal.address)),
            database=await opened.enter_async_context(HttpProxy(stack.supabase.url)),
            novu=await opened.enter_async_context(HttpProxy(stack.novu.url)),
            workers=[],
            tenants=tuple(str(uuid4()) for _ in range(needs.tenants)),
            folder=folder,
            own_novu=await _own_novu(opened, world, needs, folder),
        )
        if made.own_novu is not None and not needs.own_credentials:
            made.novu.upstream = made.own_novu.url
        settings = _settings(made, needs, folder)
        made.workers.append(WorkerProcess(world.subject.command, settings, folder / "worker.log"))
        try:
            if needs.own_credentials:
                made.give_credentials()
            if needs.start:
                await made.worker.start()
                await made.worker.ready()
                await begin(made, needs)
            yield made
        finally:
            for worker in made.workers:
                await worker.kill()
            await _terminate(made)


async def _own_novu(
    opened: AsyncExitStack, world: World, needs: Needs, folder: Path
) -> NovuProcess | None:
    if not needs.own_novu:
        return None
    made = await opened.enter_async_context(
        NovuProcess(folder / "novu", world.stack.novu.secret_key)
    )
    await made.ledger.workflow(world.workflow_key)
    return made


async def begin(made: Site, needs: Needs) -> None:
    """Do for every tenant what the operator does for an Enterprise, and wait until each was polled for."""
    waiting = set(made.tenants)

    def watch(request: Request) -> None:
        if waiting and is_poll(request):
            waiting.difference_update([t for t in waiting if of(t, is_poll)(request)])

    made.database.watchers.append(watch)
    if made.world.subject.ours:
        workflows = EnterpriseWorkflows(made.world.client, made.queue)
        for start in range(0, len(made.tenants), APPLIED_AT_ONCE):
            some = made.tenants[start : start + APPLIED_AT_ONCE]
            await asyncio.gather(*(_apply(workflows, made, needs, t) for t in some))
    if not await made.until(lambda: not waiting, START_SECONDS):
        raise TimeoutError("the worker polls for nobody")
    made.database.watchers.remove(watch)


async def _apply(workflows: EnterpriseWorkflows, made: Site, needs: Needs, tenant: str) -> None:
    own = needs.own_credentials and tenant == made.victim
    source = CredentialSource.ENTERPRISE if own else CredentialSource.INSTALLATION
    config = config_of(tenant, source, needs.delivery)
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            await workflows.apply(config)
        except Unavailable:
            if time.monotonic() > deadline:
                raise
        else:
            return


def config_of(
    tenant: str,
    novu: CredentialSource = CredentialSource.INSTALLATION,
    delivery: DeliveryConfig = QUICK,
) -> EnterpriseConfig:
    """What the operator would tell of the tenant, with nothing that polls for other things."""
    return EnterpriseConfig(
        generation=1,
        enterprise=EnterpriseRef(id=tenant, novu=novu),
        scheduled=ScheduledConfig(mode=Mode.OFF),
        cron=CronConfig(mode=Mode.OFF),
        delivery=delivery,
    )


async def _terminate(made: Site) -> None:
    if not made.world.subject.ours:
        return
    workflows = EnterpriseWorkflows(made.world.client, made.queue)
    for tenant in made.tenants:
        with suppress(RPCError, Unavailable):
            await workflows.terminate(tenant)


def _settings(made: Site, needs: Needs, folder: Path) -> dict[str, str]:
    stack = made.world.stack
    found = {
        "XNOVU_TEMPORAL__ADDRESS": made.temporal.address,
        "XNOVU_TEMPORAL__NAMESPACE": stack.temporal.namespace,
        "XNOVU_TEMPORAL__TASK_QUEUE": made.queue,
        "XNOVU_SUPABASE__URL": made.database.url,
        "XNOVU_SUPABASE__SERVICE_ROLE_KEY": stack.supabase.service_role_key,
        "XNOVU_NOVU__API_URL": made.novu.url,
        "XNOVU_NOVU__SECRET_KEY": stack.novu.secret_key,
        **made.world.subject.environment(made.tenants),
    }
    if made.world.subject.ours:
        found |= WORKER | {"XNOVU_WORKER__CREDENTIALS_DIR": str(made.folder / "credentials")}
        found |= {
            "XNOVU_FAULT_POINTS": needs.points,
            "XNOVU_FAULT_MARKS": str(folder),
            "XNOVU_FAULT_ENTERPRISE": made.victim,
        }
    return found
