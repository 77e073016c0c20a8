"""The time-skipping server, from the package registry, is good for tests of what takes days."""

from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

pytestmark = pytest.mark.stack


@workflow.defn
class WaitsAMonth:
    @workflow.run
    async def run(self) -> float:
        began = workflow.now()
        await workflow.sleep(timedelta(days=30))
        return (workflow.now() - began).total_seconds()


async def test_a_month_passes_in_a_moment(time_skipping_server: Path) -> None:
    async with (
        await WorkflowEnvironment.start_time_skipping(
            test_server_existing_path=str(time_skipping_server)
        ) as environment,
        Worker(
            environment.client,
            task_queue="q",
            workflows=[WaitsAMonth],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ),
    ):
        waited = await environment.client.execute_workflow(WaitsAMonth.run, id="w", task_queue="q")
    assert waited >= timedelta(days=30).total_seconds()
