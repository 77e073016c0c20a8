"""`python -m xnovu_dev.faults.soak`: load under random faults, then the ledger, the statuses and the memory are checked.

The seed is printed; the same seed gives the same faults at the same moments. Exit codes: 0 clean, 1 something was lost,
doubled, wrong or grew, with the evidence, 2 wrong usage.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random, SystemRandom
from typing import Final

from rich.console import Console

from xnovu_dev.faults import report, rows, soak_report
from xnovu_dev.faults.__main__ import servers, set_up_logs
from xnovu_dev.faults.costs import Costs
from xnovu_dev.faults.opening import Needs, site
from xnovu_dev.faults.oracle import Outcome, judge
from xnovu_dev.faults.rows import Found, Planted, Wanted
from xnovu_dev.faults.site import Site
from xnovu_dev.faults.soak_plan import Strike, plan
from xnovu_dev.faults.soak_strikes import DO
from xnovu_dev.faults.world import World, world
from xnovu_dev.problems import StackError
from xnovu_dev.state import Stack

TICK: Final = 0.2
"""Seconds between two inserts: one statement each, over many enterprises."""
SAMPLE: Final = 5.0
DRAIN: Final = 180.0
"""How long what is left may take after the last fault."""
_log: Final = logging.getLogger(__name__)


@dataclass
class Soak:
    """One run: what is wanted of it, and what is seen of it."""

    place: Site
    seed: int
    rate: float
    length: float
    console: Console
    begun: float = field(default_factory=time.monotonic)
    planted: list[Planted] = field(default_factory=list)
    memory: list[tuple[int, float, int]] = field(default_factory=list)
    """The worker's process id, seconds since the start, resident bytes."""
    struck: list[Strike] = field(default_factory=list)

    @property
    def now(self) -> float:
        return time.monotonic() - self.begun

    async def run(self) -> None:
        """Load, faults and samples beside each other until the length is over; then wait for what is left."""
        world, chance = self.place.world, Random(self.seed)  # noqa: S311 - a replayable choice
        watching = asyncio.create_task(self._watch())
        try:
            await asyncio.gather(self._produce(world, chance), self._strike())
            self.place.mended()
            self.place.planted = self.planted
            await self.place.ends(DRAIN)
            await self.place.quiet(DRAIN)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _produce(self, world: World, chance: Random) -> None:
        """Insert at the rate, whatever else happens; what a fault delayed is made up for."""
        inserted = 0.0
        while self.now < self.length:
            due = int(self.rate * self.now - inserted)
            if due:
                orders = [(chance.choice(self.place.tenants), Wanted()) for _ in range(due)]
                self.planted += await rows.plant(world.sql, orders, world.workflow_id)
                inserted += due
            await asyncio.sleep(TICK)

    async def _strike(self) -> None:
        for strike in plan(self.seed, self.length):
            await asyncio.sleep(max(0.0, strike.at - self.now))
            soak_report.striking(self.console, self.now, strike)
            self.struck.append(strike)
            try:
                await DO[strike.name](self.place, strike.seconds)
            except Exception as error:  # noqa: BLE001 - the rest of the soak goes on; the run has failed
                self.place.notes.append(f"{strike.name} could not be done: {error}")

    async def _watch(self) -> None:
        while True:
            left = await rows.unfinished(self.place.world.sql, self.planted)
            used = self.place.worker.memory() if self.place.worker.running else 0
            if used:
                self.memory.append((self.place.worker.pid, self.now, used))
            soak_report.progress(self.console, self.now, len(self.planted), left, used)
            await asyncio.sleep(SAMPLE)

    async def outcome(self) -> tuple[Outcome, dict[int, Found]]:
        found = await rows.look(self.place.world.sql, self.place.tenants)
        received = await self.place.received()
        return judge(self.planted, found, received, self.place.over), found


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="xnovu_dev.faults.soak", description=__doc__)
    parser.add_argument("--seed", type=int, help="replays a run; default: by chance")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=50.0, help="rows a second")
    parser.add_argument("--enterprises", type=int, default=50)
    parser.add_argument("--home", type=Path, help="a stack to use; default: one of our own")
    parser.add_argument("--keep", type=Path, help="folder for logs; default: a temporary one")
    given = parser.parse_args(arguments)
    console = report.console()
    set_up_logs()
    folder = given.keep or Path(tempfile.mkdtemp(prefix="xnovu-soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    given.seed = given.seed if given.seed is not None else SystemRandom().randrange(10**6)
    try:
        with servers(given.home, folder, console) as found:
            return asyncio.run(_run(found, folder, given, console))
    except StackError as error:
        console.print(f"[bold red]soak:[/] {error}", highlight=False)
        return 1


async def _run(found: Stack, folder: Path, given: argparse.Namespace, console: Console) -> int:
    length = given.minutes * 60
    soak_report.beginning(console, given.seed, length, given.rate, given.enterprises)
    async with (
        world(found, folder) as made,
        site(made, "soak", Needs(tenants=given.enterprises)) as place,
    ):
        soak = Soak(place, given.seed, given.rate, length, console)
        costs = Costs.begin(place)
        await soak.run()
        spent = costs.end()
        outcome, rows_found = await soak.outcome()
        problems = [*place.notes, *outcome.problems, *soak_report.grown(soak.memory)]
        soak_report.ending(console, soak.struck, outcome, soak.memory, spent)
        if not problems and not outcome.lost and not outcome.duplicated:
            return 0
        soak_report.evidence(console, problems, soak.planted, rows_found, given.seed, folder)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
