"""Faults of Temporal: F6 of the matrix. At the level of bytes, because the worker's connection is one long stream."""

import asyncio
from typing import Final

from xnovu_dev import stack
from xnovu_dev.faults.case import Case, Inject
from xnovu_dev.faults.opening import Needs, begin
from xnovu_dev.faults.site import Site
from xnovu_dev.faults.tcp_proxy import Mode

BOUND: Final = 30.0
ROWS: Final = 10


async def restarted(site: Site) -> None:
    """Temporal ends and comes back, in the middle of deliveries."""
    await site.plant_everywhere(ROWS)
    await asyncio.to_thread(stack.restart, site.world.home, "temporal")
    site.mended()
    await site.plant_everywhere(ROWS)


async def away_at_start(site: Site) -> None:
    """Temporal is not there when the worker starts."""
    await site.temporal.set(Mode.REFUSE)
    await site.worker.start()
    if not await site.until(lambda: site.worker.answers("/healthz"), BOUND):
        site.notes.append("a worker that waits for Temporal does not say that it lives")
    await asyncio.sleep(site.world.outage)
    if await site.worker.answers("/readyz"):
        site.notes.append("a worker without Temporal says that it is ready")
    await site.plant_everywhere(ROWS)
    await site.temporal.set(Mode.OPEN)
    site.mended()
    await site.worker.ready()
    await begin(site, Needs())


def away(mode: Mode, delay: float = 0.0) -> Inject:
    """Temporal is away in this way for an outage; rows come before and while it is."""

    async def inject(site: Site) -> None:
        await site.plant_everywhere(ROWS)
        await site.temporal.set(mode, delay)
        await site.plant_everywhere(ROWS)
        await asyncio.sleep(site.world.outage)
        await site.temporal.set(Mode.OPEN)
        site.mended()

    return inject


async def stranded(site: Site) -> None:
    """The worker's connections are dead and nobody tells it; new ones would work."""
    await site.plant_everywhere(ROWS)
    site.temporal.strand()
    site.mended()
    await site.plant_everywhere(ROWS)


async def cut(site: Site) -> None:
    """Every connection is reset, again and again."""
    loop = asyncio.get_running_loop()
    end = loop.time() + site.world.outage
    while loop.time() < end:
        await site.plant_everywhere(2)
        site.temporal.reset_all()
        await asyncio.sleep(0.5)
    site.mended()


CASES: Final = (
    Case("F6", "restart", "Temporal restarts in the middle of deliveries", BOUND, restarted, alone=True),
    Case("F6", "start", "Temporal is not there when the worker starts", BOUND, away_at_start, Needs(start=False)),
    Case("F6", "refused", "Temporal refuses connections", BOUND, away(Mode.REFUSE)),
    Case("F6", "black-hole", "Temporal swallows everything and answers nothing", BOUND, away(Mode.BLACK_HOLE)),
    Case("F6", "half-open", "requests reach Temporal, answers are lost", BOUND, away(Mode.HALF_OPEN)),
    Case("F6", "stranded", "the connections to Temporal die without a word", BOUND, stranded),
    Case("F6", "cut", "connections to Temporal are reset every half second", BOUND, cut),
    Case("F6", "slow", "each answer of Temporal takes 300 ms", BOUND, away(Mode.DELAY, 0.3)),
)  # fmt: skip
