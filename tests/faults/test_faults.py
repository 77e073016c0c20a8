"""One case of every fault of the table, with short outages: nothing lost, nothing sent twice, everything ended and visible.

How soon it is well again is judged by `make faults`, which runs all cases on a machine of its own; a test that shares two
cores with others can only say whether.
"""

import pytest

from xnovu_dev.faults.run import Result
from xnovu_dev.faults.table import CASES

# All faults are done by the first test's fixture, some at a time.
pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

BOUNDED = (
    "F1-before-novu",
    "F1-after-novu",
    "F2-after-claim",
    "F3-in-send",
    "F4-load",
    "F6-cut",
    "F15-restart",
    "F16-gateway",
    "F17-bulk",
    "F18-reset-after",
    "F18-429-asks",
    "F19-cached-error",
    "F20-doubled",
    "F22-poison",
    "F27-rotated",
    "F28-files",
)
LATE = ("recovery took", "a neighbour waited")


def test_one_case_of_every_fault_is_chosen() -> None:
    assert {name.split("-")[0] for name in BOUNDED} == {case.fault for case in CASES}


@pytest.mark.parametrize("name", BOUNDED)
def test_nothing_is_lost_or_sent_twice(results: dict[str, Result], name: str) -> None:
    result = results[name]
    broken = [problem for problem in result.problems if not problem.startswith(LATE)]
    assert broken == [], f"{result.case.what}; the worker's log: {result.log}"
