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
    Elsewhere(
        "F21",
        "daylight saving, leap days, odd zones, one-offs in the past, catch-up",
        (
            "tests/unit/test_clock.py",
            "tests/unit/test_timetable.py",
            "tests/properties/test_clock.py",
            "tests/contract/test_timetable_is_temporals.py",
            "tests/unit/test_gaps.py",
            "tests/faults/test_daylight_saving.py",
        ),
    ),
    Elsewhere(
        "F24",
        "histories of earlier versions under today's code, workers of two versions",
        ("tests/replay", "tests/faults/test_mixed_versions.py"),
    ),
    Elsewhere("F26", "a day of an idle monitor's history", ("tests/faults/test_idle_day.py",)),
)


def chosen(names: Collection[str]) -> list[Case]:
    """By number (`F1`) or id (`F1-after-novu`); all without names. Raises ValueError for one that is none."""
    known = {name for case in CASES for name in (case.id, case.fault)}
    unknown = [n for n in names if n not in known | {one.fault for one in ELSEWHERE}]
    if unknown:
        raise ValueError(f"there is no fault {', '.join(unknown)}")
    found = [c for c in CASES if not names or c.id in names or c.fault in names]
    return sorted(found, key=lambda case: int(case.fault[1:]))


def elsewhere(names: Collection[str]) -> list[Elsewhere]:
    """Those whose proof is another folder's; all without names."""
    return [one for one in ELSEWHERE if not names or one.fault in names]
