"""Wanted and found in, steps out: what the operator must do for an Enterprise or a NotificationRule. No I/O, no clock.

Two properties hold and are tested: carrying out a plan reaches what is wanted, and a second plan is empty. Carried out
by `xnovu_operator.act`; the conditions that people see are made of the same values by `xnovu.core.conditions`.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from xnovu.core.api.v1alpha1 import (
    AdoptionPolicy,
    DstGap,
    Enterprise,
    NotificationRule,
    RuleDeletionPolicy,
)
from xnovu.core.clock import check_time_zone, moment
from xnovu.core.contracts.common import CredentialSource, DeliveryConfig, EnterpriseRef, RetryConfig
from xnovu.core.contracts.orchestration import (
    CronConfig,
    EnterpriseConfig,
    RealtimeConfig,
    ScheduledConfig,
)
from xnovu.core.contracts.rules import NotificationTemplate, ResourceRule, RuleExecutionInput
from xnovu.core.cron import check_cron
from xnovu.core.errors import CLIP, ScheduleInvalid
from xnovu.core.gaps import runs_after_gaps
from xnovu.core.ids import (
    ANNOTATION_FORCE_FINALIZE,
    FINALIZER,
    resource_rule_key,
    resource_schedule_id,
)
from xnovu.core.reasons import Reason
from xnovu.core.schedules import (
    Adoption,
    FoundSchedule,
    Owner,
    Step,
    Timing,
    WantedSchedule,
    plan_removal,
    plan_schedule,
)
from xnovu.core.timetable import rule_schedule


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an object cannot be as it wants to be, and what to do about it."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class AddFinalizer:
    """Nothing is made for an object that could vanish without us."""


@dataclass(frozen=True, slots=True)
class RemoveFinalizer:
    """Nothing is left; the object may go."""


@dataclass(frozen=True, slots=True)
class ApplyConfig:
    """Start the orchestration, or tell the running one. Idempotency key: the generation."""

    config: EnterpriseConfig


@dataclass(frozen=True, slots=True)
class ProjectCredentials:
    """Give the worker what the enterprise's secrets hold now."""


@dataclass(frozen=True, slots=True)
class ShutDown:
    """End the enterprise's workflows as its deletionPolicy says."""


@dataclass(frozen=True, slots=True)
class ChangeSchedule:
    """One step of a Schedule."""

    step: Step
    schedule_id: str
    wanted: WantedSchedule | None


@dataclass(frozen=True, slots=True)
class TriggerSchedule:
    """Run it once, now, for this value of the annotation."""

    schedule_id: str
    requested: str


StepOf = (
    AddFinalizer
    | RemoveFinalizer
    | ApplyConfig
    | ProjectCredentials
    | ShutDown
    | ChangeSchedule
    | TriggerSchedule
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in order, and what stands in the way."""

    steps: tuple[StepOf, ...] = ()
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class EnterpriseView:
    """What was found. `config_generation`: what the running orchestration works with; None: it does not run."""

    enterprise: Enterprise
    holder: str | None
    """Name of the older Enterprise that holds the same id."""
    secrets: Problem | None
    projected: bool
    config_generation: int | None


def plan_enterprise(view: EnterpriseView) -> Plan:
    """What to do for an Enterprise."""
    found = view.enterprise
    if found.metadata.deletion_timestamp is not None:
        if FINALIZER not in found.metadata.finalizers:
            return Plan()
        if found.metadata.annotations.get(ANNOTATION_FORCE_FINALIZE) == "true" or view.holder:
            return Plan((RemoveFinalizer(),))
        return Plan((ShutDown(), RemoveFinalizer()))
    problem = _enterprise_problem(view)
    if problem is not None:
        return Plan((), problem)
    steps: list[StepOf] = []
    if FINALIZER not in found.metadata.finalizers:
        steps.append(AddFinalizer())
    if not view.projected:
        steps.append(ProjectCredentials())
    if view.config_generation != found.metadata.generation:
        steps.append(ApplyConfig(config_of(found)))
    return Plan(tuple(steps))


def _enterprise_problem(view: EnterpriseView) -> Problem | None:
    if view.holder is not None:
        return Problem(
            Reason.ENTERPRISE_ID_TAKEN,
            f"the older Enterprise {view.holder} has the same enterpriseId: delete one of the two",
        )
    try:
        check_time_zone(view.enterprise.spec.time_zone)
    except ScheduleInvalid as error:
        return Problem(error.reason, f"spec.timeZone: {error.message}")
    return view.secrets


def reference_of(enterprise: Enterprise) -> EnterpriseRef:
    """The tenant and whose credentials reach its systems."""
    spec = enterprise.spec
    own, installation = CredentialSource.ENTERPRISE, CredentialSource.INSTALLATION
    return EnterpriseRef(
        id=spec.enterprise_id,
        supabase=own if spec.supabase else installation,
        novu=own if spec.novu else installation,
    )


def config_of(enterprise: Enterprise) -> EnterpriseConfig:
    """The configuration of an enterprise's workflows, in the contracts' words."""
    spec = enterprise.spec
    realtime, cron, scheduled = spec.realtime, spec.cron, spec.scheduled
    return EnterpriseConfig(
        generation=enterprise.metadata.generation,
        source=enterprise.metadata.uid,
        enterprise=reference_of(enterprise),
        time_zone=spec.time_zone,
        suspend=spec.suspend,
        realtime=RealtimeConfig(
            mode=realtime.mode,
            events=realtime.events,
            poll_interval=realtime.poll_interval.delta,
            batch_size=realtime.batch_size,
            max_in_flight=realtime.max_in_flight,
        ),
        cron=CronConfig(mode=cron.mode, check_interval=cron.check_interval.delta),
        scheduled=ScheduledConfig(
            mode=scheduled.mode,
            poll_interval=scheduled.poll_interval.delta,
            batch_size=scheduled.batch_size,
        ),
        delivery=delivery_of(enterprise),
    )


def delivery_of(enterprise: Enterprise) -> DeliveryConfig:
    given = enterprise.spec.delivery
    retry = RetryConfig(
        initial_interval=given.retry.initial_interval.delta,
        backoff_coefficient=given.retry.backoff_coefficient,
        maximum_interval=given.retry.maximum_interval.delta,
        maximum_attempts=given.retry.maximum_attempts,
    )
    expire = given.expire_after.delta if given.expire_after else None
    return DeliveryConfig(retry=retry, rate_per_second=given.rate_per_second, expire_after=expire)


@dataclass(frozen=True, slots=True)
class RuleView:
    """What was found. `enterprise` None: there is none of that name, or it is being deleted."""

    rule: NotificationRule
    enterprise: Enterprise | None
    found: FoundSchedule | None
    cluster: str
    trigger: str | None = None
    """A value of the trigger annotation that was not acted upon yet."""

    holder: str | None = None
    """The older Enterprise that holds the id of `enterprise`; the rule must not act for that one."""


def schedule_id_of(rule: NotificationRule) -> str:
    return resource_schedule_id(rule.metadata.namespace, rule.metadata.name)


def plan_rule(view: RuleView) -> Plan:
    """What to do for a NotificationRule."""
    meta = view.rule.metadata
    owner = Owner(cluster=view.cluster, uid=meta.uid)
    if meta.deletion_timestamp is not None:
        return _plan_rule_deletion(view, owner)
    if view.enterprise is None:
        name = view.rule.spec.enterprise_ref.name
        problem = Problem(
            Reason.ENTERPRISE_NOT_FOUND,
            f"there is no Enterprise {name!r} in namespace {meta.namespace!r}: create it, or name another one",
        )
        return Plan(_removal(view, owner), problem)
    if view.holder is not None:
        problem = Problem(
            Reason.ENTERPRISE_ID_TAKEN,
            f"the Enterprise {view.enterprise.metadata.name!r} has the enterpriseId of the older {view.holder}",
        )
        return Plan(_removal(view, owner), problem)
    try:
        wanted = wanted_schedule(view.rule, view.enterprise, view.cluster)
    except ScheduleInvalid as error:
        # What ran before must not go on under a rule that says something else.
        return Plan(_removal(view, owner), Problem(error.reason, error.message))
    step = plan_schedule(wanted, view.found, Adoption(view.rule.spec.adoption_policy.value))
    if step is Step.REFUSE:
        message = (
            f"the Schedule {wanted.id} exists in Temporal and belongs to somebody else: delete it there, rename this"
            f" rule, or set adoptionPolicy ({AdoptionPolicy.IF_UNOWNED} takes over what carries no owner)"
        )
        return Plan((), Problem("Conflict", message))
    steps: list[StepOf] = [] if FINALIZER in meta.finalizers else [AddFinalizer()]
    if step is not Step.NOTHING:
        steps.append(ChangeSchedule(step, wanted.id, wanted))
    if view.trigger:
        steps.append(TriggerSchedule(wanted.id, view.trigger))
    return Plan(tuple(steps))


def _plan_rule_deletion(view: RuleView, owner: Owner) -> Plan:
    meta = view.rule.metadata
    if FINALIZER not in meta.finalizers:
        return Plan()
    if meta.annotations.get(ANNOTATION_FORCE_FINALIZE) == "true":
        return Plan((RemoveFinalizer(),))
    steps: tuple[StepOf, ...] = ()
    match view.rule.spec.deletion_policy:
        case RuleDeletionPolicy.SUSPEND if view.found is not None and view.found.owner == owner:
            steps = (ChangeSchedule(Step.PAUSE, view.found.id, None),)
        case RuleDeletionPolicy.DELETE:
            steps = _removal(view, owner)
    return Plan((*steps, RemoveFinalizer()))


def _removal(view: RuleView, owner: Owner) -> tuple[StepOf, ...]:
    step = plan_removal(owner, view.found)
    return () if step is Step.NOTHING else (ChangeSchedule(step, schedule_id_of(view.rule), None),)


def wanted_schedule(rule: NotificationRule, enterprise: Enterprise, cluster: str) -> WantedSchedule:
    """The Schedule that a rule stands for. Raises ScheduleInvalid for what the API server cannot judge."""
    spec, given, meta = rule.spec, rule.spec.schedule, rule.metadata
    name = given.time_zone or enterprise.spec.time_zone
    zone = check_time_zone(name)
    if given.cron is not None:
        check_cron(given.cron)
    timing = Timing(
        time_zone=name,
        cron=given.cron,
        every=given.every.delta if given.every else None,
        offset=given.offset.delta if given.offset else None,
        at=moment(given.at, zone) if given.at else None,
        jitter=given.jitter.delta if given.jitter else None,
        start_at=moment(given.start_at, zone) if given.start_at else None,
        end_at=moment(given.end_at, zone) if given.end_at else None,
        skip=tuple(_date(day) for day in given.skip),
        after_gaps=runs_after_gaps(given.cron, name)
        if given.cron is not None and given.dst.gap is DstGap.RUN_AFTER
        else (),
    )
    suspended = enterprise.spec.suspend or spec.suspend
    return WantedSchedule(
        id=schedule_id_of(rule),
        owner=Owner(cluster=cluster, uid=meta.uid),
        timing=timing,
        action=_action(rule, enterprise, name),
        catch_up_window=max(spec.catch_up.window.delta, timedelta(seconds=10)),
        # False is said only by the rule: absent respects a pause made in Temporal's own page.
        paused=True
        if suspended
        else (False if spec.suspend is False or _unpausable(rule) else None),
        note=_note(rule, enterprise),
    )


def _unpausable(rule: NotificationRule) -> bool:
    """Whether the pause that may be there is ours: the status said Suspended when it was made."""
    return any(
        c.type == "Suspended" and c.status == "True" and c.reason == Reason.SUSPENDED
        for c in rule.status.conditions
    )


def _note(rule: NotificationRule, enterprise: Enterprise) -> str:
    if enterprise.spec.suspend:
        return f"XNovu: Enterprise {enterprise.metadata.name} is suspended"
    return "XNovu: the rule is suspended" if rule.spec.suspend else ""


def _action(rule: NotificationRule, enterprise: Enterprise, time_zone: str) -> RuleExecutionInput:
    spec, meta = rule.spec, rule.metadata
    given = spec.notification
    return RuleExecutionInput(
        enterprise=reference_of(enterprise),
        rule_key=resource_rule_key(meta.uid),
        time_zone=time_zone,
        resource=ResourceRule(
            namespace=meta.namespace,
            name=meta.name,
            uid=meta.uid,
            notification=NotificationTemplate(
                workflow=given.workflow,
                recipients=given.recipients,
                topics=given.topics,
                channels=tuple(c.value for c in given.channels),
                payload=dict(given.payload),
                overrides=dict(given.overrides),
                tags=given.tags,
                priority=given.priority,
            ),
            condition=spec.condition,
        ),
        catch_up=spec.catch_up.policy,
        catch_up_window=spec.catch_up.window.delta,
        overlap=spec.schedule.dst.overlap,
        delivery=delivery_of(enterprise),
        schedule=rule_schedule(spec.schedule),
    )


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ScheduleInvalid(f"skip: {text[:CLIP]!r} is no date of the calendar") from None
