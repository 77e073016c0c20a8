"""The two workflows that the plan gives code for, as it gives it, and what they exchange with their activities.

The traits, and where the plan has each, are listed in README.md. Registered by worker.py.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from temporalio import workflow
from temporalio.common import RetryPolicy

POLL_INTERVAL: Final = timedelta(seconds=5)
BATCH_SIZE: Final = 100
NOTIFICATION_RETRY: Final = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2,
    maximum_interval=timedelta(minutes=5),
    maximum_attempts=3,
    non_retryable_error_types=["ValidationError", "WorkflowNotFound"],
)
REALTIME_RETRY: Final = RetryPolicy(
    initial_interval=timedelta(seconds=5),
    backoff_coefficient=1.5,
    maximum_interval=timedelta(minutes=1),
)
"""The plan's configuration ("Temporal Configuration") and retry policies ("Error Handling and Retries")."""

TIMEOUT: Final = timedelta(seconds=30)
"""Of every activity. The plan names none, and Temporal does not start an activity without one."""

Json = dict[
    str, Any
]  # rows and payloads travel as they are: that they enter the history is one of the traits


@dataclass
class Ref:
    """NotificationProcessingInput, without the optional retry policy that no code of the plan reads."""

    notification_id: int
    enterprise_id: str


@dataclass
class Status:
    """UpdateStatusInput."""

    ref: Ref
    status: str
    error_details: str | None = None
    transaction_id: str | None = None


@dataclass
class Poll:
    """PollSupabaseInput. `events` is left out: an id cursor cannot see an UPDATE."""

    enterprise_id: str
    last_processed_id: int
    limit: int


@dataclass
class Trigger:
    """TriggerNovuInput: no transactionId and no Idempotency-Key are in it."""

    workflow_key: str
    recipients: list[str]
    payload: Json
    overrides: Json | None


async def run(name: str, request: object, result: Any = None) -> Any:  # as the SDK types it
    """One regular activity with the plan's policy for notifications."""
    return await workflow.execute_activity(
        name,
        request,
        result_type=result,
        start_to_close_timeout=TIMEOUT,
        retry_policy=NOTIFICATION_RETRY,
    )


@workflow.defn(name="PlanNotificationProcessingWorkflow")
class NotificationProcessing:
    """The plan's appendix, first example, line by line."""

    @workflow.run
    async def run(self, ref: Ref) -> None:
        await run("updateNotificationStatus", Status(ref, "PROCESSING"))
        try:
            row = await run("fetchNotification", ref, Json)
            config = await run("fetchWorkflowConfig", row["notification_workflow_id"], Json)
            call = Trigger(
                config["workflow_key"], row["recipients"], row["payload"], row["overrides"]
            )
            if config["workflow_type"] == "DYNAMIC":
                call = await run("renderTemplate", ref, Trigger)
            transaction = await run("triggerNovu", call, str)
            await run("updateNotificationStatus", Status(ref, "SENT", transaction_id=transaction))
        except Exception as error:
            await run("updateNotificationStatus", Status(ref, "FAILED", error_details=str(error)))
            raise


@workflow.defn(name="PlanRealtimeMonitoringWorkflow")
class RealtimeMonitoring:
    """The plan's appendix, second example: polls inside the workflow, with the cursor in its state."""

    @workflow.run
    async def run(self, enterprise_id: str) -> None:
        last_processed_id = 0
        while True:
            try:
                found = await workflow.execute_activity(
                    "pollSupabase",
                    Poll(enterprise_id, last_processed_id, BATCH_SIZE),
                    result_type=list[int],
                    start_to_close_timeout=TIMEOUT,
                    retry_policy=REALTIME_RETRY,
                )
                for notification_id in found:
                    await workflow.start_child_workflow(
                        NotificationProcessing.run,
                        Ref(notification_id, enterprise_id),
                        id=f"notification-{notification_id}",
                        retry_policy=NOTIFICATION_RETRY,
                    )
                    last_processed_id = max(last_processed_id, notification_id)
                await workflow.sleep(POLL_INTERVAL)
            except Exception:  # noqa: BLE001 - the plan's: "log error and continue"
                workflow.logger.warning("polling failed", exc_info=True)
                await workflow.sleep(POLL_INTERVAL * 2)
