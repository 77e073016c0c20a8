"""Faults of the worker itself: killed, frozen, ended, doubled, starved. F1 to F4, F20 and F28 of the matrix."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from xnovu.core import ids
from xnovu.core.contracts.common import EnterpriseRef
from xnovu.core.contracts.notifications import NotificationRef, ProcessingInput
from xnovu.core.contracts.orchestration import MonitorInput
from xnovu_dev.faults.case import Case, Inject
from xnovu_dev.faults.http_proxy import Fault, HttpProxy, Kind, Match
from xnovu_dev.faults.opening import Needs, config_of
from xnovu_dev.faults.requests import is_claim, is_finish, is_trigger
from xnovu_dev.faults.site import Site

MEET_SECONDS: Final = 30.0
TASK: Final = 15.0
"""A workflow task's time-out and five seconds (the matrix's bound of F1)."""
HEARTBEAT: Final = 30.0
"""A monitor's heartbeat time-out of 20 s, its retry, and the delivery."""
GRACE: Final = 10.0
REPLACED_SECONDS: Final = 25.0
"""A monitor's heartbeat time-out and its retry: from then on another worker has everything."""
STANDARD_FILES: Final = 3
UNDER_LOAD: Final = 60


def _novu(site: Site) -> HttpProxy:
    return site.novu


def _database(site: Site) -> HttpProxy:
    return site.database


def kill_at(proxy: Callable[[Site], HttpProxy], match: Match, *, passed_on: bool) -> Inject:
    """Kill the worker while its request is held, before or after the server has got it."""

    async def inject(site: Site) -> None:
        fault = Fault(Kind.HOLD, site.mine(match), passed_on=passed_on)
        with proxy(site).armed(fault) as armed:
            await site.plant(site.victim)
            await asyncio.wait_for(armed.met.wait(), MEET_SECONDS)
            await site.killed()
            site.mended()
        for neighbour in site.neighbours:
            await site.plant(neighbour, 3)
        await site.restart()

    return inject


async def die_at_point(site: Site) -> None:
    """The worker kills itself at its failpoint."""
    site.arm_points()
    await site.plant_everywhere(3)
    code = await site.worker.ended(MEET_SECONDS)
    site.mended()
    if code != -signal.SIGKILL:
        site.notes.append(f"the worker ended with {code} instead of dying at its failpoint")
    await site.restart()


async def break_at_point(site: Site) -> None:
    """An exception that nobody foresaw, at its failpoint."""
    site.arm_points()
    await site.plant_everywhere(3)
    site.mended()
    await site.shows("InternalError")


async def terminated(site: Site) -> None:
    """Somebody terminates the workflow of a claimed row; the sweeper must find it."""
    with site.novu.armed(Fault(Kind.HOLD, site.mine(is_trigger))) as armed:
        (row,) = await site.plant(site.victim)
        await asyncio.wait_for(armed.met.wait(), MEET_SECONDS)
        handle = site.world.client.get_workflow_handle(
            ids.notification_workflow_id(site.victim, row.id)
        )
        await handle.terminate("a fault")
        site.mended()
        for neighbour in site.neighbours:
            await site.plant(neighbour, 3)


async def zombie(site: Site) -> None:
    """Frozen inside a send, thought dead, replaced; then it goes on as if nothing had been."""
    fault = Fault(Kind.HOLD, site.mine(is_trigger), count=1)
    held = site.novu.arm(fault)
    await site.plant_everywhere(3)
    await asyncio.wait_for(held.met.wait(), MEET_SECONDS)
    site.worker.send(signal.SIGSTOP)
    await site.worker.frozen(MEET_SECONDS)
    site.novu.lift(held)
    await _replaced(site)


async def zombie_before_send(site: Site) -> None:
    """Frozen at its failpoint between claim and send: it wakes up about to send what another has sent."""
    site.arm_points()
    await site.plant_everywhere(3)
    await site.worker.frozen(MEET_SECONDS)
    await _replaced(site)


async def _replaced(site: Site) -> None:
    """Another worker goes on, for an outage and as long as it takes to be sure; then the frozen one wakes.

    Temporal may still hand tasks to the frozen one, whose connection lives: those wait for their time-outs, or for it.
    """
    second = await site.second_worker()
    await site.ends(max(site.world.outage, REPLACED_SECONDS))
    if not await second.answers("/readyz"):
        site.notes.append("the second worker is not ready")
    site.worker.send(signal.SIGCONT)
    site.mended()
    if not await site.until(lambda: site.worker.answers("/healthz"), MEET_SECONDS):
        site.notes.append("the worker did not wake up")


async def frozen(site: Site) -> None:
    """Frozen without a replacement."""
    await site.plant_everywhere(10)
    site.worker.send(signal.SIGSTOP)
    await asyncio.sleep(site.world.outage)
    site.worker.send(signal.SIGCONT)
    site.mended()


async def ended_under_load(site: Site) -> None:
    """SIGTERM in the middle of deliveries: out within the grace, with 0."""
    await site.plant(site.victim, UNDER_LOAD)
    await site.plant(site.neighbours[0], 20)
    fault = Fault(Kind.HOLD, site.mine(is_trigger), count=1, passed_on=True)
    with site.novu.armed(fault) as armed:
        await asyncio.wait_for(armed.met.wait(), MEET_SECONDS)
        site.worker.send(signal.SIGTERM)
        site.mended()
        try:
            code = await site.worker.ended(GRACE)
        except TimeoutError:
            site.notes.append(f"the worker did not end within {GRACE:.0f} s")
            await site.worker.kill()
        else:
            if code:
                site.notes.append(f"the worker ended with {code} instead of 0")
    await site.restart()


async def doubled(site: Site) -> None:
    """Two workers on one queue, two pollers of one enterprise, and workflows of finished rows started once more."""
    await site.second_worker()
    second = f"second-{ids.realtime_workflow_id(site.victim)}"
    monitor = await site.world.client.start_workflow(
        "RealtimeMonitoringWorkflow",
        MonitorInput(config=config_of(site.victim)),
        id=second,
        task_queue=site.queue,
    )
    try:
        await site.plant(site.victim, 100)
        await site.plant(site.neighbours[0], 10)
        site.mended()
        await site.ends(MEET_SECONDS)
        await _start_again(site)
    finally:
        await monitor.terminate("a fault")


async def _start_again(site: Site) -> None:
    """What a poll does that was asked before the row was finished."""
    for row in site.planted:
        given = ProcessingInput(
            ref=NotificationRef(enterprise=EnterpriseRef(id=row.enterprise), notification_id=row.id)
        )
        await site.world.client.start_workflow(
            "NotificationProcessingWorkflow",
            given,
            id=ids.notification_workflow_id(row.enterprise, row.id),
            task_queue=site.queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        )


@contextmanager
def limited(site: Site) -> Iterator[None]:
    """The worker can open no file and no connection; those that it has stay."""
    process = psutil.Process(site.worker.pid)
    before = process.rlimit(psutil.RLIMIT_NOFILE)
    process.rlimit(psutil.RLIMIT_NOFILE, (STANDARD_FILES, before[1]))
    try:
        yield
    finally:
        process.rlimit(psutil.RLIMIT_NOFILE, before)


async def out_of_files(site: Site) -> None:
    """No file descriptor is free, and every connection that it has is cut."""
    with limited(site):
        site.temporal.reset_all()
        await site.plant_everywhere(10)
        await asyncio.sleep(site.world.outage)
    site.mended()


async def disk_full(site: Site) -> None:
    """Its log cannot be written: the disk is full."""
    await site.worker.kill()
    await site.worker.start(to=Path("/dev/full"))
    await site.worker.ready()
    await site.plant_everywhere(10)
    site.mended()


CASES: Final = (
    Case("F1", "before-novu", "kill -9 before Novu has got the request", TASK, kill_at(_novu, is_trigger, passed_on=False), quick_neighbours=HEARTBEAT),
    Case("F1", "after-novu", "kill -9 after Novu accepted, before its answer is read", TASK, kill_at(_novu, is_trigger, passed_on=True), quick_neighbours=HEARTBEAT),
    Case("F1", "before-status", "kill -9 before the final status is written", TASK, kill_at(_database, is_finish, passed_on=False), quick_neighbours=HEARTBEAT),
    Case("F1", "after-status", "kill -9 after the final status is written, before the answer", TASK, kill_at(_database, is_finish, passed_on=True), quick_neighbours=HEARTBEAT),
    Case("F1", "defect-after-novu", "an exception nobody foresaw, right after Novu accepted", TASK, break_at_point, Needs(points="trigger.after=raise"), ours_only=True),
    Case("F2", "before-start", "kill -9 after the poll, before a workflow is started", HEARTBEAT, die_at_point, Needs(points="start.before=kill"), ours_only=True),
    Case("F2", "after-start", "kill -9 after a workflow is started, before the claim", HEARTBEAT, die_at_point, Needs(points="start.after=kill"), ours_only=True),
    Case("F2", "claim-held", "kill -9 after the claim is written, before its answer", TASK, kill_at(_database, is_claim, passed_on=True), quick_neighbours=HEARTBEAT),
    Case("F2", "after-claim", "kill -9 after the claim, before the send", HEARTBEAT, die_at_point, Needs(points="claim.after=kill"), ours_only=True),
    Case("F2", "terminated", "a claimed row's workflow is terminated by hand", HEARTBEAT, terminated, ours_only=True, quick_neighbours=5.0),
    Case("F3", "in-send", "SIGSTOP inside a send, another worker takes over, SIGCONT", HEARTBEAT, zombie),
    Case("F3", "before-send", "SIGSTOP between claim and send, another worker sends, SIGCONT", HEARTBEAT, zombie_before_send, Needs(points="trigger.before=stop"), ours_only=True),
    Case("F3", "alone", "SIGSTOP with nobody else there, SIGCONT", HEARTBEAT, frozen),
    Case("F4", "load", "SIGTERM in the middle of 60 deliveries", HEARTBEAT, ended_under_load),
    Case("F20", "doubled", "two workers, two pollers, finished rows started once more", HEARTBEAT, doubled, ours_only=True),
    Case("F28", "files", "no file descriptor is free", HEARTBEAT, out_of_files),
    Case("F28", "disk", "the disk is full: no log can be written", HEARTBEAT, disk_full),
)  # fmt: skip
