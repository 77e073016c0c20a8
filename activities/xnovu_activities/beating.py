"""Waiting and working inside a long activity without seeming dead: the heartbeat goes on. Called by the monitors' activities."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Final

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from xnovu.core.contracts.orchestration import PollHealth

BEAT: Final = 5.0
"""Seconds between heartbeats: a quarter of the time after which a monitor counts as dead (policies.HEARTBEAT)."""

Pause = Callable[[float], Awaitable[None]]


async def wait_beating(seconds: float, health: PollHealth, pause: Pause) -> None:
    """Wait `seconds`, and go on saying that we live and how we are.

    Raises a retryable ApplicationError when the worker ends: the next worker goes on at once. Without it the monitor
    would stand still until its heartbeat is missed.
    """
    end = time.monotonic() + seconds
    activity.heartbeat(health)
    while (left := end - time.monotonic()) > 0:
        await _pause(pause, min(left, BEAT))
        if activity.is_worker_shutdown():
            raise ApplicationError(
                "the worker is ending: another one goes on",
                type="WorkerEnding",
                next_retry_delay=timedelta(milliseconds=100),
                category=ApplicationErrorCategory.BENIGN,
            )
        activity.heartbeat(health)


async def work_beating(
    work: Callable[[Callable[[], bool]], Coroutine[None, None, None]], health: PollHealth
) -> None:
    """Do `work` and go on saying that we live. It is given a function that says whether it should come to its end.

    A cancellation waits some seconds for that end, so that what was begun is finished or handed on.
    """
    cancelled = asyncio.Event()
    task = asyncio.create_task(work(lambda: cancelled.is_set() or activity.is_worker_shutdown()))
    try:
        while not task.done():
            activity.heartbeat(health)
            await asyncio.wait({task}, timeout=BEAT)
    except asyncio.CancelledError:
        cancelled.set()
        # Nobody hears its error any more: what it left is found by its lease.
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        await asyncio.wait({task}, timeout=BEAT)
        raise
    task.result()


async def _pause(pause: Pause, seconds: float) -> None:
    """Until the time is over or the worker ends."""
    waits = {
        asyncio.ensure_future(pause(seconds)),
        asyncio.ensure_future(activity.wait_for_worker_shutdown()),
    }
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
