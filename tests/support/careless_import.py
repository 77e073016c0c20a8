"""A workflow that imports a module without saying how: it would be loaded anew for every run."""

from support.careless_help import time_of_the_machine
from temporalio import workflow


@workflow.defn(name="RuleExecutionWorkflow")
class CarelessImport:
    @workflow.run
    async def run(self, rule: dict[str, object]) -> str:
        del rule
        return time_of_the_machine.__name__
