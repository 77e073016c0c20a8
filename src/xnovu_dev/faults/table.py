"""The table of faults as data: every row that `make faults` prints, in the matrix's order."""

from collections.abc import Collection
from typing import Final

from xnovu_dev.faults import (
    faults_content,
    faults_credentials,
    faults_database,
    faults_novu,
    faults_temporal,
    faults_worker,
)
from xnovu_dev.faults.case import Case, Elsewhere

CASES: Final[tuple[Case, ...]] = (
    *faults_worker.CASES,
    *faults_temporal.CASES,
    *faults_database.CASES,
    *faults_novu.CASES,
    *faults_content.CASES,
    *faults_credentials.CASES,
)

ELSEWHERE: Final = (
    Elsewhere("F21", "daylight saving, leap days, catch-up: see the tests", ("tests/timetables",)),
    Elsewhere("F24", "histories of earlier versions replayed by today's code", ("tests/replay",)),
    Elsewhere("F26", "24 hours of an idle poller's history", ("tests/history",)),
)


def chosen(names: Collection[str]) -> list[Case]:
    """By number (`F1`) or id (`F1-after-novu`); all without names. Raises ValueError for one that is none."""
    unknown = [n for n in names if not any(n in {c.id, c.fault} for c in CASES)]
    if unknown:
        raise ValueError(f"there is no fault {', '.join(unknown)}")
    found = [c for c in CASES if not names or c.id in names or c.fault in names]
    return sorted(found, key=lambda case: int(case.fault[1:]))
