"""What the operator says in a status."""

from datetime import UTC, datetime, timedelta

import pytest
from support.manifests import changed, enterprise

from xnovu.core.api.v1alpha1 import Enterprise
from xnovu.core.contracts.common import Mode
from xnovu.core.contracts.orchestration import Monitor, PollHealth
from xnovu.core.schedules import FoundSchedule
from xnovu_operator import status as say
from xnovu_operator.temporal import Running

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def running(health: PollHealth | None) -> Running:
    return Running("run", NOW, health)


@pytest.mark.parametrize(
    ("mode", "health", "suspended", "state"),
    [
        (Mode.OFF, None, False, "Off"),
        (Mode.ACTIVE, None, True, "Suspended"),
        (Mode.ACTIVE, None, False, "Starting"),
        (Mode.ACTIVE, PollHealth(last_poll_at=NOW), False, "Running"),
        (Mode.SHADOW, PollHealth(last_poll_at=NOW), False, "Shadow"),
        (Mode.ACTIVE, PollHealth(consecutive_errors=2), False, "Running"),
        (Mode.ACTIVE, PollHealth(consecutive_errors=3), False, "Failing"),
    ],
)
def test_the_state_of_a_monitor(
    mode: Mode, health: PollHealth | None, suspended: bool, state: str
) -> None:
    assert say.monitor_status(mode, running(health), suspended=suspended).state == state


def test_a_healthy_monitor_is_not_written_at_every_poll() -> None:
    first, second = (
        say.monitor_status(
            Mode.ACTIVE,
            running(PollHealth(last_poll_at=NOW + timedelta(seconds=s), lag_seconds=s)),
            suspended=False,
        )
        for s in (0, 3)
    )
    assert first == second


@pytest.mark.parametrize(
    ("health", "reason", "says"),
    [
        (PollHealth(last_poll_at=NOW), None, ""),
        (
            PollHealth(held_reason="CredentialsRejected", held_message="Novu answered 401"),
            "CredentialsRejected",
            "Novu answered 401; notifications wait",
        ),
        (
            PollHealth(foreign=3, foreign_owners=("default@ab",)),
            "ClaimedElsewhere",
            "3 notifications are held by default@ab",
        ),
        (
            PollHealth(
                consecutive_errors=3, error_message="away", held_reason="CredentialsMissing"
            ),
            "MonitorFailing",
            "away",
        ),
    ],
)
def test_what_makes_an_enterprise_degraded(
    health: PollHealth, reason: str | None, says: str
) -> None:
    found = {Monitor.REALTIME: running(health)}
    status = {
        Monitor.REALTIME: say.monitor_status(Mode.ACTIVE, found[Monitor.REALTIME], suspended=False)
    }
    problem = say.degraded(status, found)
    assert (problem.reason if problem else None) == reason
    assert says in (problem.message if problem else "")


def test_what_did_not_arrive_is_counted() -> None:
    found = say.deliveries({Monitor.REALTIME: running(PollHealth(pending=1, unreached_24h=2))})
    assert found is not None
    assert (found.pending, found.unreached_24h) == (1, 2)


def test_modes_that_differ_are_mixed() -> None:
    one = Enterprise.model_validate(changed(enterprise(), {"spec.cron.mode": "Shadow"}))
    assert say.mode_word(one) == "Mixed"
    assert say.health(one, {})[Monitor.CRON].state == "Starting"


@pytest.mark.parametrize(
    ("before", "wanted", "patch"),
    [
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1, "b": 2}, {"a": 1}, {"b": None}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": 1}}, {"a": {"y": None}}),
        ({"l": [1]}, {"l": [1, 2]}, {"l": [1, 2]}),
        (None, {"a": 1}, {"a": 1}),
    ],
)
def test_a_patch_holds_what_differs_and_no_more(
    before: dict[str, object] | None, wanted: dict[str, object], patch: dict[str, object]
) -> None:
    assert say.difference(before, wanted) == patch  # type: ignore[arg-type]  # JSON, as literals


def test_runs_are_said_in_local_time_and_not_while_paused() -> None:
    found = FoundSchedule(id="s", owner=None, digest=None, paused=False, next_runs=(NOW,))
    assert say.next_runs(found, "Europe/Berlin", paused=False) == ("2026-03-04T06:06:07+01:00",)
    assert say.next_runs(found, "Europe/Berlin", paused=True) == ()


def test_an_object_is_looked_at_again_soon_after_its_run() -> None:
    found = FoundSchedule(id="s", owner=None, digest=None, paused=False, next_runs=(NOW,))
    assert say.look_again(found, NOW - timedelta(seconds=10)) == 13
    assert say.look_again(found, NOW + timedelta(seconds=10)) == say.AFTER_RUN_SECONDS
    assert say.look_again(found.model_copy(update={"paused": True}), NOW) is None
