"""Which faults a soak meets, and when: a list that depends on its seed and length alone, so a seed replays it. No I/O."""

from dataclasses import dataclass
from random import Random
from typing import Final

DEADLY: Final = ("kill", "term", "freeze")
"""These end the worker or stop it. In the first half only: the memory of one process is watched for the second."""

STRIKES: Final = (
    *DEADLY,
    "temporal-refuses",
    "temporal-swallows",
    "temporal-half-open",
    "temporal-cut",
    "temporal-restart",
    "postgres-restart",
    "postgres-backends",
    "database-503",
    "database-answers-lost",
    "database-truncated",
    "database-silent",
    "novu-429",
    "novu-500",
    "novu-unreached",
    "novu-answers-lost",
    "novu-silent",
    "novu-garbage",
)
SHORTEST, LONGEST = 2.0, 8.0
GAPS: Final = (4.0, 12.0)
CALM: Final = 20.0
"""Seconds without faults at the end, and before the first."""


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault: when it begins and how long it lasts, in seconds. A restart lasts as long as it takes."""

    at: float
    name: str
    seconds: float


def plan(seed: int, length: float) -> tuple[Strike, ...]:
    """Strikes of a soak of `length` seconds. Every kind comes before any comes again, where there is time."""
    chance, found, at = Random(seed), list[Strike](), CALM / 2  # noqa: S311 - a replayable choice, no secret
    waiting: list[str] = []
    while True:
        early = at < length / 2
        if not waiting:
            waiting = list(STRIKES)
            chance.shuffle(waiting)
        name = next((n for n in waiting if early or n not in DEADLY), None)
        if name is None:
            waiting = []
            continue
        seconds = round(chance.uniform(SHORTEST, LONGEST), 1)
        if at + seconds > length - CALM:
            return tuple(found)
        waiting.remove(name)
        found.append(Strike(round(at, 1), name, seconds))
        at += seconds + chance.uniform(*GAPS)
