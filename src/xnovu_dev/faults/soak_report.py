"""What people see of a soak: a line as something happens, and what came of it. `grown` judges the memory; the rest shows."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from rich.console import Console
from rich.table import Table

from xnovu_dev.faults.oracle import Outcome
from xnovu_dev.faults.rows import Found, Planted
from xnovu_dev.faults.soak_plan import Strike

MiB: Final = 2**20
WARM: Final = 60.0
"""Seconds of a process before its memory is compared: imports, pools and caches fill first."""
GROWTH: Final = 0.05
"""How much larger the last third of the longest life may be than its first. A leak of one row in ten is more."""
EXAMPLES: Final = 10

Memory = Sequence[tuple[int, float, int]]


def beginning(console: Console, seed: int, length: float, rate: float, enterprises: int) -> None:
    console.print(
        f"soak: seed {seed}, {length / 60:g} minutes, {rate:g} rows a second over {enterprises} enterprises",
        highlight=False,
    )


def striking(console: Console, now: float, strike: Strike) -> None:
    console.print(
        f"{now:6.0f} s  {strike.name} for {strike.seconds:.1f} s", style="yellow", highlight=False
    )


def progress(console: Console, now: float, planted: int, left: int, memory: int) -> None:
    console.print(
        f"{now:6.0f} s  {planted} rows, {left} not ended, worker {memory / MiB:.0f} MiB",
        style="dim",
        highlight=False,
    )


def ending(
    console: Console,
    struck: Sequence[Strike],
    outcome: Outcome,
    memory: Memory,
    spent: Mapping[str, float],
) -> None:
    """The totals, and where the processors' time went."""
    recovery = "never" if outcome.recovery is None else f"{outcome.recovery:.1f} s after the end"
    console.print()
    console.print(
        f"{outcome.rows} notifications under {len(struck)} faults: {outcome.lost} lost,"
        f" {outcome.duplicated} duplicated; the last one ended {recovery}",
        highlight=False,
    )
    console.print(f"memory of the longest-lived worker: {_slope(memory)}", highlight=False)
    table = Table("PROCESS", "CPU", "MS A ROW", box=None, pad_edge=False, header_style="dim")
    for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        table.add_row(name, f"{seconds:.1f} s", f"{1000 * seconds / max(outcome.rows, 1):.1f}")
    console.print(table)


def evidence(
    console: Console,
    problems: Sequence[str],
    planted: Sequence[Planted],
    found: Mapping[int, Found],
    seed: int,
    folder: Path,
) -> None:
    """What is wrong, some of the rows with all that they went through, and how to see it again."""
    for problem in problems:
        console.print(f"✗ {problem}", style="bold red", highlight=False)
    wrong = [row for row in planted if (seen := found.get(row.id)) is None or seen.status != "SENT"]
    for row in wrong[:EXAMPLES]:
        seen = found.get(row.id)
        steps = (
            " → ".join(f"{became} at {at:.1f}" for _, became, at in seen.history)
            if seen
            else "gone"
        )
        console.print(f"  notification {row.id} of {row.enterprise}: {steps}", highlight=False)
    console.print(f"again: --seed {seed}; logs: {folder}", highlight=False)


def grown(memory: Memory) -> Iterator[str]:
    """A problem when the longest-lived process grew. Too short a life says nothing."""
    found = _thirds(memory)
    if found is not None and found[1] > found[0] * (1 + GROWTH):
        yield f"the worker's memory grew from {found[0] / MiB:.0f} to {found[1] / MiB:.0f} MiB"


def _slope(memory: Memory) -> str:
    found = _thirds(memory)
    if found is None:
        return "too short a life to say"
    return f"{found[0] / MiB:.0f} MiB in its first third, {found[1] / MiB:.0f} MiB in its last"


def _thirds(memory: Memory) -> tuple[float, float] | None:
    """Medians of the first and the last third of the longest life, after its warm-up."""
    lives: dict[int, list[tuple[float, int]]] = {}
    for pid, at, used in memory:
        lives.setdefault(pid, []).append((at, used))
    if not lives:
        return None
    longest = max(lives.values(), key=lambda life: life[-1][0] - life[0][0])
    warm = [used for at, used in longest if at - longest[0][0] >= WARM]
    third = len(warm) // 3
    if third == 0:
        return None
    return median(warm[:third]), median(warm[-third:])
