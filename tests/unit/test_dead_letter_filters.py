"""What people write to choose dead letters is read as it is meant, or refused with the way to write it."""

from datetime import UTC, datetime, timedelta

import pytest

from xnovu.commands.filters import Wanted, complete_reason, dead_filter, reasons, since
from xnovu.core.errors import SettingsInvalid

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
ALL = Wanted(None, None, (), 20)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("30m", NOW - timedelta(minutes=30)),
        ("24h", NOW - timedelta(days=1)),
        ("7d", NOW - timedelta(days=7)),
        ("2w", NOW - timedelta(days=14)),
        ("2026-11-23", datetime(2026, 11, 23, tzinfo=UTC)),
        ("2026-11-23T10:00", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("2026-11-23T10:00+02:00", datetime(2026, 11, 23, 8, tzinfo=UTC)),
    ],
)
def test_since_is_a_length_before_now_or_a_time(text: str, at: datetime) -> None:
    assert since(text, NOW) == at


@pytest.mark.parametrize("text", ["", "yesterday", "7", "-1h", "1.5h", "h", "2026-13-01"])
def test_since_that_cannot_be_read_says_how_to_write_it(text: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"30m, 24h or 7d"):
        since(text, NOW)


def test_ids_are_taken_once_and_none_means_any() -> None:
    assert dead_filter(Wanted(None, None, (3, 1, 3), 5), NOW).ids == (1, 3)
    assert dead_filter(ALL, NOW).ids is None


def test_a_replay_of_all_must_be_meant() -> None:
    assert ALL.is_empty
    meant = [
        Wanted("Expired", None, (), 1),
        Wanted(None, "1h", (), 1),
        Wanted(None, None, (1,), 1),
        Wanted(None, None, (), 1, everything=True),
    ]
    assert not any(wanted.is_empty for wanted in meant)


def test_reasons_are_completed_and_hold_only_what_ends_a_notification() -> None:
    assert complete_reason("tem") == ["TemplateError"]
    assert {"Expired", "NovuRejected", "OutcomeUnclear", "Unknown"} <= set(reasons())
    assert not {"NovuThrottled", "DatabaseUnavailable", "CredentialsMissing"} & set(reasons())
