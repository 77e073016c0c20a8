"""Workflows as a later release might have them, for tests of upgrades: one compatible change, one that is not."""

from datetime import timedelta

from temporalio import workflow

from xnovu.core.contracts.rules import ExecutionResult, FetchRulesInput, RuleExecutionInput
from xnovu_workflows.rule_execution import RuleExecutionWorkflow

PATCH = "2026-11 look at the rules first"


async def look(rule: RuleExecutionInput) -> None:
    await workflow.execute_activity(
        "FetchActiveRules",
        FetchRulesInput(enterprise=rule.enterprise),
        result_type=list[int],
        start_to_close_timeout=timedelta(seconds=30),
    )


@workflow.defn(name="RuleExecutionWorkflow")
class Patched(RuleExecutionWorkflow):
    """Takes one step more, where nothing has been decided yet."""

    @workflow.run
    async def run(self, rule: RuleExecutionInput) -> ExecutionResult:
        if workflow.patched(PATCH):
            await look(rule)
        return await super().run(rule)


@workflow.defn(name="RuleExecutionWorkflow")
class Changed(RuleExecutionWorkflow):
    """The same step without asking: what must never be released."""

    @workflow.run
    async def run(self, rule: RuleExecutionInput) -> ExecutionResult:
        await look(rule)
        return await super().run(rule)
