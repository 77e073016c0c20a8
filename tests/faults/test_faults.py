"""Every fault of the table in its bounded form: nothing lost, nothing sent twice, well again within the bound."""

import pytest

from xnovu_dev.faults.run import Result
from xnovu_dev.faults.table import CASES

# All faults are done by the first test's fixture, some at a time.
pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]


@pytest.mark.parametrize("name", [case.id for case in CASES])
def test_nothing_is_lost_or_sent_twice(results: dict[str, Result], name: str) -> None:
    result = results[name]
    assert result.problems == (), f"{result.case.what}; the worker's log: {result.log}"
