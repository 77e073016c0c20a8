"""The delivery log, filled from a real feed by the monitors: what arrived, what failed, and SENT that nobody received."""

import asyncio
from typing import Any

import pytest
from support.orchestration import ALL, a_config, apply, health_of, run_exactly, stop
from support.real_case import EMAIL, IN_APP, RealCase
from support.rows import PERSON
from support.temporal import eventually

from xnovu.core.contracts.orchestration import Monitor

pytestmark = pytest.mark.stack


def log_of(case: RealCase, notification: int) -> Any:
    found = case.rows.one(
        "select jsonb_object_agg(channel, status || ': ' || detail) from notify.notification_delivery"
        " where notification_id = %s and subscriber_id = %s",
        notification,
        PERSON,
    )
    return found or {}


async def test_sent_and_nobody_received_is_found_and_shown(case: RealCase) -> None:
    workflow = case.workflow(IN_APP, EMAIL)
    async with case.worker():
        lost = case.rows.notification(notification_workflow_id=workflow)
        case.sandbox.fault("lost", count=1)
        assert (await case.deliver(lost)).status == "SENT"
        case.sandbox.fault("provider", channel="email", count=1)
        there = case.rows.notification(notification_workflow_id=workflow)
        assert (await case.deliver(there)).status == "SENT"
        await apply(case, a_config(case))
        await run_exactly(case, ALL)

        async def settled() -> bool:
            return all(
                case.column(n, "feed_checks") and not case.column(n, "feed_due_at")
                for n in (lost, there)
            )

        await eventually(settled, "both were looked at to the end")

        async def shown() -> bool:
            found = await health_of(case, Monitor.REALTIME)
            return found is not None and found.unreached_24h == 1

        await eventually(shown, "the heartbeat counts it", 40)
        await stop(case)
    assert (case.rows.status(lost), case.column(lost, "delivery_problem")) == (
        "SENT",
        "NobodyReceived",
    )
    assert case.column(lost, "delivery_report")["message"].startswith(
        "Novu accepted it, and nobody received it"
    )
    assert case.column(there, "delivery_problem") is None
    assert log_of(case, there) == {
        "IN_APP": "Delivered: Message sent",
        "EMAIL": "Failed: Unexpected provider error",
    }


async def test_a_revoked_key_is_a_condition_and_no_storm(case: RealCase) -> None:
    workflow = case.workflow(IN_APP)
    case.sandbox.fault("401", method=None, path="/v1")
    for _ in range(60):
        case.rows.notification(notification_workflow_id=workflow)
    counted = "select count(*) from notify.ent_notification where enterprise_id = %s and notification_status = %s::shared_types.notification_status"

    def count(status: str) -> int:
        return int(case.rows.one(counted, case.rows.enterprise, status))

    async with case.worker():
        config = a_config(case)
        few = config.realtime.model_copy(update={"batch_size": 10})
        await apply(case, config.model_copy(update={"realtime": few}))
        await run_exactly(case, ALL)

        async def shown() -> bool:
            found = await health_of(case, Monitor.REALTIME)
            return found is not None and found.held_reason == "CredentialsRejected"

        await eventually(shown, "the heartbeat says why nothing goes", 30)
        waiting = count("PENDING")
        asked = await asyncio.to_thread(case.sandbox.admin, "GET", "/requests?path=/v1/events")
        assert waiting >= 40, "what was not begun waits as it is"
        assert len(asked) <= 15
        assert count("FAILED") == 0
        await asyncio.to_thread(case.sandbox.admin, "DELETE", "/faults")

        async def all_sent() -> bool:
            return count("SENT") == 60

        await eventually(all_sent, "everything goes on by itself", 40)
        await stop(case)
    await asyncio.to_thread(case.sandbox.settled)
    assert len(case.sandbox.deliveries()) == 60
