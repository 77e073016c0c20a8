"""Carries out the steps of a plan, one function a step. Decides nothing; every step may be taken twice."""

from collections.abc import Callable
from dataclasses import dataclass

from xnovu.core.api.v1alpha1 import ENTERPRISE, NOTIFICATION_RULE, Enterprise, NotificationRule
from xnovu.core.contracts.orchestration import DeletionPolicy
from xnovu.core.ids import FINALIZER
from xnovu.core.plan import (
    AddFinalizer,
    ApplyConfig,
    ChangeSchedule,
    ProjectCredentials,
    RemoveFinalizer,
    ShutDown,
    StepOf,
    TriggerSchedule,
    schedule_id_of,
)
from xnovu.core.schedules import Step
from xnovu_operator.api import KubernetesApi
from xnovu_operator.credentials import Projection
from xnovu_operator.temporal import EnterpriseWorkflows


@dataclass(frozen=True, slots=True)
class Actor:
    """The clients that steps need."""

    kubernetes: KubernetesApi
    workflows: EnterpriseWorkflows
    projection: Projection

    async def take_enterprise(
        self, step: StepOf, found: Enterprise, rules: list[NotificationRule]
    ) -> int | None:
        """Take one step; answers the generation that the orchestration then works with, where it is told one."""
        match step:
            case AddFinalizer():
                await hold(self.kubernetes, found)
            case RemoveFinalizer():
                await release(self.kubernetes, found)
            case ProjectCredentials():
                await self.projection.project(found)
            case ApplyConfig(config=config):
                return (await self.workflows.apply(config)).config_generation
            case ShutDown():
                await self._shut_down(found, rules)
            case _:
                raise TypeError(f"no step of an Enterprise: {step}")
        return None

    async def take_rule(self, step: StepOf, found: NotificationRule) -> None:
        """Take one step of a rule."""
        match step:
            case AddFinalizer():
                await hold(self.kubernetes, found)
            case RemoveFinalizer():
                await release(self.kubernetes, found)
            case ChangeSchedule():
                await self._schedule(step)
            case TriggerSchedule(schedule_id=schedule_id):
                await self.workflows.schedules.trigger(schedule_id)
            case _:
                raise TypeError(f"no step of a NotificationRule: {step}")

    async def _schedule(self, change: ChangeSchedule) -> None:
        schedules = self.workflows.schedules
        match change.step, change.wanted:
            case Step.CREATE, wanted if wanted is not None:
                await schedules.create(wanted)
            case Step.UPDATE, wanted if wanted is not None:
                await schedules.update(wanted)
            case Step.REPLACE, wanted if wanted is not None:
                await schedules.replace(wanted)
            case Step.PAUSE, wanted:
                await schedules.pause(
                    change.schedule_id, wanted.note if wanted else "XNovu: the rule was deleted"
                )
            case Step.UNPAUSE, _:
                await schedules.unpause(change.schedule_id, "XNovu: the rule runs again")
            case Step.DELETE, _:
                await schedules.delete(change.schedule_id)
            case other:
                raise TypeError(f"no step of a Schedule: {other}")

    async def _shut_down(self, found: Enterprise, rules: list[NotificationRule]) -> None:
        """The rules' Schedules go first: nothing new may begin while the rest ends."""
        policy = found.spec.deletion_policy
        if policy is not DeletionPolicy.ORPHAN:
            for rule in rules:
                schedule = await self.workflows.schedules.find(schedule_id_of(rule))
                if (
                    schedule is not None
                    and schedule.owner is not None
                    and schedule.owner.uid == rule.metadata.uid
                ):
                    await self.workflows.schedules.delete(schedule.id)
        match policy:
            case DeletionPolicy.DRAIN:
                await self.workflows.shut_down(found.spec.enterprise_id)
            case DeletionPolicy.TERMINATE:
                await self.workflows.terminate(found.spec.enterprise_id)
            case DeletionPolicy.ORPHAN:
                return
        await self.projection.remove(found)


async def hold(kubernetes: KubernetesApi, found: Enterprise | NotificationRule) -> None:
    """Keep the object until what we made for it is gone."""
    await _finalizers(kubernetes, found, lambda present: [*_others(present), FINALIZER])


async def release(kubernetes: KubernetesApi, found: Enterprise | NotificationRule) -> None:
    """Let the object go, as far as we are concerned."""
    await _finalizers(kubernetes, found, _others)


async def _finalizers(
    kubernetes: KubernetesApi,
    found: Enterprise | NotificationRule,
    change: Callable[[list[str]], list[str]],
) -> None:
    plural = (ENTERPRISE if isinstance(found, Enterprise) else NOTIFICATION_RULE).plural
    meta = found.metadata
    await kubernetes.set_finalizers(plural, meta.namespace, meta.name, meta.uid, change)


def _others(present: list[str]) -> list[str]:
    return [f for f in present if f != FINALIZER]
