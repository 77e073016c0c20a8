"""Activities of rules: one occurrence from evaluation to its notification, and the Schedules of the database's rules.

Registered by the worker; called by RuleExecutionWorkflow and CronSchedulingWorkflow. The Schedules of NotificationRule
objects are the operator's and are never touched here.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio import activity

from xnovu.adapters.schedules import Schedules
from xnovu.core import ids
from xnovu.core.clock import check_time_zone, moment
from xnovu.core.contracts.common import Mode
from xnovu.core.contracts.notifications import ProcessingInput
from xnovu.core.contracts.orchestration import (
    EnterpriseConfig,
    PollHealth,
    PollInput,
    PollResult,
)
from xnovu.core.contracts.rules import (
    CreateResult,
    EvaluateResult,
    FetchRulesInput,
    Occurrence,
    RuleExecutionInput,
    RuleSchedule,
)
from xnovu.core.cron import check_cron
from xnovu.core.errors import RuleNotFound, ScheduleInvalid, XNovuError
from xnovu.core.gaps import runs_after_gaps
from xnovu.core.occurrences import evaluate, notification_of, notification_of_database_rule
from xnovu.core.records import Rule
from xnovu.core.schedules import Owner, Step, Timing, WantedSchedule, plan_schedule
from xnovu_activities.beating import Pause, wait_beating
from xnovu_activities.boundary import guarded
from xnovu_activities.measures import Measures
from xnovu_activities.monitors import LONGEST_BACKOFF, WINDOW, Starter
from xnovu_activities.ports import Tenants

_log: Final = logging.getLogger("xnovu.rules")


@dataclass(frozen=True, slots=True)
class RuleActivities:
    """`now`: the clock by which an occurrence is late."""

    tenants: Tenants
    schedules: Schedules
    starter: Starter
    measures: Measures
    window: timedelta = WINDOW
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    pause: Pause = asyncio.sleep

    @activity.defn(name="EvaluateRule")
    @guarded
    async def evaluate_rule(self, occurrence: Occurrence) -> EvaluateResult:
        """Whether this occurrence counts; changes nothing."""
        rule = await self._database_rule(occurrence.rule)
        result = evaluate(occurrence, self.now(), rule_active=rule is None or rule.active)
        self.measures.evaluated(
            occurrence.rule.enterprise.id, result.reason or result.verdict.value
        )
        return result

    @activity.defn(name="CreateNotification")
    @guarded
    async def create_notification(self, occurrence: Occurrence) -> CreateResult:
        """Idempotency key: `ids.occurrence_key`, unique in the database."""
        rule = await self._database_rule(occurrence.rule)
        wanted = (
            notification_of_database_rule(occurrence, rule) if rule else notification_of(occurrence)
        )
        made, created = await self.tenants.database(occurrence.rule.enterprise).create(wanted)
        return CreateResult(notification_id=made, created=created)

    @activity.defn(name="HandOver")
    @guarded
    async def hand_over(self, request: ProcessingInput) -> None:
        """Start the delivery at once instead of at the next poll, or when the enterprise's rate allows it.

        Idempotency key: the workflow id.
        """
        rate, delay = request.delivery.rate_per_second, None
        if rate is not None:
            database = self.tenants.database(request.ref.enterprise)
            paced = await database.take_pace(1, rate, reserve=True)
            delay = timedelta(seconds=paced.wait_seconds) if paced.wait_seconds else None
        await self.starter.start(request, delay=delay)

    @activity.defn(name="FetchActiveRules")
    @guarded
    async def fetch_active_rules(self, request: FetchRulesInput) -> list[int]:
        """Ids of the database's active rules of an enterprise."""
        rules = await self.tenants.database(request.enterprise).rules()
        return [rule.id for rule in rules if rule.active]

    @activity.defn(name="SyncSchedules")
    @guarded
    async def sync_schedules(self, request: PollInput) -> PollResult:
        """Compare rules and Schedules until the window is over; only differences are written."""
        until = time.monotonic() + self.window.total_seconds()
        health, polls, written = PollHealth(), 0, 0
        while time.monotonic() < until:
            wait = request.config.cron.check_interval.total_seconds()
            try:
                changed, wrong = await self._sync_once(request.config)
            except XNovuError as error:
                count = health.consecutive_errors + 1
                health = health.model_copy(
                    update={
                        "consecutive_errors": count,
                        "error_reason": error.reason,
                        "error_message": error.message,
                    }
                )
                wait = min(LONGEST_BACKOFF, 0.5 * 1.5 ** min(count, 20))
            else:
                polls, written = polls + 1, written + changed
                health = PollHealth(
                    last_poll_at=self.now(),
                    error_reason=wrong.reason if wrong else None,
                    error_message=wrong.message if wrong else None,
                )
            await wait_beating(min(wait, until - time.monotonic()), health, self.pause)
        return PollResult(polls=polls, started=written)

    async def _sync_once(self, config: EnterpriseConfig) -> tuple[int, XNovuError | None]:
        """How many Schedules were written, and the newest rule that cannot be one; it costs no other anything."""
        rules = await self.tenants.database(config.enterprise).rules()
        listed = await self.schedules.list(config.enterprise.id)
        found = {i: s for i, s in listed.items() if ids.parse_database_schedule_id(i) is not None}
        written, wrong = 0, None
        for rule in rules:
            schedule_id = ids.database_schedule_id(config.enterprise.id, rule.id)
            here = found.pop(schedule_id, None)
            try:
                wanted = wanted_schedule(config, rule)
                step = plan_schedule(wanted, here)
                if config.cron.mode is not Mode.SHADOW:
                    written += await self._take(step, wanted)
            except (ScheduleInvalid, RuleNotFound) as error:
                wrong = type(error)(f"rule {rule.id}: {error.message}")
        if config.cron.mode is not Mode.SHADOW:
            for schedule_id in found:
                await self.schedules.delete(schedule_id)
                written += 1
        return written, wrong

    async def _take(self, step: Step, wanted: WantedSchedule) -> int:
        match step:
            case Step.CREATE:
                # Listing is late: one that was made a moment ago is found by its id.
                here = await self.schedules.find(wanted.id)
                if here is None:
                    await self.schedules.create(wanted)
                elif plan_schedule(wanted, here) is Step.UPDATE:
                    await self.schedules.update(wanted)
                else:
                    return 0
            case Step.UPDATE:
                await self.schedules.update(wanted)
            case Step.PAUSE:
                await self.schedules.pause(wanted.id, wanted.note)
            case Step.UNPAUSE:
                await self.schedules.unpause(wanted.id, wanted.note)
            case _:
                return 0
        return 1

    async def _database_rule(self, rule: RuleExecutionInput) -> Rule | None:
        if rule.database_rule_id is None:
            return None
        found = await self.tenants.database(rule.enterprise).rule(rule.database_rule_id)
        if found is None:
            raise RuleNotFound(f"rule {rule.database_rule_id} is not there any more")
        return found


def wanted_schedule(config: EnterpriseConfig, rule: Rule) -> WantedSchedule:
    """The Schedule of a database rule. Raises ScheduleInvalid, RuleNotFound never."""
    given = rule.trigger_config
    zone_name = str(given.get("timezone") or config.time_zone)
    zone = check_time_zone(zone_name)
    cron, once = given.get("cron"), given.get("schedule_time")
    if isinstance(cron, str):
        check_cron(cron)
        after_gaps = runs_after_gaps(cron, zone_name)
        timing = Timing(time_zone=zone_name, cron=cron, after_gaps=after_gaps)
    elif isinstance(once, str):
        try:
            timing = Timing(time_zone=zone_name, at=moment(once, zone))
        except ValueError:
            raise ScheduleInvalid(
                "schedule_time is no ISO time such as 2026-12-24T08:00:00"
            ) from None
    else:
        raise ScheduleInvalid("trigger_config needs cron or schedule_time")
    off = not rule.active or given.get("enabled") is False
    action = RuleExecutionInput(
        enterprise=config.enterprise,
        rule_key=ids.database_rule_key(rule.id),
        time_zone=zone_name,
        database_rule_id=rule.id,
        delivery=config.delivery,
        schedule=RuleSchedule(cron=cron) if isinstance(cron, str) else RuleSchedule(at=str(once)),
    )
    return WantedSchedule(
        id=ids.database_schedule_id(config.enterprise.id, rule.id),
        owner=Owner(cluster="", uid=action.rule_key),
        timing=timing,
        action=action,
        catch_up_window=action.catch_up_window,
        paused=off,
        note="inactive in the database" if off else "",
    )
