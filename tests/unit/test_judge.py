"""The verdicts of `make up`: once is right, twice and never are not, and what must fail must fail for its reason."""

import pytest

from xnovu.core.ids import transaction_id
from xnovu_dev.example import Expectation
from xnovu_dev.judge import Delivery, Row, State, judge

ENTERPRISE = "6f1c2a9e-4b7d-4c35-9a58-1d2e3f4a5b6c"
WELCOME = Expectation("welcome", "static", 7, None, 2)
BROKEN = Expectation("broken", "on purpose", 8, None, 0, fails="TemplateError")
BELL = Expectation("bell", "cron", None, "nrule:u@", 1)


def row(number: int, status: str, reason: str | None = None, key: str | None = None) -> Row:
    details = {"reason": reason} if reason else None
    return Row(
        id=number, name="n", notification_status=status, dedupe_key=key, error_details=details
    )


def entry(number: int, who: str, channel: str = "in_app") -> Delivery:
    transaction = transaction_id(ENTERPRISE, number, 0, 0)
    return Delivery(transactionId=transaction, subscriberId=who, channel=channel)


def state(expectation: Expectation, rows: list[Row], ledger: list[Delivery]) -> State:
    return judge([expectation], rows, ledger)[0].state


def test_sent_and_delivered_to_everybody_is_done() -> None:
    assert state(WELCOME, [row(7, "SENT")], [entry(7, "a"), entry(7, "a", "email")]) is State.DONE


@pytest.mark.parametrize(
    ("rows", "ledger"),
    [([], []), ([row(7, "PROCESSING")], []), ([row(7, "SENT")], [entry(7, "a")])],
    ids=["no row", "under way", "one of two"],
)
def test_what_may_still_come_is_waited_for(rows: list[Row], ledger: list[Delivery]) -> None:
    assert state(WELCOME, rows, ledger) is State.WAITING


def test_the_same_delivery_twice_is_wrong() -> None:
    ledger = [entry(7, "a"), entry(7, "a"), entry(7, "a", "email")]
    assert state(WELCOME, [row(7, "SENT")], ledger) is State.WRONG


def test_a_failure_that_nobody_wanted_is_wrong() -> None:
    assert state(WELCOME, [row(7, "FAILED", "WorkflowNotFound")], []) is State.WRONG


def test_what_is_broken_on_purpose_must_fail_for_its_reason() -> None:
    assert state(BROKEN, [row(8, "FAILED", "TemplateError")], []) is State.DONE
    assert state(BROKEN, [row(8, "FAILED", "ValidationError")], []) is State.WRONG
    assert state(BROKEN, [row(8, "SENT")], [entry(8, "a")]) is State.WRONG
    assert state(BROKEN, [row(8, "PROCESSING")], []) is State.WAITING


def test_a_rule_is_done_with_its_first_delivery_and_wrong_with_any_double() -> None:
    rows = [row(20, "SENT", key="nrule:u@1"), row(21, "PENDING", key="nrule:u@2")]
    assert state(BELL, rows, [entry(20, "a")]) is State.DONE
    assert state(BELL, rows, [entry(20, "a"), entry(20, "a")]) is State.WRONG
    assert state(BELL, [row(22, "SENT", key="nrule:other@1")], [entry(22, "a")]) is State.WAITING
