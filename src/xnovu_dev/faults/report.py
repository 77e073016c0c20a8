"""The fault table for people, and the lines while it is being made. Shows, decides nothing."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from xnovu_dev.faults.run import Result

_GOOD: Final = "green"
_BAD: Final = "bold red"


def progress(console: Console, result: Result, done: int, of: int) -> None:
    """One line as a case ends."""
    mark, style = ("✓", _GOOD) if result.good else ("✗", _BAD)
    line = Text.assemble(
        (f"{done:3}/{of} ", "dim"), (f"{mark} ", style), (f"{result.case.id:24}", ""),
        (_recovery(result), "dim"), ("  " + "; ".join(result.problems), _BAD),
    )  # fmt: skip
    console.print(line, soft_wrap=True)


def table(results: Sequence[Result], title: str, *, judged: bool) -> Table:
    """`judged`: whether the subject promised anything; without it the last column is what happened, not a verdict."""
    made = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
        header_style="dim",
    )
    made.add_column("FAULT")
    made.add_column("WHAT WAS DONE", overflow="fold")
    for name in ("ROWS", "LOST", "DUPLICATED", "RECOVERY", "BOUND"):
        made.add_column(name, justify="right")
    made.add_column("VERDICT" if judged else "ALSO", overflow="fold")
    for result in results:
        made.add_row(*_row(result, judged=judged))
    return made


def _row(result: Result, *, judged: bool) -> Sequence[Text | str]:
    outcome = result.outcome
    rest = [p for p in result.problems if not p.endswith((" lost", " duplicated"))]
    if judged:
        verdict = (
            Text("held", style=_GOOD)
            if result.good
            else Text("; ".join(rest) or "broken", style=_BAD)
        )
    else:
        verdict = Text("; ".join(rest), style="dim")
    return (
        Text(result.case.fault),
        Text(result.case.what),
        str(outcome.rows) if outcome else "",
        _count(outcome.lost if outcome else None),
        _count(outcome.duplicated if outcome else None),
        _recovery(result),
        f"{result.case.bound:.0f} s",
        verdict,
    )


def _count(number: int | None) -> Text:
    if number is None:
        return Text("?", style=_BAD)
    return Text(str(number), style=_BAD if number else "")


def _recovery(result: Result) -> str:
    seconds = result.outcome.recovery if result.outcome else None
    return "never" if seconds is None else f"{seconds:.1f} s"


def summary(results: Sequence[Result], seconds: float) -> str:
    """In one line."""
    outcomes = [r.outcome for r in results if r.outcome]
    rows, lost = sum(o.rows for o in outcomes), sum(o.lost for o in outcomes)
    duplicated, held = sum(o.duplicated for o in outcomes), sum(r.good for r in results)
    return (
        f"{held} of {len(results)} faults held, {rows} notifications, {lost} lost, {duplicated} duplicated,"
        f" in {seconds:.0f} s"
    )
