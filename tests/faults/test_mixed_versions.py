"""F24: an upgrade with workflows under way. Workers of two versions share a queue, and no task of either fails.

The newer one holds its patch back (`patch_activation_callback`), as a release that brings a patch does until the older
workers are gone: docs/adr/0012-evolution.md. Stored histories under new code are tests/replay.
"""

import asyncio
import time
from collections.abc import Callable

import pytest
from support.newer import PATCH, Patched
from support.temporal import Case, a_case, eventually
from temporalio.client import WorkflowHandle
from temporalio.worker import PatchActivationInput, UnsandboxedWorkflowRunner, Worker

from xnovu.adapters.temporal import connect
from xnovu.core import ids
from xnovu.core.contracts.notifications import NotificationStatus
from xnovu.core.contracts.rules import NotificationTemplate, ResourceRule, RuleExecutionInput
from xnovu.core.errors import DatabaseUnavailable
from xnovu.worker import WORKFLOWS, build

pytestmark = pytest.mark.stack

RULES = 20
BOUND = 30.0
"""Seconds until everything is delivered, while both versions work."""


async def a_worker(
    case: Case, held: Callable[[PatchActivationInput], bool] | None = None
) -> Worker:
    """Without a cache, so that every task of a workflow may go to either version, and is replayed there from the start."""
    # Taken from a worker that never polls. Two of one queue need clients of their own, as two processes have.
    plain, own = [await connect(case.settings.temporal) for _ in range(2)]
    runner = UnsandboxedWorkflowRunner()
    given = build(plain, case.settings, case.tenants, case.measures, runner).config()
    given["client"] = own
    given["max_cached_workflows"] = 0
    if held is not None:
        others = [w for w in WORKFLOWS if w is not Patched.__bases__[0]]
        given["workflows"] = [Patched, *others]
        given["patch_activation_callback"] = held
    return Worker(**given)


async def start(case: Case, number: int) -> WorkflowHandle[object, object]:
    rule = RuleExecutionInput(
        enterprise=case.enterprise,
        rule_key=ids.resource_rule_key(f"uid-{number}"),
        resource=ResourceRule(
            namespace="acme",
            name="daily",
            uid=f"uid-{number}",
            notification=NotificationTemplate(workflow="welcome", recipients=(f"person-{number}",)),
        ),
        delivery=case.delivery,
    )
    return await case.client.start_workflow(
        "RuleExecutionWorkflow",
        rule,
        id=f"mixed-{number}-{case.enterprise.id}",
        task_queue=case.queue,
    )


async def failed_tasks(handle: WorkflowHandle[object, object]) -> int:
    history = await handle.fetch_history()
    return sum(e.HasField("workflow_task_failed_event_attributes") for e in history.events)


async def test_two_versions_share_a_queue(
    temporal_address: str, record_property: Callable[[str, object], None]
) -> None:
    case = await a_case(temporal_address)
    begun = time.monotonic()
    older = await a_worker(case)
    newer = await a_worker(case, held=lambda asked: asked.patch_id != PATCH)
    async with older, newer:
        handles = await asyncio.gather(*(start(case, number) for number in range(RULES)))
        await asyncio.gather(*(handle.result() for handle in handles))

        async def all_sent() -> bool:
            found = [row.status for row in case.database.rows.values()]
            return found == [NotificationStatus.SENT] * RULES

        await eventually(all_sent, "every rule's notification is SENT", BOUND)
    took = time.monotonic() - begun
    people = case.novu.people
    record_property("lost", RULES - len(set(people)))
    record_property("duplicated", len(people) - len(set(people)))
    record_property("recovery_seconds", round(took, 1))
    assert sorted(people) == sorted(f"person-{number}" for number in range(RULES))
    assert sum([await failed_tasks(handle) for handle in handles]) == 0
    assert took < BOUND


async def test_what_an_older_worker_began_the_newer_one_ends(temporal_address: str) -> None:
    """And the other way round, which is a rollback: the patch is held back, so no history has it."""
    case = await a_case(temporal_address)
    for number, versions in enumerate([(False, True), (True, False)]):
        first, second = [
            await a_worker(case, (lambda _: False) if new else None) for new in versions
        ]
        case.database.faults["create"] += [DatabaseUnavailable("away")] * 2
        async with first:
            handle = await start(case, number)

            async def waits() -> bool:
                return "create" in case.database.calls

            await eventually(waits, "the first worker has begun it")
        case.database.calls.clear()
        async with second:
            async with asyncio.timeout(BOUND):
                await handle.result()
        assert await failed_tasks(handle) == 0
