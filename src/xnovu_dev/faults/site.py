"""One fault's place: a worker behind three proxies, a task queue, a victim and a neighbour. Nothing of it is shared.

A fault plants rows, breaks something, mends it, and says when it was mended; then the site waits until everything has
ended and collects what the oracle needs. Made by `run`.
"""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from temporalio.service import RPCError

from xnovu.core import ids
from xnovu.core.errors import Unavailable
from xnovu_dev.faults import rows
from xnovu_dev.faults.failpoints import ARMED
from xnovu_dev.faults.http_proxy import HttpProxy, Match
from xnovu_dev.faults.novu_process import NovuProcess
from xnovu_dev.faults.requests import of
from xnovu_dev.faults.rows import Planted, Wanted
from xnovu_dev.faults.tcp_proxy import TcpProxy
from xnovu_dev.faults.worker_process import WorkerProcess
from xnovu_dev.faults.world import World
from xnovu_operator.temporal import EnterpriseWorkflows

START_SECONDS: Final = 60.0
VISIBLE_SECONDS: Final = 15.0
LOOK_EVERY: Final = 0.4
READ_EVERY: Final = 1.0
"""Seconds between two looks at statuses, and at histories: looking costs the servers what deliveries need."""
APPLIED_AT_ONCE: Final = 4


@dataclass
class Site:
    """`over`: when the fault had ended (epoch seconds). `notes`: promises that an injection saw broken."""

    world: World
    queue: str
    temporal: TcpProxy
    database: HttpProxy
    novu: HttpProxy
    workers: list[WorkerProcess]
    tenants: tuple[str, ...]
    folder: Path
    own_novu: NovuProcess | None = None
    planted: list[Planted] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    over: float = 0.0

    @property
    def worker(self) -> WorkerProcess:
        return self.workers[0]

    @property
    def victim(self) -> str:
        return self.tenants[0]

    @property
    def neighbours(self) -> tuple[str, ...]:
        return self.tenants[1:]

    async def plant(
        self, tenant: str, count: int = 1, wanted: Wanted | None = None
    ) -> list[Planted]:
        """So many alike, in one statement."""
        return await self.plant_all(tenant, [wanted or Wanted()] * count)

    async def plant_all(self, tenant: str, wanted: Sequence[Wanted]) -> list[Planted]:
        orders = [(tenant, one) for one in wanted]
        made = await rows.plant(self.world.sql, orders, self.world.workflow_id)
        self.planted += made
        return made

    async def plant_everywhere(self, count: int) -> None:
        for tenant in self.tenants:
            await self.plant(tenant, count)

    def mended(self) -> None:
        """From here on recovery is counted."""
        self.over = time.time()

    async def second_worker(self) -> WorkerProcess:
        """Another one on the same queue, behind the same proxies; ready."""
        log = self.worker.log.with_suffix(f".{len(self.workers) + 1}.log")
        made = WorkerProcess(self.world.subject.command, self.worker.settings, log)
        self.workers.append(made)
        await made.start()
        await made.ready()
        return made

    async def restart(self) -> None:
        """Start the worker again, as whatever supervises it does; does not wait until it works."""
        await self.worker.start()

    async def ends(self, seconds: float, planted: Sequence[Planted] | None = None) -> bool:
        """Wait until every row, or each of these, has a final status."""
        which = self.planted if planted is None else planted
        return await self.until(lambda: rows.unfinished(self.world.sql, which), seconds, wanted=0)

    async def killed(self) -> int:
        """Kill the worker as the kernel does; its exit code."""
        self.worker.send(signal.SIGKILL)
        return await self.worker.ended()

    def arm_points(self) -> None:
        """The failpoints of the worker act from here on."""
        (self.folder / ARMED).touch()

    def mine(self, match: Match) -> Match:
        """Only what concerns the victim."""
        return of(self.victim, match)

    async def until(
        self,
        look: Callable[[], object],
        seconds: float,
        *,
        wanted: object = True,
        every: float = LOOK_EVERY,
    ) -> bool:
        """Whether `look` (which may be asynchronous) answers `wanted` within `seconds`."""
        end = time.monotonic() + seconds
        while True:
            answer = look()
            if asyncio.iscoroutine(answer):
                answer = await answer
            if answer == wanted:
                return True
            if time.monotonic() > end:
                return False
            await asyncio.sleep(every)

    def give_credentials(self, key: str | None = None) -> None:
        """Put the victim's Novu secret where the worker looks for it; `key`: another one than the real one."""
        if self.own_novu is None:
            raise RuntimeError("the site has no Novu of its own")
        values = {"apiUrl": self.own_novu.url, "secretKey": key or self.own_novu.secret_key}
        for name, value in values.items():
            self.credential(name).write_text(value)

    def credential(self, name: str) -> Path:
        return self.folder / "credentials" / f"{self.victim}.novu.{name}"

    async def received(self) -> Counter[str]:
        """How often each recipient got something, in every Novu that this site's worker uses."""
        found = await self.world.ledger.received()
        return found + await self.own_novu.ledger.received() if self.own_novu else found

    async def shows(self, reason: str, tenant: str | None = None) -> None:
        """Note it when nobody can see this reason: neither in a monitor's health nor in what a delivery went through."""
        if not self.world.subject.ours:
            return
        whose = tenant or self.victim

        async def seen() -> bool:
            return reason in await self.health(whose) or await self._in_histories(whose, reason)

        if not await self.until(seen, VISIBLE_SECONDS, every=READ_EVERY):
            self.notes.append(f"{reason} was nowhere to be seen")

    async def health(self, tenant: str) -> str:
        """The reason that the realtime monitor's heartbeat gives: for its newest failed poll, or for taking nothing in."""
        with suppress(RPCError, Unavailable):
            workflows = EnterpriseWorkflows(self.world.client, self.queue)
            running = await workflows.running(ids.realtime_workflow_id(tenant))
            if running is not None and running.health is not None:
                return running.health.error_reason or running.health.held_reason or ""
        return ""

    async def quiet(self, seconds: float) -> bool:
        """Wait until nothing is on its way any more: no delivery runs, no request is open."""

        async def nothing() -> bool:
            if self.database.in_flight or self.novu.in_flight:
                return False
            return not self.world.subject.ours or await self._running() == 0

        return await self.until(nothing, seconds)

    async def _running(self) -> int:
        listed = " or ".join(f"XnovuEnterprise = '{tenant}'" for tenant in self.tenants)
        found = await self.world.client.count_workflows(
            "WorkflowType = 'NotificationProcessingWorkflow' and ExecutionStatus = 'Running'"
            f" and ({listed})"
        )
        return found.count

    async def _in_histories(self, tenant: str, reason: str) -> bool:
        for row in [row for row in self.planted if row.enterprise == tenant][-5:]:
            handle = self.world.client.get_workflow_handle(
                ids.notification_workflow_id(tenant, row.id)
            )
            with suppress(RPCError):
                history = await handle.fetch_history()
                if any(reason.encode() in event.SerializeToString() for event in history.events):
                    return True
        return False
