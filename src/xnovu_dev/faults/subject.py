"""Which worker program is under test: ours, or the baseline that has the shape of the plan's example code.

Both get the same environment variables. What they are told differs (a custom resource's configuration, or a list of
enterprises), and what is expected of the baseline is nothing: its losses are counted, not asserted.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

BASELINE: Final = Path("benchmarks/plan_shape/worker.py")


@dataclass(frozen=True, slots=True)
class Subject:
    """`command` starts it. `ours`: it has failpoints, an orchestration, and promises to keep."""

    name: str
    title: str
    command: tuple[str, ...]
    ours: bool

    def environment(self, enterprises: Sequence[str]) -> dict[str, str]:
        """What it needs to know of its enterprises at its start."""
        return {} if self.ours else {"XNOVU_BASELINE_ENTERPRISES": ",".join(enterprises)}


OURS: Final = Subject(
    "xnovu", "XNovu", (sys.executable, "-m", "xnovu_dev.faults.worker"), ours=True
)
PLAN: Final = Subject(
    "plan", "the plan's example code", (sys.executable, str(BASELINE)), ours=False
)
SUBJECTS: Final = {s.name: s for s in (OURS, PLAN)}
