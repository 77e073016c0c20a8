"""RuleExecutionWorkflow: one occurrence of a rule, from evaluation to a notification that is on its way.

Started by a Schedule, of a NotificationRule or of a database rule alike. It does not wait for the delivery: a short run
keeps overlapping occurrences apart.
"""

from datetime import datetime

from temporalio import workflow
from temporalio.common import SearchAttributeKey

with workflow.unsafe.imports_passed_through():
    from xnovu.core.contracts.notifications import NotificationRef, ProcessingInput
    from xnovu.core.contracts.rules import (
        CreateResult,
        EvaluateResult,
        ExecutionResult,
        Occurrence,
        RuleExecutionInput,
        Verdict,
    )
    from xnovu_workflows.policies import FOREVER, STEP

NOMINAL: SearchAttributeKey[datetime] = SearchAttributeKey.for_datetime(
    "TemporalScheduledStartTime"
)
"""The time that the schedule meant, before jitter; the server sets it."""


@workflow.defn
class RuleExecutionWorkflow:
    """Answers what became of the occurrence."""

    @workflow.run
    async def run(self, rule: RuleExecutionInput) -> ExecutionResult:
        nominal = workflow.info().typed_search_attributes.get(NOMINAL)
        occurrence = Occurrence(
            rule=rule, nominal=nominal or workflow.info().start_time, manual=nominal is None
        )
        verdict = await workflow.execute_activity(
            "EvaluateRule",
            occurrence,
            result_type=EvaluateResult,
            start_to_close_timeout=STEP,
            retry_policy=FOREVER,
        )
        if verdict.verdict is Verdict.SKIP:
            return ExecutionResult(verdict=Verdict.SKIP, reason=verdict.reason)
        made = await workflow.execute_activity(
            "CreateNotification",
            occurrence,
            result_type=CreateResult,
            start_to_close_timeout=STEP,
            retry_policy=FOREVER,
        )
        await workflow.execute_activity(
            "HandOver",
            ProcessingInput(
                ref=NotificationRef(
                    enterprise=rule.enterprise, notification_id=made.notification_id
                ),
                delivery=rule.delivery,
            ),
            start_to_close_timeout=STEP,
            retry_policy=FOREVER,
        )
        return ExecutionResult(verdict=Verdict.CREATE, notification_id=made.notification_id)
