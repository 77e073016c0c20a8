"""What the steps of a delivery decide without Temporal: which answers change the key, and what counts as an attempt."""

import pytest

from xnovu.core import errors
from xnovu.core.contracts.notifications import DeliverResult, Next
from xnovu_workflows.notification_processing import _KEPT, _UNCLEAR, _WAITING, _tried


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        (errors.NovuThrottled, True),
        (errors.NovuFailed, True),
        (errors.NovuNoTurn, False),
        (errors.NovuUnavailable, False),
    ],
)
def test_only_what_novu_answered_changes_the_key(kind: type[errors.XNovuError], kept: bool) -> None:
    assert kind.reason in _WAITING
    assert (kind.reason in _KEPT) is kept


def test_what_was_never_sent_is_not_unclear() -> None:
    assert errors.NovuNoTurn.reason not in _UNCLEAR


@pytest.mark.parametrize(
    ("quick", "counted"),
    [
        (DeliverResult(next=Next.DEFERRED, resumed=True), [0, 0]),
        (DeliverResult(next=Next.DEFERRED, unclear=True), [1, 0]),
        (DeliverResult(next=Next.DEFERRED, unclear=True, accepted=1), [0, 1]),
        (DeliverResult(next=Next.DEFERRED, resumed=True, unclear=True), [1, 0]),
        (DeliverResult(next=Next.DEFERRED, reason="NovuThrottled"), [0, 0]),
    ],
)
def test_only_an_unclear_send_of_this_run_is_an_attempt(
    quick: DeliverResult, counted: list[int]
) -> None:
    assert [_tried(quick, chunk) for chunk in (0, 1)] == counted
