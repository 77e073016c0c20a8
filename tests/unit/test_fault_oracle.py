"""The oracle of the fault suite: that it sees a loss, a duplicate, a step back, and a reason that is missing."""

import pytest

from xnovu_dev.faults.oracle import judge, slowest
from xnovu_dev.faults.rows import Found, Planted, Wanted

SENT = Found("SENT", None, ((None, "PENDING", 100.0), ("PENDING", "PROCESSING", 101.0), ("PROCESSING", "SENT", 105.0)))  # fmt: skip
FAILED = Found("FAILED", "NovuRejected", ((None, "PENDING", 100.0), ("PENDING", "PROCESSING", 101.0), ("PROCESSING", "FAILED", 102.0)))  # fmt: skip


def a_row(**wanted: object) -> Planted:
    return Planted(1, "e", ("ada", "bob"), Wanted(**wanted))  # type: ignore[arg-type]  # fields of Wanted


def test_all_that_was_wanted_is_no_problem() -> None:
    outcome = judge([a_row()], {1: SENT}, {"ada": 1, "bob": 1}, over=103.0)
    assert (outcome.lost, outcome.duplicated, outcome.recovery) == (0, 0, 2.0)
    assert outcome.problems == ()


def test_what_ended_before_the_fault_recovers_in_no_time() -> None:
    assert judge([a_row()], {1: SENT}, {"ada": 1, "bob": 1}, over=200.0).recovery == 0.0


def test_a_recipient_without_anything_is_lost_even_if_the_row_is_sent() -> None:
    assert judge([a_row()], {1: SENT}, {"ada": 1}, over=0.0).lost == 1


def test_a_second_delivery_is_a_duplicate() -> None:
    assert judge([a_row()], {1: SENT}, {"ada": 3, "bob": 1}, over=0.0).duplicated == 2


@pytest.mark.parametrize("status", ["PENDING", "PROCESSING"])
def test_what_has_not_ended_never_recovers(status: str) -> None:
    found = Found(status, None, SENT.history[:1])
    outcome = judge([a_row()], {1: found}, {"ada": 1, "bob": 1}, over=0.0)
    assert outcome.recovery is None
    assert outcome.problems == (f"1 ended {status} instead of SENT (1)",)


def test_a_step_back_is_seen_although_it_ended_well() -> None:
    back = (*SENT.history[:2], ("PROCESSING", "PENDING", 101.5), *SENT.history[1:])
    (problem,) = judge([a_row()], {1: Found("SENT", None, back)}, {"ada": 1, "bob": 1}, 0).problems
    assert "PENDING → PROCESSING → PENDING" in problem


def test_a_row_that_is_gone_is_a_problem() -> None:
    outcome = judge([a_row()], {}, {}, over=0.0)
    assert (outcome.lost, outcome.problems) == (2, ("1 rows are gone (1)",))


def test_a_refused_row_says_why_and_reaches_nobody() -> None:
    wanted = a_row(ends="FAILED", reason="NovuRejected")
    assert judge([wanted], {1: FAILED}, {}, over=0.0).problems == ()
    assert "refused and delivered" in judge([wanted], {1: FAILED}, {"ada": 1}, 0.0).problems[0]
    silent = Found("FAILED", None, FAILED.history)
    said = judge([wanted], {1: silent}, {}, over=0.0).problems
    assert any("without a reason" in problem for problem in said)
    other = a_row(ends="FAILED", reason="ValidationError")
    assert (
        "NovuRejected instead of ValidationError"
        in judge([other], {1: FAILED}, {}, 0.0).problems[0]
    )


def test_the_slowest_row_counts_from_its_insert() -> None:
    assert slowest([a_row()], {1: SENT}) == 5.0
    assert slowest([a_row()], {}) == float("inf")
