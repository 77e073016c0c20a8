"""Processor time of each process of a run, so that a limit can be explained. Used by the soak."""

import os
from contextlib import suppress
from dataclasses import dataclass

import psutil

from xnovu_dev import stack
from xnovu_dev.faults.site import Site

Seconds = dict[str, float]
OWN = "proxies and load"


@dataclass(frozen=True)
class Costs:
    """`before`: what each process had used at the start, by its name and id."""

    place: Site
    before: dict[tuple[str, int], float]

    @classmethod
    def begin(cls, place: Site) -> "Costs":
        return cls(place, _now(place))

    def end(self) -> Seconds:
        """Seconds used since, by name. What was restarted counts from its restart; what ended before that is not known."""
        now = _now(self.place)
        return {key[0]: used - self.before.get(key, 0.0) for key, used in now.items()}


def _now(place: Site) -> dict[tuple[str, int], float]:
    known = {name: state.pid for name, state in stack.processes(place.world.home).items()}
    if place.worker.running:
        known["worker"] = place.worker.pid
    found = {(name, pid): _used(pid) for name, pid in known.items()}
    own = psutil.Process().cpu_times()
    found[OWN, os.getpid()] = own.user + own.system
    return found


def _used(pid: int) -> float:
    """With all that it started and that has not ended: Postgres is many processes."""
    total = 0.0
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for one in [process, *process.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                times = one.cpu_times()
                # Those of children that have ended: Postgres has one for each connection.
                total += times.user + times.system
                total += times.children_user + times.children_system
    return total
