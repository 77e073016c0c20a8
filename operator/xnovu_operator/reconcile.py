"""One pass over one object: observe, plan, act, say. The same for create, edit, restart and resync.

`Reconciler` holds the clients; `queue` decides when a pass happens and what an error means for the next one. Errors of
ours become conditions here (the second border of `core.errors`); nothing that one object does reaches another.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from pydantic import BaseModel, JsonValue, TypeAdapter

from xnovu.core.api.v1alpha1 import (
    ENTERPRISE,
    NOTIFICATION_RULE,
    Condition,
    Enterprise,
    EnterpriseStatus,
    LastRun,
    NotificationRule,
    NotificationRuleStatus,
)
from xnovu.core.conditions import Findings, conditions
from xnovu.core.contracts.orchestration import DeletionPolicy, Monitor
from xnovu.core.errors import ScheduleInvalid, XNovuError
from xnovu.core.ids import (
    ANNOTATION_FORCE_FINALIZE,
    ANNOTATION_RECONCILE,
    ANNOTATION_TRIGGER,
    orchestration_workflow_id,
)
from xnovu.core.plan import (
    EnterpriseView,
    Plan,
    Problem,
    RuleView,
    ShutDown,
    plan_enterprise,
    plan_rule,
    schedule_id_of,
)
from xnovu.core.reasons import Reason
from xnovu.core.schedules import FoundSchedule, Owner
from xnovu_operator import status as say
from xnovu_operator.act import Actor, release
from xnovu_operator.api import KubernetesApi
from xnovu_operator.credentials import Projection
from xnovu_operator.store import Key, Store, Unreadable, key_of
from xnovu_operator.temporal import EnterpriseWorkflows, Running

SOON: Final = 1.0
"""Seconds between looks at what is about to be."""

_JSON: Final = TypeAdapter(dict[str, JsonValue])
_log: Final = logging.getLogger("xnovu.operator")


@dataclass(slots=True)
class Reconciler:
    """Passes over objects. `wake`: ask for a pass over another object. `cluster`: the cluster's id."""

    store: Store
    kubernetes: KubernetesApi
    workflows: EnterpriseWorkflows
    projection: Projection
    cluster: str
    wake: Callable[[Key], None]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    applied: dict[str, int] = field(default_factory=dict)
    """Generation that the orchestration of an enterprise id was told by this process."""

    async def reconcile(self, key: Key) -> float | None:
        """When to look again, in seconds, where that is soon. Raises what is worth a retry, once the object says it."""
        found = self.store.objects.get(key)
        match found:
            case Enterprise():
                return await self._enterprise(key, found)
            case NotificationRule():
                return await self._rule(key, found)
            case Unreadable():
                await self._say_unreadable(key, found)
            case None:
                self.projection.forget(key)
        return None

    async def _say_unreadable(self, key: Key, found: Unreadable) -> None:
        kind = EnterpriseStatus if key.kind == "Enterprise" else NotificationRuleStatus
        findings = Findings(found.generation, problem=Problem(Reason.SPEC_INVALID, found.message))
        before = kind(
            conditions=found.conditions,
            observed_generation=found.generation if found.conditions else -1,
        )
        await self._write(key, found.generation, "", kind(), findings, before)

    @staticmethod
    async def let_go(store: Store, kubernetes: KubernetesApi, key: Key) -> bool:
        """Whether the object was to be let go by force, which asks nobody but the Kubernetes API."""
        found = store.objects.get(key)
        if not isinstance(found, Enterprise | NotificationRule):
            return False
        meta = found.metadata
        if (
            meta.deletion_timestamp is None
            or meta.annotations.get(ANNOTATION_FORCE_FINALIZE) != "true"
        ):
            return False
        await release(kubernetes, found)
        return True

    @staticmethod
    async def say_waiting(
        store: Store, kubernetes: KubernetesApi, key: Key, error: XNovuError
    ) -> None:
        """Before Temporal was ever reached: put the reason on the object."""
        found = store.objects.get(key)
        if not isinstance(found, Enterprise | NotificationRule):
            return
        findings = Findings(found.metadata.generation, waiting=Problem(error.reason, error.message))
        new = conditions(findings, found.status.conditions, datetime.now(UTC))
        status = found.status.model_copy(update={"conditions": new})
        patch = say.difference(_dump(found.status), _dump(status))
        if patch:
            await kubernetes.patch_status(_plural(key), key.namespace, key.name, patch)

    async def _enterprise(self, key: Key, found: Enterprise) -> float | None:
        spec, meta = found.spec, found.metadata
        rules = self.store.rules_of(found)
        actor = Actor(self.kubernetes, self.workflows, self.projection)
        orchestration: Running | None = None
        generation: int | None = None
        monitors: dict[Monitor, Running | None] = {}
        plan, trouble = Plan(), None
        try:
            orchestration = await self.workflows.running(
                orchestration_workflow_id(spec.enterprise_id)
            )
            generation = self._generation(found, orchestration)
            secrets, projected = (None, True)
            if meta.deletion_timestamp is None:
                secrets, projected = await self.projection.look(found)
            view = EnterpriseView(found, self.store.holder(found), secrets, projected, generation)
            plan = plan_enterprise(view)
            if ShutDown() in plan.steps:
                await self._say_enterprise(key, found, plan, None, orchestration, generation, {})
            for step in plan.steps:
                generation = await actor.take_enterprise(step, found, rules) or generation
            if generation is not None:
                self.applied[spec.enterprise_id] = generation
            if meta.deletion_timestamp is None and plan.problem is None:
                orchestration = await self.workflows.running(
                    orchestration_workflow_id(spec.enterprise_id)
                )
                monitors = dict(await self.workflows.monitors(spec.enterprise_id))
        except XNovuError as error:
            trouble = error
        if meta.deletion_timestamp is not None and trouble is None:
            self.applied.pop(spec.enterprise_id, None)
            self._drop(key, found)
            return None
        return await self._say_enterprise(
            key, found, plan, trouble, orchestration, generation, monitors
        )

    def _drop(self, key: Key, found: Enterprise) -> None:
        """It is gone for us, even if a watch should miss its end."""
        waiting = self.store.affected_by(found)
        self.store.drop(key)
        for other in waiting:
            self.wake(other)

    def _drop_rule(self, key: Key, enterprise: Enterprise | None) -> None:
        self.store.drop(key)
        if enterprise is not None:
            self.wake(key_of(enterprise))

    def _generation(self, found: Enterprise, running: Running | None) -> int | None:
        """What the running orchestration works with, as this process or the status knows it."""
        if running is None:
            return None
        said = found.status.orchestration
        known = said.config_generation if said and said.run_id else None
        return self.applied.get(found.spec.enterprise_id, known)

    async def _say_enterprise(
        self,
        key: Key,
        found: Enterprise,
        plan: Plan,
        trouble: XNovuError | None,
        orchestration: Running | None,
        generation: int | None,
        monitors: dict[Monitor, Running | None],
    ) -> float | None:
        spec, meta, before = found.spec, found.metadata, found.status
        usable = plan.problem is None and trouble is None and meta.deletion_timestamp is None
        # What was not looked at is as it was: a Temporal that is away says nothing about a monitor.
        health = say.health(found, monitors) if usable else {}
        waiting = _waiting(trouble, _leaving(found)) or say.starting(health)
        findings = Findings(
            generation=meta.generation,
            problem=plan.problem,
            waiting=waiting,
            degraded=say.degraded(health, monitors),
            suspended=Problem(
                Reason.SUSPENDED, "spec.suspend is true: nothing is picked up, rules pause"
            )
            if spec.suspend
            else None,
            ready_message="notifications are picked up and delivered",
        )
        status = EnterpriseStatus(
            mode=say.mode_word(found),
            orchestration=say.orchestration(found, orchestration, generation)
            if usable
            else before.orchestration,
            realtime=health.get(Monitor.REALTIME, before.realtime),
            cron=health.get(Monitor.CRON, before.cron),
            scheduled=health.get(Monitor.SCHEDULED, before.scheduled),
            rules=say.rule_counts(self.store.rules_of(found)),
            deliveries=say.deliveries(monitors) or before.deliveries,
            last_handled_reconcile=meta.annotations.get(ANNOTATION_RECONCILE)
            or before.last_handled_reconcile,
        )
        if await self._write(key, meta.generation, meta.uid, status, findings, before):
            for other in self.store.rules_of(found) if plan.problem else []:
                self.wake(key_of(other))
        if trouble is not None:
            raise trouble
        return SOON if waiting else None

    async def _rule(self, key: Key, found: NotificationRule) -> float | None:
        meta, spec = found.metadata, found.spec
        enterprise = self.store.enterprise(meta.namespace, spec.enterprise_ref.name)
        actor = Actor(self.kubernetes, self.workflows, self.projection)
        holder = self.store.holder(enterprise) if enterprise else None
        schedule: FoundSchedule | None = None
        plan, trouble = Plan(), None
        try:
            schedule = await self.workflows.schedules.find(schedule_id_of(found))
            plan = plan_rule(
                RuleView(found, enterprise, schedule, self.cluster, _asked(found), holder)
            )
            for step in plan.steps:
                await actor.take_rule(step, found)
            if plan.steps and meta.deletion_timestamp is None:
                schedule = await self.workflows.schedules.find(schedule_id_of(found))
        except ScheduleInvalid as error:
            # Temporal refuses what we let pass. What ran before stands for another spec.
            plan = Plan(problem=Problem(error.reason, error.message))
        except XNovuError as error:
            trouble = error
        if meta.deletion_timestamp is not None and trouble is None:
            self._drop_rule(key, enterprise)
            return None
        changed = await self._say_rule(key, found, enterprise, plan, trouble, schedule)
        if changed and enterprise is not None:
            self.wake(key_of(enterprise))
        if trouble is not None:
            raise trouble
        return say.look_again(schedule, self.now())

    async def _say_rule(
        self,
        key: Key,
        found: NotificationRule,
        enterprise: Enterprise | None,
        plan: Plan,
        trouble: XNovuError | None,
        schedule: FoundSchedule | None,
    ) -> bool:
        meta, spec, before = found.metadata, found.spec, found.status
        zone = spec.schedule.time_zone or (enterprise.spec.time_zone if enterprise else None)
        paused = schedule.paused if schedule else False
        ours = schedule is not None and schedule.owner == Owner(cluster=self.cluster, uid=meta.uid)
        schedule = schedule if ours and plan.problem is None else None
        findings = Findings(
            generation=meta.generation,
            problem=plan.problem,
            waiting=_waiting(trouble, _leaving(found)),
            suspended=say.suspended(found, enterprise, paused=paused),
            completed=bool(schedule and schedule.exhausted and not schedule.next_runs),
            ready_message="the Schedule in Temporal holds what this rule says",
        )
        known = trouble is None
        status = NotificationRuleStatus(
            schedule_id=schedule_id_of(found),
            time_zone=zone,
            next_runs=say.next_runs(schedule, zone or "UTC", paused=paused)
            if known
            else before.next_runs,
            last_run=await self._last_run(schedule, before.last_run) if known else before.last_run,
            missed_runs=schedule.missed if schedule else before.missed_runs,
            last_handled_trigger=meta.annotations.get(ANNOTATION_TRIGGER)
            if known and plan.problem is None
            else before.last_handled_trigger,
            last_handled_reconcile=meta.annotations.get(ANNOTATION_RECONCILE)
            or before.last_handled_reconcile,
        )
        return await self._write(key, meta.generation, meta.uid, status, findings, before)

    async def _last_run(
        self, schedule: FoundSchedule | None, before: LastRun | None
    ) -> LastRun | None:
        if schedule is None or schedule.last_scheduled_for is None:
            return before
        same = before is not None and before.run_id == schedule.last_run_id
        if same and before is not None and before.result not in {None, "Running", "Unknown"}:
            return before
        result: str | None = None
        made: int | None = None
        if schedule.last_workflow_id and schedule.last_run_id:
            result, made = await self.workflows.result(
                schedule.last_workflow_id, schedule.last_run_id
            )
        return LastRun(
            scheduled_for=schedule.last_scheduled_for,
            started_at=schedule.last_started_at,
            workflow_id=schedule.last_workflow_id,
            run_id=schedule.last_run_id,
            notification_id=made,
            result=result,
        )

    async def _write(
        self,
        key: Key,
        generation: int,
        uid: str,
        status: EnterpriseStatus | NotificationRuleStatus,
        findings: Findings,
        before: EnterpriseStatus | NotificationRuleStatus,
    ) -> bool:
        """Write the status when it differs, and say transitions as events. Whether Ready changed."""
        old = before.conditions
        new = conditions(findings, old, self.now())
        full = status.model_copy(update={"observed_generation": generation, "conditions": new})
        patch = say.difference(_dump(before), _dump(full))
        if not patch:
            return False
        stored = await self.kubernetes.patch_status(_plural(key), key.namespace, key.name, patch)
        if stored is None:
            self.store.drop(key)
            return True
        if key in self.store.objects:
            # The next pass compares with what is there, not with what a late event says was there.
            self.store.put(key, stored)
        ready = _ready(new)
        if ready is None or _said(_ready(old)) == _said(ready):
            return False
        if uid:
            about = {"namespace": key.namespace, "name": key.name, "uid": uid}
            warning = ready.status == "False" and findings.waiting is None
            await self.kubernetes.event(
                about, key.kind, ready.reason, ready.message, warning=warning
            )
        return True


def _asked(found: NotificationRule) -> str | None:
    asked = found.metadata.annotations.get(ANNOTATION_TRIGGER)
    return asked if asked != found.status.last_handled_trigger else None


def _plural(key: Key) -> str:
    return (ENTERPRISE if key.kind == "Enterprise" else NOTIFICATION_RULE).plural


def _said(ready: Condition | None) -> tuple[str, str] | None:
    return (ready.status, ready.reason) if ready else None


def _ready(found: tuple[Condition, ...]) -> Condition | None:
    return next((c for c in found if c.type == "Ready"), None)


def _dump(model: BaseModel) -> dict[str, JsonValue]:
    return _JSON.validate_python(model.model_dump(mode="json", by_alias=True, exclude_none=True))


def _waiting(trouble: XNovuError | None, leaving: Reason | None) -> Problem | None:
    if trouble is not None:
        return Problem(trouble.reason, trouble.message)
    return Problem(leaving, leaving.meaning) if leaving else None


def _leaving(found: Enterprise | NotificationRule) -> Reason | None:
    if found.metadata.deletion_timestamp is None:
        return None
    drains = isinstance(found, Enterprise) and found.spec.deletion_policy is DeletionPolicy.DRAIN
    return Reason.DRAINING if drains else Reason.DELETING
