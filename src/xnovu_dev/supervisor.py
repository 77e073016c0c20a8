"""The process that owns the stack: starts the servers in order, keeps them alive, stops them in reverse.

Detached from whoever started it, so that `up` may leave. What happens it writes to files of the home: progress while it
starts, `stack.json` once all is ready, `processes.json` always. SIGTERM stops everything. Killed with -9 it takes
everything along (`xnovu_dev.child`), and the next start begins from what is on the disk. Called by
`python -m xnovu_dev supervise`, which `xnovu_dev.stack` starts.
"""

import asyncio
import logging
import os
from collections.abc import Awaitable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from xnovu_dev import (
    assets,
    certificates,
    cluster,
    credentials_mirror,
    etcd,
    kube_apiserver,
    kubeconfig,
    migrations,
    postgres,
    postgrest,
    processes,
    temporal_server,
)
from xnovu_dev.context import Context
from xnovu_dev.home import Home
from xnovu_dev.kubernetes import KubernetesApi
from xnovu_dev.problems import StackError
from xnovu_dev.process import Process, Spec
from xnovu_dev.progress import FAILED, READY, STARTING, STOPPED, Report
from xnovu_dev.state import (
    NovuPart,
    ProcessPart,
    Stack,
    SupabasePart,
    TemporalPart,
    read_processes,
    write_processes,
    write_stack,
)

STACK: Final = "stack"
"""The component that stands for all of it in progress reports."""

SERVERS: Final = ("etcd", "kube-apiserver", "temporal", "postgres", "postgrest", "supabase", "novu")
OURS: Final = ("operator", "worker")
PORTS: Final = (
    *etcd.PORTS,
    *kube_apiserver.PORTS,
    *temporal_server.PORTS,
    *postgres.PORTS,
    *postgrest.PORTS,
    *processes.PORTS,
)
STOP_ORDER: Final = (
    ("operator", "worker"),
    ("supabase", "novu"),
    ("postgrest", "kube-apiserver", "temporal"),
    ("postgres", "etcd"),
)
LEFTOVER_SECONDS: Final = 10.0
WATCH_SECONDS: Final = 0.5
_log: Final = logging.getLogger(__name__)


@dataclass(slots=True)
class Supervisor:
    """One run of the stack. `components`: which of `OURS` to run beside the servers. `owner`: whose end ends it."""

    context: Context
    components: tuple[str, ...]
    report: Report
    owner: int | None = None
    running: dict[str, Process] = field(default_factory=dict)
    _mirror: asyncio.Task[None] | None = None
    _up: bool = False

    async def run(self, stop: asyncio.Event) -> None:
        """Start everything, wait for `stop`, stop everything. Raises StackError when something does not start."""
        starting = asyncio.create_task(self._start_all())
        stopping = asyncio.create_task(stop.wait())
        watching = asyncio.create_task(_stop_without(self.context.home, self.owner, stop))
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                await stopping
        finally:
            tasks = (starting, stopping, watching)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._stop_all()

    async def _start_all(self) -> None:
        home = self.context.home
        authority = await asyncio.to_thread(certificates.of_home, home)
        server = self.context.url("kube-apiserver", "https")
        kubeconfig.write(home.kubeconfig, server, authority, "admin")
        kubeconfig.write(home.operator_kubeconfig, server, authority, "operator")
        await _together(
            self._kubernetes(authority),
            self._start(temporal_server.spec(self.context)),
            self._database(),
            self._start(processes.sandbox_spec(self.context)),
        )
        specs = {
            "operator": processes.operator_spec,
            "worker": processes.worker_spec,
        }
        await _together(*(self._start(specs[name](self.context)) for name in self.components))
        self._up = True
        self._write()
        self.report(STACK, READY, str(home.stack_file))

    async def _kubernetes(self, authority: certificates.Authority) -> None:
        home = self.context.home
        await self._start(etcd.spec(self.context, authority))
        await self._start(kube_apiserver.spec(self.context, authority))
        await asyncio.to_thread(_install, home.kubeconfig)
        self._mirror = asyncio.create_task(
            credentials_mirror.run(home.kubeconfig, home.credentials), name="credentials mirror"
        )

    async def _database(self) -> None:
        await postgres.prepare(self.context)
        await self._start(postgres.spec(self.context))
        await postgres.make_roles(self.context)
        await migrations.apply(postgres.dsn(self.context), assets.path("supabase/migrations"))
        await self._start(postgrest.spec(self.context))
        await self._start(postgrest.gateway_spec(self.context))

    async def _start(self, spec: Spec) -> None:
        self.report(spec.name, STARTING, "")
        process = Process(spec, self._write)
        self.running[spec.name] = process
        try:
            await process.start()
        except StackError as error:
            self.report(spec.name, FAILED, str(error))
            raise
        self.report(spec.name, READY, "")

    async def _stop_all(self) -> None:
        home = self.context.home
        self._up = False
        home.stack_file.unlink(missing_ok=True)
        if self._mirror is not None:
            self._mirror.cancel()
            await asyncio.gather(self._mirror, return_exceptions=True)
        for names in STOP_ORDER:
            there = [self.running[name] for name in names if name in self.running]
            await asyncio.gather(*(process.stop() for process in there))
            for process in there:
                self.report(process.spec.name, STOPPED, "")
        home.processes_file.unlink(missing_ok=True)

    def _write(self) -> None:
        if not self.context.home.root.exists():
            return
        states = {name: p.state for name, p in self.running.items() if p.state is not None}
        write_processes(self.context.home, states)
        if self._up:
            pids = {"supervisor": os.getpid(), **{name: s.pid for name, s in states.items()}}
            write_stack(self.context.home, describe(self.context, self.components, pids))


def describe(context: Context, components: Iterable[str], pids: dict[str, int]) -> Stack:
    """`stack.json`."""
    parts = {
        name: ProcessPart(
            metrics=f"{context.url(f'{name}-metrics')}/metrics",
            health=f"{context.url(f'{name}-health')}/healthz",
        )
        for name in components
    }
    novu = context.url("novu")
    return Stack(
        kubeconfig=context.home.kubeconfig,
        temporal=TemporalPart(
            address=context.address("temporal"),
            namespace=temporal_server.NAMESPACE,
            ui=context.url("temporal-ui"),
        ),
        supabase=SupabasePart(
            url=context.url("supabase"),
            service_role_key=context.keys.service_role_key,
            dsn=postgres.dsn(context),
        ),
        novu=NovuPart(url=novu, secret_key=context.keys.novu_secret_key, inbox=f"{novu}/inbox"),
        operator=parts.get("operator"),
        worker=parts.get("worker"),
        pids=pids,
    )


def end_leftovers(home: Home) -> None:
    """Kill what an earlier supervisor started and somehow left. A process is known by its id and when it began."""
    left: list[psutil.Process] = []
    for name, state in read_processes(home).items():
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(state.pid)
            if abs(process.create_time() - state.started) < 1.0:
                _log.warning(
                    "%s (%d) of an earlier start is still there, killing it", name, state.pid
                )
                process.kill()
                left.append(process)
    _, alive = psutil.wait_procs(left, timeout=LEFTOVER_SECONDS)
    if alive:
        raise StackError(f"processes of an earlier start do not end: {[p.pid for p in alive]}")


def _install(config: Path) -> None:
    api = KubernetesApi(config)
    try:
        cluster.install(api)
    finally:
        api.close()


async def _stop_without(home: Home, owner: int | None, stop: asyncio.Event) -> None:
    """Set `stop` when the owner is gone, or the home is: somebody removed it, and nobody could find us any more.

    There is no event to wait for: the owner is not our child. Its number alone would be somebody else's one day.
    """
    lock = home.supervisor_lock.stat().st_ino
    with suppress(psutil.NoSuchProcess, FileNotFoundError):
        process = None if owner is None else psutil.Process(owner)
        while home.supervisor_lock.stat().st_ino == lock and _runs(process):  # noqa: ASYNC110 - see above
            await asyncio.sleep(WATCH_SECONDS)
    _log.warning("nobody is left who could want this stack: its owner or its home is gone")
    stop.set()


def _runs(process: psutil.Process | None) -> bool:
    return process is None or (process.is_running() and process.status() != psutil.STATUS_ZOMBIE)


async def _together(*parts: Awaitable[None]) -> None:
    """All at once; the first failure ends the others and is raised."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
