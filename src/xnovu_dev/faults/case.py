"""What a row of the fault table is: which fault, what is done, and within which bound everything must be well again."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from xnovu_dev.faults.opening import Needs
from xnovu_dev.faults.site import Site

Inject = Callable[[Site], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Case:
    """`fault`: its number in the matrix; `slug` tells the variants apart. `bound`: seconds from the end of the fault to the
    last final status, from the matrix where it gives one.

    `group`: cases that share a worker and are done at the same time, each to a victim of its own. `alone`: it hits servers
    that everybody shares. `quick_neighbours`: seconds in which the neighbours' rows must be through although the fault
    goes on; None where the fault is everybody's. `ours_only`: it needs what only our worker has.
    """

    fault: str
    slug: str
    what: str
    bound: float
    inject: Inject
    needs: Needs = field(default_factory=Needs)
    group: str | None = None
    alone: bool = False
    quick_neighbours: float | None = None
    ours_only: bool = False

    @property
    def id(self) -> str:
        return f"{self.fault}-{self.slug}"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A fault whose proof is a test of another folder; the table runs it and says whether it holds."""

    fault: str
    what: str
    tests: tuple[str, ...]
