"""What came of a fault: compares what was wanted with the database's statuses and with Novu's ledger. No I/O.

Lost: a recipient that should have got something and did not. Duplicated: one that got it more than once. Everything else
that is not as promised is a problem, in words.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from xnovu_dev.faults.rows import Found, Planted

FORWARD: Final = frozenset(
    {
        (None, "PENDING"),
        ("PENDING", "PROCESSING"),
        ("PENDING", "FAILED"),
        ("PROCESSING", "SENT"),
        ("PROCESSING", "FAILED"),
    }
)
"""The only moves that these rows may make: none is replayed or withdrawn."""

NAMED: Final = 3
"""How many examples a problem names."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`problems`: empty when all promises were kept. `recovery`: seconds from the end of the fault to the last final
    status, 0 when all had ended before; None while something has not ended.
    """

    rows: int
    lost: int
    duplicated: int
    recovery: float | None
    problems: tuple[str, ...]


def judge(
    wanted: Sequence[Planted],
    found: Mapping[int, Found],
    received: Mapping[str, int],
    over: float,
) -> Outcome:
    """`received`: how often each recipient got something. `over`: when the fault had ended (epoch seconds)."""
    good = [row for row in wanted if row.wanted.ends == "SENT"]
    lost = sum(received.get(who, 0) == 0 for row in good for who in row.recipients)
    counts = (received.get(who, 0) for row in wanted for who in row.recipients)
    duplicated = sum(max(count - 1, 0) for count in counts)
    ends = [_ended(found.get(row.id)) for row in wanted]
    recovery = (
        None if None in ends else max((at - over for at in ends if at is not None), default=0)
    )
    return Outcome(
        rows=len(wanted),
        lost=lost,
        duplicated=duplicated,
        recovery=None if recovery is None else max(recovery, 0.0),
        problems=tuple(_problems(wanted, found, received)),
    )


def slowest(wanted: Iterable[Planted], found: Mapping[int, Found]) -> float:
    """The longest that one of these rows took from its insert to its final status; infinite when one has none."""
    took = 0.0
    for row in wanted:
        seen = found.get(row.id)
        end = _ended(seen)
        if seen is None or end is None:
            return float("inf")
        took = max(took, end - seen.begun_at)
    return took


def _ended(found: Found | None) -> float | None:
    return found.ended_at if found is not None and found.history else None


def _problems(
    wanted: Sequence[Planted], found: Mapping[int, Found], received: Mapping[str, int]
) -> Iterable[str]:
    seen: Counter[str] = Counter()
    examples: dict[str, list[int]] = {}
    for row in wanted:
        for problem in _of_row(row, found.get(row.id), received):
            seen[problem] += 1
            examples.setdefault(problem, []).append(row.id)
    for problem, count in seen.items():
        some = ", ".join(map(str, examples[problem][:NAMED]))
        yield f"{count} {problem} ({some}{', …' if count > NAMED else ''})"


def _of_row(row: Planted, found: Found | None, received: Mapping[str, int]) -> Iterable[str]:
    if found is None:
        yield "rows are gone"
        return
    if found.status != row.wanted.ends:
        said = f" as {found.reason}" if found.reason else ""
        yield f"ended {found.status}{said} instead of {row.wanted.ends}"
    elif row.wanted.reason is not None and found.reason != row.wanted.reason:
        yield f"say {found.reason} instead of {row.wanted.reason}"
    if found.status == "FAILED" and not found.reason:
        yield "FAILED without a reason"
    if row.wanted.ends == "FAILED" and any(received.get(who, 0) for who in row.recipients):
        yield "were refused and delivered"
    if any((was, became) not in FORWARD for was, became, _ in found.history):
        yield "moved backwards: " + " → ".join(became for _, became, _ in found.history)
