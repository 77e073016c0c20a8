"""What the steps of a delivery decide without Temporal: which answers change the key, and what counts as an attempt."""

import pytest

from xnovu.core import errors
from xnovu_workflows.notification_processing import _KEPT, _UNCLEAR, _WAITING


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
