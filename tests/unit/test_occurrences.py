"""Whether an occurrence still creates a notification, and which."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from xnovu.core.contracts.common import EnterpriseRef
from xnovu.core.contracts.rules import (
    CatchUpPolicy,
    DstOverlap,
    NotificationTemplate,
    Occurrence,
    ResourceRule,
    RuleExecutionInput,
    RuleSchedule,
    Verdict,
)
from xnovu.core.errors import RulePayloadInvalid, ScheduleInvalid
from xnovu.core.occurrences import evaluate, notification_of, notification_of_database_rule
from xnovu.core.records import Rule

NOMINAL = datetime(2026, 7, 1, 6, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def occurrence(
    nominal: datetime = NOMINAL,
    *,
    manual: bool = False,
    cron: str | None = "0 8 * * *",
    every: timedelta | None = None,
    jitter: timedelta = timedelta(0),
    catch_up: CatchUpPolicy = CatchUpPolicy.LATEST,
    window: timedelta = 10 * MINUTE,
    overlap: DstOverlap = DstOverlap.ONCE,
    condition: str | None = None,
    zone: str = "Europe/Berlin",
    payload: dict[str, Any] | None = None,
) -> Occurrence:
    template = NotificationTemplate(
        workflow="w",
        recipients=("a",),
        topics=("t",),
        channels=("EMAIL",),
        payload=payload or {},
        tags=("x",),
        priority="HIGH",
    )
    resource = ResourceRule(
        namespace="acme", name="bell", uid="u1", notification=template, condition=condition
    )
    rule = RuleExecutionInput(
        enterprise=EnterpriseRef(id="e1"),
        rule_key="nrule:u1",
        time_zone=zone,
        resource=resource,
        catch_up=catch_up,
        catch_up_window=window,
        overlap=overlap,
        schedule=RuleSchedule(cron=None if every else cron, every=every, jitter=jitter),
    )
    return Occurrence(rule=rule, nominal=nominal, manual=manual)


def reason(of: Occurrence, late: timedelta = timedelta(0), *, active: bool = True) -> str | None:
    result = evaluate(of, of.nominal + late, active)
    assert (result.verdict is Verdict.CREATE) == (result.reason is None)
    return result.reason


def test_an_occurrence_on_time_creates() -> None:
    assert reason(occurrence()) is None


def test_an_inactive_rule_creates_nothing_even_by_hand() -> None:
    assert reason(occurrence(), active=False) == "Inactive"
    assert reason(occurrence(manual=True), active=False) == "Inactive"


def test_beyond_the_window_is_too_late_unless_by_hand() -> None:
    assert reason(occurrence(), 10 * MINUTE) is None
    assert reason(occurrence(), 10 * MINUTE + timedelta(seconds=1)) == "TooLate"
    assert reason(occurrence(manual=True), timedelta(days=3)) is None


def test_jitter_is_not_lateness() -> None:
    assert reason(occurrence(jitter=60 * MINUTE), 65 * MINUTE) is None
    assert reason(occurrence(jitter=60 * MINUTE), 71 * MINUTE) == "TooLate"


def test_skip_drops_what_was_missed_and_keeps_what_is_on_time() -> None:
    assert reason(occurrence(catch_up=CatchUpPolicy.SKIP), MINUTE) is None
    assert reason(occurrence(catch_up=CatchUpPolicy.SKIP), 2 * MINUTE) == "TooLate"


def test_latest_drops_a_missed_one_when_a_later_one_is_due() -> None:
    assert reason(occurrence(cron="*/5 * * * *"), 6 * MINUTE) == "Superseded"
    assert reason(occurrence(cron="*/5 * * * *"), 4 * MINUTE) is None
    assert reason(occurrence(cron="*/5 * * * *", catch_up=CatchUpPolicy.ALL), 6 * MINUTE) is None


def test_a_quick_interval_is_not_superseded_by_its_own_pace() -> None:
    assert reason(occurrence(every=timedelta(seconds=10)), timedelta(seconds=30)) is None
    assert reason(occurrence(every=timedelta(seconds=10)), timedelta(seconds=90)) == "Superseded"


FIRST = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
SECOND = FIRST + timedelta(hours=1)


def key(of: Occurrence) -> str:
    return notification_of(of).dedupe_key


def test_both_times_of_a_repeated_wall_time_are_one_notification() -> None:
    """Whichever of them Temporal fires: east of Greenwich only the second."""
    first, second = occurrence(FIRST, cron="30 2 * * *"), occurrence(SECOND, cron="30 2 * * *")
    assert reason(first) is reason(second) is None
    assert key(first) == key(second) == "nrule:u1@2026-10-25T00:30:00Z"


def test_they_are_two_where_that_is_wanted_or_time_passes() -> None:
    twice = [occurrence(at, cron="30 2 * * *", overlap=DstOverlap.TWICE) for at in (FIRST, SECOND)]
    passing = [occurrence(at, cron="30 * * * *") for at in (FIRST, SECOND)]
    every = [occurrence(at, every=timedelta(minutes=30)) for at in (FIRST, SECOND)]
    by_hand = [occurrence(at, cron="30 2 * * *", manual=True) for at in (FIRST, SECOND)]
    for pair in (twice, passing, every, by_hand):
        assert len({key(one) for one in pair}) == 2


def test_a_run_that_only_temporal_sees_is_skipped() -> None:
    """`30 1` at 2:30 in the night in which clocks are put back; never on another day."""
    assert reason(occurrence(FIRST, cron="30 1 * * *")) == "RepeatedWallTime"
    assert reason(occurrence(FIRST - timedelta(hours=1), cron="30 1 * * *")) is None
    assert reason(occurrence(FIRST + timedelta(days=1), cron="30 1 * * *")) is None
    assert reason(occurrence(FIRST, cron="30 1 * * *", manual=True)) is None


def test_time_that_passes_is_not_repeated_by_a_clock() -> None:
    assert reason(occurrence(SECOND, cron="30 * * * *")) is None
    assert reason(occurrence(SECOND, every=timedelta(minutes=30))) is None


def test_a_condition_decides() -> None:
    assert reason(occurrence(condition="occurrence.weekday == 'Wednesday'")) is None
    assert reason(occurrence(condition="occurrence.weekday in ['Monday']")) == "ConditionFalse"
    assert reason(occurrence(condition="enterprise.id == 'e2'", manual=True)) == "ConditionFalse"


@pytest.mark.parametrize(
    "condition",
    ["nothing > 1", "1 +", "{{ 1 }}", "9 ** 9999999", "1 %} {% if 1", "occurrence.mro()"],
)
def test_a_condition_that_cannot_be_evaluated_is_the_rules_error(condition: str) -> None:
    with pytest.raises(RulePayloadInvalid, match="the condition"):
        reason(occurrence(condition=condition))


def test_an_unknown_zone_is_the_schedules_error() -> None:
    with pytest.raises(ScheduleInvalid):
        reason(occurrence(zone="Mars/Base"))


def test_the_payload_of_a_notification_rule_is_rendered_over_the_run() -> None:
    payload = {
        "text": "It is {{ occurrence.localTime }} of {{ occurrence.weekday }}",
        "deep": [{"at": "{{ occurrence.time }}", "n": 1}],
        "plain": "a } b",
        "who": "{{ enterprise.name }}",
    }
    made = notification_of(occurrence(payload=payload), enterprise_name="Acme")
    assert made.payload == {
        "text": "It is 08:00 of Wednesday",
        "deep": [{"at": "2026-07-01T06:00:00Z", "n": 1}],
        "plain": "a } b",
        "who": "Acme",
    }
    assert made.dedupe_key == "nrule:u1@2026-07-01T06:00:00Z"
    assert made.name == f"bell · {made.dedupe_key}"
    assert (made.enterprise_id, made.workflow_key, made.recipients, made.topics) == (
        "e1",
        "w",
        ("a",),
        ("t",),
    )
    assert (made.channels, made.tags, made.priority, made.rule_id) == (
        ("EMAIL",),
        ("x",),
        "HIGH",
        None,
    )


def test_a_payload_that_does_not_render_names_its_place() -> None:
    with pytest.raises(
        RulePayloadInvalid, match=r"payload\.a\[1\], line 1: 'nothing' is undefined"
    ):
        notification_of(occurrence(payload={"a": ["x", "{{ nothing }}"]}))


def test_a_database_rules_payload_passes_as_it_is() -> None:
    rule = Rule(
        7, "e1", "Old", "CRON", {}, {"recipients": ["a"], "text": "{{ name }}"}, 3, True, NOMINAL
    )
    run = RuleExecutionInput(
        enterprise=EnterpriseRef(id="e1"), rule_key="rule:7", database_rule_id=7
    )
    made = notification_of_database_rule(Occurrence(rule=run, nominal=NOMINAL), rule)
    assert made.name == "Old · rule:7@2026-07-01T06:00:00Z"
    assert (made.workflow_id, made.workflow_key, made.rule_id) == (3, None, 7)
    assert (made.recipients, made.payload) == (("a",), {"text": "{{ name }}"})
