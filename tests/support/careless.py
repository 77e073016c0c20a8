"""A workflow that asks the machine for the time, and through a module of its own: what the sandbox must refuse."""

from datetime import datetime

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from xnovu_workflows.sandbox import reloaded
with reloaded():
    from support.careless_help import time_of_the_machine


@workflow.defn(name="RuleExecutionWorkflow")
class Careless:
    @workflow.run
    async def run(self, rule: dict[str, object]) -> datetime:
        del rule
        return time_of_the_machine()
