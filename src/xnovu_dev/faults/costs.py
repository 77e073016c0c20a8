"""Processor time of each process of a run, so that a limit can be explained. Used by the soak."""

from dataclasses import dataclass

import psutil

from xnovu_dev.faults.site import Site
from xnovu_dev.state import Stack

Seconds = dict[str, float]


@dataclass
class Costs:
    """`before`: what each had used at the start. The worker's is kept by process, since it is replaced."""

    processes: dict[str, psutil.Process]
    before: Seconds
    place: Site

    @classmethod
    def begin(cls, stack: Stack, place: Site) -> "Costs":
        names = {**stack.pids, "proxies and load": psutil.Process().pid}
        processes = {name: psutil.Process(pid) for name, pid in names.items()}
        made = cls(processes, {}, place)
        made.before = made._now()
        return made

    def end(self) -> Seconds:
        """Seconds used since, by name; what was restarted meanwhile counts from its restart, what ended not at all."""
        now = self._now()
        return {name: max(now[name] - self.before.get(name, 0.0), 0.0) for name in now}

    def _now(self) -> Seconds:
        found = {name: _used(process) for name, process in self.processes.items()}
        if self.place.worker.running:
            found[f"worker {self.place.worker.pid}"] = _used(psutil.Process(self.place.worker.pid))
        return {name: used for name, used in found.items() if used > 0}


def _used(process: psutil.Process) -> float:
    """With all that it started and that has not ended: Postgres is many processes."""
    total = 0.0
    try:
        family = (
            [process, *process.children(recursive=True)]
            if process.pid != psutil.Process().pid
            else [process]
        )
    except psutil.NoSuchProcess:
        return 0.0
    for one in family:
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total
