"""Timeouts and retry policies of the workflows, in one place. Values only."""

from datetime import timedelta
from typing import Final

from temporalio.common import RetryPolicy

FOREVER: Final = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2,
    maximum_interval=timedelta(seconds=15),
)
"""For reads and compare-and-set writes: nothing is lost by trying until the other side is back.

However long it was away, all is well again within 30 s of its return (the fault matrix, F15): half of that is this wait.
"""

ONCE: Final = RetryPolicy(maximum_attempts=1)
"""For sends: the workflow itself decides whether and how to try again."""

STEP: Final = timedelta(seconds=30)
QUICK: Final = timedelta(seconds=8)
"""The quick try fits into one workflow task (10 s), so that it costs one."""

SEND: Final = timedelta(seconds=90)
"""Verification waits for Novu's queue, twice at most, then one HTTP call."""

UNDO: Final = timedelta(minutes=15)
"""Taking back a notification of 10,000 recipients is a hundred chunks of some calls each."""

UNDO_HEARTBEAT: Final = timedelta(minutes=2)
"""Above one call with all its pages, and above the longest pause between two heartbeats."""

WINDOW: Final = timedelta(minutes=15)
"""Above the ten minutes for which a monitor's activity runs."""

HEARTBEAT: Final = timedelta(seconds=20)
"""How soon a monitor moves away from a dead worker."""
