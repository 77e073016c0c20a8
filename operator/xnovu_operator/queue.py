"""When a pass over an object happens: at once after an event, again after an error, now and then without a reason.

One task an object, so that one that hangs delays no other; events that come while a pass runs become one more pass.
Called by the handlers; runs `Reconciler.reconcile`.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from xnovu.core.errors import XNovuError
from xnovu_operator.store import Key

FIRST_RETRY: Final = 1.0
LONGEST_RETRY: Final = 15.0
"""A system that comes back is noticed soon; with AT_ONCE, this is not many questions."""

CLOSE_SECONDS: Final = 3.0
AT_ONCE: Final = 20
"""Passes at a time, so that a start over thousands of objects does not flood Temporal."""

_log: Final = logging.getLogger("xnovu.operator")
PASSES: Final = Counter("xnovu_reconcile", "Passes over objects", ["kind", "outcome"])
SECONDS: Final = Histogram("xnovu_reconcile_duration_seconds", "Length of a pass", ["kind"])
OBJECTS: Final = Gauge("xnovu_objects", "Objects under management", ["kind"])


class Queue:
    """Keeps the tasks. All calls from one event loop."""

    def __init__(
        self,
        work: Callable[[Key], Awaitable[float | None]],
        resync_seconds: float,
        rng: random.Random,
    ) -> None:
        self._work = work
        self._resync = resync_seconds
        self._rng = rng
        self._events: dict[Key, asyncio.Event] = {}
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._busy: set[Key] = set()
        self._closing = False
        self._gate = asyncio.Semaphore(AT_ONCE)

    def knows(self, key: Key) -> bool:
        """Whether passes over the object happen already."""
        return key in self._events

    def wake(self, key: Key) -> None:
        """Ask for a pass soon."""
        event = self._events.get(key)
        if event is None:
            event = self._events[key] = asyncio.Event()
            self._tasks[key] = asyncio.create_task(self._loop(key, event))
            OBJECTS.labels(key.kind).inc()
        event.set()

    def forget(self, key: Key) -> None:
        """The object is gone."""
        self._events.pop(key, None)
        task = self._tasks.pop(key, None)
        if task is not None:
            task.cancel()
            OBJECTS.labels(key.kind).dec()

    async def close(self) -> None:
        """Let passes end for a moment, then stop everything; the next process finds again what was begun."""
        for key, task in self._tasks.items():
            if key not in self._busy:
                task.cancel()
        self._closing = True
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=CLOSE_SECONDS)
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _loop(self, key: Key, event: asyncio.Event) -> None:
        failures, again = 0, None
        while not self._closing:
            wait = self._resync * self._rng.uniform(0.9, 1.1)
            if again is not None:
                wait = min(wait, again)
            if failures:
                wait = min(LONGEST_RETRY, FIRST_RETRY * 2.0 ** min(failures - 1, 10))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(event.wait(), wait)
            event.clear()
            done, again = await self._pass(key)
            failures = 0 if done else failures + 1

    @contextlib.asynccontextmanager
    async def _being_busy(self, key: Key) -> AsyncIterator[None]:
        self._busy.add(key)
        try:
            yield
        finally:
            self._busy.discard(key)

    async def _pass(self, key: Key) -> tuple[bool, float | None]:
        """Whether it came to its end, and when to look again, in seconds, if sooner than usual."""
        async with self._gate, self._being_busy(key):
            with SECONDS.labels(key.kind).time():
                try:
                    again = await self._work(key)
                except XNovuError as error:
                    PASSES.labels(key.kind, error.reason).inc()
                    _log.warning("%s %s/%s: %s", key.kind, key.namespace, key.name, error.message)
                    return False, None
                except Exception:  # noqa: BLE001 - see below
                    # A defect in one pass must not end the loop of an object, let alone the process.
                    PASSES.labels(key.kind, "InternalError").inc()
                    _log.exception("%s %s/%s: a defect of XNovu", key.kind, key.namespace, key.name)
                    return False, None
        PASSES.labels(key.kind, "Done").inc()
        return True, again
