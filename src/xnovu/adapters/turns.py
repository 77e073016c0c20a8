"""Waiting in line, one line a tenant, served in turn: who has a thousand waiting costs who has one a single turn.

Values and asyncio only. Used by the limiter of Novu's calls (`xnovu.adapters.limits`) and by whatever else tenants share in
one process (`xnovu_activities.monitors.Starter`).
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

Line = deque[asyncio.Future[None]]


class Lines:
    """Futures that wait, by tenant. The next one is of the tenant that was served longest ago."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, Line] = OrderedDict()

    def join(self, tenant: str) -> asyncio.Future[None]:
        """A place at the end of the tenant's line."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(tenant, deque()).append(future)
        return future

    def next(self) -> asyncio.Future[None] | None:
        """Take the next one out; None when nobody waits. Who gave up is passed over."""
        while self._lines:
            tenant, line = next(iter(self._lines.items()))
            future = line.popleft()
            if line:
                self._lines.move_to_end(tenant)
            else:
                del self._lines[tenant]
            if not future.done():
                return future
        return None

    def waiting(self, tenant: str) -> int:
        return sum(not future.done() for future in self._lines.get(tenant, ()))

    def tenants(self) -> frozenset[str]:
        """Who waits."""
        return frozenset(self._lines)

    def __bool__(self) -> bool:
        return bool(self._lines)


class FairGate:
    """At most `most` at once; who waits is let in by tenant in turn."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._lines = Lines()

    @asynccontextmanager
    async def turn(self, tenant: str) -> AsyncIterator[None]:
        """Wait for a place and hold it."""
        if self._free > 0 and not self._lines:
            self._free -= 1
        else:
            await self._wait(tenant)
        try:
            yield
        finally:
            self._leave()

    async def _wait(self, tenant: str) -> None:
        place = self._lines.join(tenant)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                # Let in at the very moment in which it gave up: the place is somebody else's.
                self._leave()
            raise

    def _leave(self) -> None:
        following = self._lines.next()
        if following is None:
            self._free += 1
        else:
            following.set_result(None)
