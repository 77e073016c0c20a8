"""The fault table for people, and the lines while it is being made. Shows, decides nothing."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from xnovu_dev.faults.elsewhere import Proof
from xnovu_dev.faults.run import Result

_GOOD: Final = "green"
_BAD: Final = "bold red"
_WIDTH: Final = 150


def console() -> Console:
    """As wide as the terminal; wide enough for the table where there is none."""
    made = Console()
    return made if made.is_terminal else Console(width=_WIDTH)


def progress(console: Console, result: Result, done: int, of: int) -> None:
    """One line as a case ends."""
    mark, style = ("✓", _GOOD) if result.good else ("✗", _BAD)
    line = Text.assemble(
        (f"{done:3}/{of} ", "dim"), (f"{mark} ", style), (f"{result.case.id:24}", ""),
        (_recovery(result), "dim"), ("  " + "; ".join(result.problems), _BAD),
    )  # fmt: skip
    console.print(line, soft_wrap=True)


def table(results: Sequence[Result], proofs: Sequence[Proof], title: str, *, judged: bool) -> Table:
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
    lines = [(r.case.fault, _row(r, judged=judged)) for r in results]
    lines += [(p.of.fault, _proof(p)) for p in proofs]
    for _, line in sorted(lines, key=lambda pair: int(pair[0][1:])):
        made.add_row(*line)
    return made


def _proof(proof: Proof) -> Sequence[Text | str]:
    """Tests deliver nothing that could be lost; how many of them hold stands where the rows do."""
    verdict = Text(proof.problem, style=_BAD) if proof.problem else Text("held", style=_GOOD)
    tests = f"{proof.passed} tests"
    return (Text(proof.of.fault), Text(proof.of.what), tests, "", "", "", "", verdict)


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
