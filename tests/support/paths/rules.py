"""Every path of RuleExecutionWorkflow, played."""

from datetime import UTC, datetime, timedelta

from support.paths.playing import Handle, Played, over
from support.temporal import Case, eventually

from xnovu.adapters.schedules import Schedules
from xnovu.core import ids
from xnovu.core.contracts.rules import (
    NotificationTemplate,
    ResourceRule,
    RuleExecutionInput,
    RuleSchedule,
)
from xnovu.core.errors import DatabaseUnavailable
from xnovu.core.schedules import Owner, Timing, WantedSchedule

KIND = "RuleExecutionWorkflow"
TEMPLATE = NotificationTemplate(workflow="welcome", recipients=("ada",))


def a_rule(case: Case, condition: str | None = None, **changes: object) -> RuleExecutionInput:
    plain = RuleExecutionInput(
        enterprise=case.enterprise,
        rule_key=ids.resource_rule_key("uid"),
        resource=ResourceRule(
            namespace="acme", name="daily", uid="uid", notification=TEMPLATE, condition=condition
        ),
    )
    return plain.model_copy(update=changes)


async def by_hand(case: Case, rule: RuleExecutionInput) -> Handle:
    """Without a schedule's time: as somebody fires it in Temporal."""
    handle: Handle = await case.client.start_workflow(
        KIND, rule, id=f"rule-{case.enterprise.id}", task_queue=case.queue
    )
    return await over(handle)


async def created(case: Case) -> Handle:
    return await by_hand(case, a_rule(case))


async def created_late(case: Case) -> Handle:
    """The answer of the insert is lost: the second try finds what the first one made."""
    case.database.after["create"] += [DatabaseUnavailable("the answer was lost")]
    return await by_hand(case, a_rule(case))


async def skipped(case: Case) -> Handle:
    return await by_hand(case, a_rule(case, condition="1 > 2"))


async def gone(case: Case) -> Handle:
    """A rule of the database that is not there any more: the run fails."""
    lost = a_rule(case, resource=None, database_rule_id=7, rule_key=ids.database_rule_key(7))
    return await by_hand(case, lost)


def scheduled(timing: Timing, schedule: RuleSchedule) -> Played:
    """By a Schedule, with the time that it meant."""

    async def play(case: Case) -> Handle:
        schedules = Schedules(case.client, case.queue)
        uid = case.enterprise.id
        wanted = WantedSchedule(
            id=f"recorded-{uid}",
            owner=Owner(cluster="", uid=uid),
            timing=timing,
            action=a_rule(case, schedule=schedule),
            catch_up_window=timedelta(minutes=1),
        )
        await schedules.create(wanted)

        async def has_run() -> str | None:
            found = await schedules.find(wanted.id)
            return found.last_workflow_id if found else None

        handle = case.client.get_workflow_handle(str(await eventually(has_run, "its first run")))
        await handle.result()
        await schedules.delete(wanted.id)
        return handle

    return play


async def one_off(case: Case) -> Handle:
    at = datetime.now(UTC) + timedelta(seconds=2)
    play = scheduled(Timing(time_zone="UTC", at=at), RuleSchedule(at=at.isoformat()))
    return await play(case)


PATHS: dict[str, Played] = {
    "created": created,
    "created_late": created_late,
    "skipped": skipped,
    "gone": gone,
    "scheduled": scheduled(
        Timing(time_zone="UTC", every=timedelta(seconds=1)),
        RuleSchedule(every=timedelta(seconds=1)),
    ),
    "one_off": one_off,
}
