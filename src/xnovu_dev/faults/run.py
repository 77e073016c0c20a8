"""Does the faults of the table, several at a time, and says what came of each. No printing; called by the command and tests.

Cases of one group share a site. Cases that hit shared servers run alone, after all others.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from xnovu_dev.faults import rows
from xnovu_dev.faults.case import Case
from xnovu_dev.faults.opening import site
from xnovu_dev.faults.oracle import Outcome, judge, slowest
from xnovu_dev.faults.site import Site
from xnovu_dev.faults.world import World

AT_ONCE: Final = 3
"""Sites at the same time: most of a fault's time is waiting. More on two cores would stretch the recoveries."""

LARGEST: Final = 6
"""Cases of a group at one site: each sends its victim's rows step by step, which costs two cores a second each."""

PATIENCE: Final = 2.5
"""How many bounds are waited for before a row counts as lost: how late is worth knowing."""

QUIET_SECONDS: Final = 30.0
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one case. `problems`: promises that were broken, in words; `log`: the worker's."""

    case: Case
    outcome: Outcome | None
    problems: tuple[str, ...]
    log: str = ""

    @property
    def good(self) -> bool:
        return not self.problems


Report = Callable[[Result], None]


async def run(world: World, cases: Sequence[Case], report: Report) -> list[Result]:
    """Do them; results in the order of the cases, reported as they come."""
    wanted = [c for c in cases if world.subject.ours or not c.ours_only]
    gate = asyncio.Semaphore(AT_ONCE)
    found: dict[str, Result] = {}

    async def unit(members: Sequence[Case]) -> None:
        async with gate:
            for result in await _unit(world, members):
                found[result.case.id] = result
                report(result)

    units = _units([c for c in wanted if not c.alone])
    await asyncio.gather(*(unit(members) for members in units))
    for case in wanted:
        if case.alone:
            await unit([case])
    return [found[case.id] for case in wanted]


def _units(cases: Sequence[Case]) -> list[list[Case]]:
    """Groups first: they take longest."""
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(case.group or case.id, []).append(case)
    parts = [g[at : at + LARGEST] for g in groups.values() for at in range(0, len(g), LARGEST)]
    return sorted(parts, key=len, reverse=True)


async def _unit(world: World, members: Sequence[Case]) -> list[Result]:
    """One site with a victim for each member and a neighbour for all."""
    needs = replace(members[0].needs, tenants=len(members) + 1)
    name = members[0].group or members[0].id
    try:
        async with site(world, name, needs) as place:
            views = [
                replace(place, tenants=(place.tenants[n], place.tenants[-1]), planted=[], notes=[])
                for n in range(len(members))
            ]
            return list(
                await asyncio.gather(
                    *(_case(view, case) for view, case in zip(views, members, strict=True))
                )
            )
    except Exception as error:  # noqa: BLE001 - one site that cannot be made must not end the table
        _log.exception("%s could not be done", name)
        problem = f"it could not be done: {type(error).__name__}: {error}"
        return [Result(case, None, (problem,)) for case in members]


async def _case(place: Site, case: Case) -> Result:
    try:
        await case.inject(place)
    except Exception as error:  # noqa: BLE001 - a fault that cannot be done is a row that says so
        _log.exception("%s could not be done", case.id)
        place.notes.append(f"it could not be done: {type(error).__name__}: {error}")
        place.mended()
    await place.ends(case.bound * PATIENCE)
    if not await place.quiet(QUIET_SECONDS):
        place.notes.append("deliveries are still running after all rows have ended")
    found = await rows.look(place.world.sql, place.tenants)
    received = await place.received()
    outcome = judge(place.planted, found, received, place.over)
    theirs = [row for row in place.planted if row.enterprise in place.neighbours]
    if case.quick_neighbours is not None:
        # They have a bound of their own.
        victims = [row for row in place.planted if row.enterprise == place.victim]
        recovery = judge(victims, found, received, place.over).recovery
        outcome = replace(outcome, recovery=recovery)
    problems = (*place.notes, *outcome.problems, *_late(case, outcome, slowest(theirs, found)))
    return Result(case, outcome, problems, str(place.worker.log))


def _late(case: Case, outcome: Outcome, neighbours: float) -> Iterator[str]:
    if outcome.lost:
        yield f"{outcome.lost} lost"
    if outcome.duplicated:
        yield f"{outcome.duplicated} duplicated"
    if outcome.recovery is None:
        yield "not everything has ended"
    elif outcome.recovery > case.bound:
        yield f"recovery took {outcome.recovery:.1f} s"
    if case.quick_neighbours is not None and neighbours > case.quick_neighbours:
        yield f"a neighbour waited for {neighbours:.1f} s"
