"""Waiting for the end of a window: the long activity's own, or something new that ends it early. Used by the monitors and
the orchestration; knows neither.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio import workflow

PAUSE = timedelta(seconds=10)
"""After an activity that failed for good, which is a defect: the next window must not begin in a tight circle."""


async def end_of_window(
    activity: "workflow.ActivityHandle[Any]",  # whatever it answers, it is not looked at
    news: Callable[[], bool],
) -> bool:
    """True when the activity ended by itself, False when `news` came first; then it is cancelled, not waited for."""
    # Nobody awaits it: its error is taken here, or asyncio would complain of it.
    activity.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    waiting = asyncio.create_task(workflow.wait_condition(news))
    try:
        await workflow.wait([activity, waiting], return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    if not activity.done():
        activity.cancel()
        return False
    if activity.cancelled() or activity.exception() is not None:
        await workflow.sleep(PAUSE)
    return True
