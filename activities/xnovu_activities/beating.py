"""Waiting inside a long activity without seeming dead: the heartbeat goes on. Called by the monitors' activities."""

import time
from collections.abc import Awaitable, Callable
from typing import Final

from temporalio import activity

from xnovu.core.contracts.orchestration import PollHealth

BEAT: Final = 5.0
"""Seconds between heartbeats: a quarter of the time after which a monitor counts as dead (policies.HEARTBEAT)."""

Pause = Callable[[float], Awaitable[None]]


async def wait_beating(seconds: float, health: PollHealth, pause: Pause) -> None:
    """Wait `seconds`, and go on saying that we live and how we are."""
    end = time.monotonic() + seconds
    activity.heartbeat(health)
    while (left := end - time.monotonic()) > 0:
        await pause(min(left, BEAT))
        activity.heartbeat(health)
