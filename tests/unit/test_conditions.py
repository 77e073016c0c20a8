"""Findings as conditions."""

from datetime import UTC, datetime, timedelta

import pytest

from xnovu.core.api.v1alpha1 import Condition
from xnovu.core.conditions import Findings, conditions
from xnovu.core.plan import Problem

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WRONG = Problem("ScheduleInvalid", "the cron")
AWAY = Problem("WorkerAway", "no worker")


def said(findings: Findings) -> dict[str, tuple[str, str]]:
    return {c.type: (c.status, c.reason) for c in conditions(findings, (), NOW)}


def test_all_five_are_always_there() -> None:
    assert [c.type for c in conditions(Findings(1), (), NOW)] == [
        "Ready",
        "Reconciling",
        "Stalled",
        "Synced",
        "Suspended",
    ]


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        (Findings(1), {"Ready": ("True", "Ready"), "Synced": ("True", "InSync")}),
        (
            Findings(1, problem=WRONG),
            {
                "Ready": ("False", "ScheduleInvalid"),
                "Stalled": ("True", "ScheduleInvalid"),
                "Reconciling": ("False", "NoProblem"),
                "Synced": ("Unknown", "ScheduleInvalid"),
            },
        ),
        (
            Findings(1, waiting=AWAY),
            {
                "Ready": ("False", "WorkerAway"),
                "Reconciling": ("True", "WorkerAway"),
                "Stalled": ("False", "NoProblem"),
            },
        ),
        (
            Findings(1, degraded=Problem("MonitorFailing", "x")),
            {"Ready": ("False", "MonitorFailing"), "Stalled": ("False", "NoProblem")},
        ),
        (
            Findings(1, suspended=Problem("Suspended", "x")),
            {"Ready": ("True", "Suspended"), "Suspended": ("True", "Suspended")},
        ),
        (Findings(1, completed=True), {"Ready": ("True", "Completed")}),
    ],
)
def test_each_finding_has_its_place(
    findings: Findings, expected: dict[str, tuple[str, str]]
) -> None:
    got = said(findings)
    assert {kind: got[kind] for kind in expected} == expected


def test_the_time_of_a_transition_moves_only_with_the_status() -> None:
    first = conditions(Findings(1, waiting=AWAY), (), NOW)
    later = NOW + timedelta(minutes=1)
    other = Problem("TemporalUnavailable", "gone")
    second = {c.type: c for c in conditions(Findings(2, waiting=other), first, later)}
    assert second["Ready"].last_transition_time == NOW
    assert second["Ready"].reason == "TemporalUnavailable"
    assert second["Ready"].observed_generation == 2
    third: dict[str, Condition] = {c.type: c for c in conditions(Findings(2), first, later)}
    assert third["Ready"].last_transition_time == later
