"""One occurrence of a rule: whether it still creates a notification, and which.

Pure: the present is given. Temporal decided that the rule is due; this decides what Temporal cannot: lateness without
jitter, wall times that come twice, conditions. Called by EvaluateRule and CreateNotification.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final

from xnovu.core import clock, cron, ids
from xnovu.core.contracts.rules import (
    CatchUpPolicy,
    DstOverlap,
    EvaluateResult,
    Occurrence,
    RuleExecutionInput,
    Verdict,
)
from xnovu.core.errors import RulePayloadInvalid, TemplateError
from xnovu.core.recipients import rule_payload
from xnovu.core.records import NewNotification, Rule
from xnovu.core.templates import Renderer, condition
from xnovu.core.timetable import next_occurrences

ON_TIME: Final = timedelta(minutes=1)
"""A run that starts within this, after its jitter, was not missed: neither late nor superseded."""

_INSTANT: Final = "%Y-%m-%dT%H:%M:%SZ"


def evaluate(
    occurrence: Occurrence,
    now: datetime,
    rule_active: bool,  # noqa: FBT001  # a fact about the rule, not a switch
) -> EvaluateResult:
    """Create or skip, with the reason. `now` is aware. By hand: only the rule's state and its condition count.

    Raises ScheduleInvalid for a zone nobody knows, RulePayloadInvalid for a condition that cannot be evaluated.
    """
    if not rule_active:
        return _skip("Inactive")
    rule = occurrence.rule
    if not occurrence.manual:
        reason = _missed(occurrence, now)
        if reason is None and _made_up(rule, occurrence.nominal):
            reason = "RepeatedWallTime"
        if reason is not None:
            return _skip(reason)
    if rule.resource is not None and rule.resource.condition is not None:
        try:
            wanted = condition(rule.resource.condition, _variables(occurrence))
        except TemplateError as error:
            raise RulePayloadInvalid(error.message) from None
        if not wanted:
            return _skip("ConditionFalse")
    return EvaluateResult(verdict=Verdict.CREATE)


def notification_of(
    occurrence: Occurrence, *, enterprise_name: str | None = None
) -> NewNotification:
    """The notification of a NotificationRule's occurrence; strings of its payload are rendered over the run.

    Idempotency key: `dedupe_key`. Raises RulePayloadInvalid when a string of the payload does not render.
    """
    rule = occurrence.rule
    if rule.resource is None:
        raise RulePayloadInvalid(f"{rule.rule_key} is no NotificationRule")
    wanted = rule.resource.notification
    try:
        payload = Renderer({}).strings(
            wanted.payload, _variables(occurrence, enterprise_name), "payload"
        )
    except TemplateError as error:
        raise RulePayloadInvalid(error.message) from None
    key = _key(occurrence)
    return NewNotification(
        enterprise_id=rule.enterprise.id,
        name=f"{rule.resource.name} · {key}",
        dedupe_key=key,
        workflow_key=wanted.workflow,
        workflow_id=None,
        rule_id=None,
        payload=payload if isinstance(payload, Mapping) else {},
        recipients=wanted.recipients,
        topics=wanted.topics,
        channels=wanted.channels,
        overrides=wanted.overrides,
        tags=wanted.tags,
        priority=wanted.priority,
    )


def notification_of_database_rule(occurrence: Occurrence, rule: Rule) -> NewNotification:
    """The notification of a database rule's occurrence. Its payload passes as it is, as the original passed it.

    Idempotency key: `dedupe_key`. Raises RulePayloadInvalid for a payload of neither shape.
    """
    content = rule_payload(rule.rule_payload)
    key = _key(occurrence)
    return NewNotification(
        enterprise_id=rule.enterprise_id,
        name=f"{rule.name} · {key}",
        dedupe_key=key,
        workflow_key=None,
        workflow_id=rule.workflow_id,
        rule_id=rule.id,
        payload=content.payload,
        recipients=content.recipients,
        topics=(),
        channels=(),
        overrides=content.overrides,
        tags=(),
        priority=None,
    )


def _skip(reason: str) -> EvaluateResult:
    return EvaluateResult(verdict=Verdict.SKIP, reason=reason)


def _missed(occurrence: Occurrence, now: datetime) -> str | None:
    """Temporal's own catch-up window covers its own absence; this one covers the worker's too."""
    rule = occurrence.rule
    jitter = timedelta(0) if rule.schedule is None else rule.schedule.jitter
    late = now - occurrence.nominal - jitter
    if late <= min(ON_TIME, rule.catch_up_window):
        return None
    if late > rule.catch_up_window or rule.catch_up is CatchUpPolicy.SKIP:
        return "TooLate"
    if rule.catch_up is CatchUpPolicy.LATEST and _later_one_is_due(rule, occurrence.nominal, now):
        return "Superseded"
    return None


def _later_one_is_due(rule: RuleExecutionInput, nominal: datetime, now: datetime) -> bool:
    if rule.schedule is None:
        return False
    following = islice(next_occurrences(rule.schedule, rule.time_zone, nominal), 1)
    return any(later.astimezone(UTC) <= now for later in following)


def _key(occurrence: Occurrence) -> str:
    """The dedupe key. Both times of a wall time that clocks show twice have the key of the first, where it runs once.

    Which of the two Temporal fires depends on the zone: both west of Greenwich, only the second east of it, or the first
    under another hour's name (calendar.go, 1.29). So neither may be left out; whichever comes first creates.
    """
    rule, nominal = occurrence.rule, occurrence.nominal
    if not occurrence.manual and rule.overlap is DstOverlap.ONCE and _by_the_clock(rule):
        nominal = nominal.astimezone(clock.check_time_zone(rule.time_zone)).replace(fold=0)
    return ids.occurrence_key(rule.rule_key, nominal)


def _by_the_clock(rule: RuleExecutionInput) -> bool:
    """Means times of the day. Intervals, and every hour of the day, mean time that passes."""
    schedule = rule.schedule
    return schedule is None or (
        schedule.cron is not None and not cron.parse(schedule.cron).every_hour
    )


def _made_up(rule: RuleExecutionInput, nominal: datetime) -> bool:
    """A run that nobody asked for: where clocks are put back, Temporal repeats `30 1` an hour later, at 2:30."""
    schedule = rule.schedule
    if schedule is None or schedule.cron is None or not _by_the_clock(rule):
        return False
    zone = clock.check_time_zone(rule.time_zone)
    wanted, local = cron.parse(schedule.cron), nominal.astimezone(zone)
    asked_for = local.hour in wanted.hours and local.minute in wanted.minutes
    return not asked_for and clock.is_put_back_near(nominal, zone)


def _variables(occurrence: Occurrence, enterprise_name: str | None = None) -> dict[str, object]:
    """What conditions and payload strings may name. Local times are of the rule's zone, to the minute."""
    rule = occurrence.rule
    nominal = occurrence.nominal.astimezone(UTC)
    local = nominal.astimezone(clock.check_time_zone(rule.time_zone))
    enterprise: dict[str, object] = {"id": rule.enterprise.id, "timeZone": rule.time_zone}
    if enterprise_name is not None:
        enterprise["name"] = enterprise_name
    return {
        "occurrence": {
            "time": nominal.strftime(_INSTANT),
            "date": nominal.date().isoformat(),
            "localTime": local.strftime("%H:%M"),
            "localDate": local.date().isoformat(),
            "weekday": local.strftime("%A"),
            "timeZone": rule.time_zone,
        },
        "enterprise": enterprise,
    }
