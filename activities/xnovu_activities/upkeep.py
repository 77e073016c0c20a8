"""What runs beside the polls of an enterprise and never in their way: the sweeper and the delivery log.

Both keep their state in the database, so they may be stopped at any time and begin anew in another worker. Called by
PollSupabase of one monitor; what they find is noted for its heartbeat.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from xnovu.core.contracts.orchestration import EnterpriseConfig
from xnovu.core.errors import XNovuError
from xnovu_activities.beating import Pause
from xnovu_activities.boundary import where
from xnovu_activities.feed import AWAY, FeedReader
from xnovu_activities.sweeper import BATCH, Sweeper

SWEEP_EVERY: Final = 60.0
SWEEP_SOONEST: Final = 1.0
"""Seconds between two sweeps: when nothing calls for one, and when a poll has seen stale rows."""

_log: Final = logging.getLogger("xnovu.upkeep")


@dataclass(slots=True)
class Notes:
    """What the upkeep of one enterprise knows. `stale`: set by a poll that saw rows whose lease is over."""

    stale: asyncio.Event = field(default_factory=asyncio.Event)
    swept: int = 0
    foreign: int = 0
    foreign_owners: tuple[str, ...] = ()
    unreached_24h: int | None = None


@dataclass(frozen=True, slots=True)
class Upkeep:
    """One for the process."""

    sweeper: Sweeper
    feed: FeedReader
    pause: Pause = asyncio.sleep

    async def run(self, config: EnterpriseConfig, notes: Notes) -> None:
        """Until it is cancelled."""
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._sweep(config, notes))
                if self.feed.delays:
                    both.create_task(self._read_feed(config, notes))
        finally:
            # Another worker counts from here on.
            self.sweeper.measures.foreign(config.enterprise.id, 0)

    async def _sweep(self, config: EnterpriseConfig, notes: Notes) -> None:
        tries = _Tries("sweep the rows", config.enterprise.id)
        while True:
            wait = await tries.once(lambda: self._sweep_once(config, notes))
            begun = time.monotonic()
            try:
                async with asyncio.timeout(wait):
                    await notes.stale.wait()
            except TimeoutError:
                pass
            await self.pause(max(0.0, SWEEP_SOONEST - (time.monotonic() - begun)))
            notes.stale.clear()

    async def _sweep_once(self, config: EnterpriseConfig, notes: Notes) -> float:
        found, resumed = await self.sweeper.sweep(config)
        notes.swept += resumed
        before = (notes.foreign, notes.foreign_owners)
        notes.foreign, notes.foreign_owners = found.foreign_count, found.foreign_owners
        if found.foreign_count and before != (notes.foreign, notes.foreign_owners):
            _log.error(
                "%d notifications of %s are held by %s, which does not end them: two installations work on one database",
                found.foreign_count,
                config.enterprise.id,
                ", ".join(found.foreign_owners),
            )
        return SWEEP_EVERY if len(found.stale) < BATCH else SWEEP_SOONEST

    async def _read_feed(self, config: EnterpriseConfig, notes: Notes) -> None:
        async def once() -> float:
            wait, notes.unreached_24h = await self.feed.round(config.enterprise)
            return wait

        tries = _Tries("read Novu's feed", config.enterprise.id)
        while True:
            await self.pause(await tries.once(once))


class _Tries:
    """One of the two kinds of work, again and again: a failure is said once and waited for, and stops nothing else."""

    def __init__(self, what: str, enterprise_id: str) -> None:
        self._what, self._enterprise = what, enterprise_id
        self._said: str | None = None

    async def once(self, work: Callable[[], Awaitable[float]]) -> float:
        """Seconds to the next time."""
        try:
            wait = await work()
        except XNovuError as error:
            self._say(error.reason, error.message)
            return error.retry_after.total_seconds() if error.retry_after is not None else AWAY
        except Exception as error:  # noqa: BLE001 - a defect in here must not end the polls
            self._say(type(error).__name__, f"a defect: {where(error)}")
            return AWAY
        self._said = None
        return wait

    def _say(self, reason: str, message: str) -> None:
        if self._said != reason:
            _log.warning("could not %s of %s: %s", self._what, self._enterprise, message)
        self._said = reason
