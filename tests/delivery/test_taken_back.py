"""A withdrawn notification at a real Novu: what can be undone is, whenever it was withdrawn, and the rest is reported."""

import asyncio

import pytest
from support.real_case import AN_HOUR, EMAIL, IN_APP, RealCase
from support.rows import PERSON
from support.temporal import eventually

pytestmark = pytest.mark.stack


def withdraw(case: RealCase, notification: int) -> None:
    retract = "select notify.retract_notification(%s, %s, 'a mistake')"
    assert case.rows.one(retract, case.rows.enterprise, notification) == "RETRACTED"


async def test_after_it_was_sent_the_inbox_is_cleared_and_the_later_mail_cancelled(
    case: RealCase,
) -> None:
    workflow = case.workflow(EMAIL, IN_APP, AN_HOUR, {**EMAIL, "name": "Reminder"})
    n = case.rows.notification(notification_workflow_id=workflow)
    async with case.worker():
        assert (await case.deliver(n)).status == "SENT"
        await asyncio.to_thread(case.sandbox.settled)
        withdraw(case, n)
        assert (await case.deliver(n)).status == "RETRACTED"
    report = case.column(n, "retraction_report")
    assert report["channels"] == {"EMAIL": {"cancelled": 1}, "IN_APP": {"deleted": 1}}
    assert [m["channel"] for m in case.inbox(PERSON)] == ["email"]
    assert case.sandbox.admin("GET", "/status")["delayed"] == 0


async def test_while_novu_still_has_it_in_its_queue(case: RealCase) -> None:
    """Nothing is there yet to be deleted: settled at once, it would stay in the inbox."""
    n = case.rows.notification(notification_workflow_id=case.workflow(IN_APP))
    case.sandbox.fault("lag", seconds=0.3, count=1)
    async with case.worker():
        assert (await case.deliver(n)).status == "SENT"
        withdraw(case, n)
        await case.deliver(n)
    assert case.column(n, "retraction_report")["recipients"] == {PERSON: {"IN_APP": "deleted"}}
    assert case.inbox(PERSON) == []


async def test_while_its_outcome_is_not_known(case: RealCase) -> None:
    n = case.rows.notification(notification_workflow_id=case.workflow(IN_APP))
    case.sandbox.fault("accept_then_drop", count=1)
    async with case.worker():
        delivering = asyncio.create_task(case.deliver(n))

        async def accepted() -> bool:
            status = await asyncio.to_thread(case.sandbox.admin, "GET", "/status")
            return bool(status["queued"] or status["done"])

        await eventually(accepted, "Novu has it")
        withdraw(case, n)
        assert (await delivering).status == "RETRACTED"
    await asyncio.to_thread(case.sandbox.settled)
    assert case.column(n, "retraction_report")["channels"] == {"IN_APP": {"deleted": 1}}
    assert case.inbox(PERSON) == []


async def test_before_it_was_claimed_there_is_nothing_to_undo(case: RealCase) -> None:
    n = case.rows.notification(notification_workflow_id=case.workflow(IN_APP))
    withdraw(case, n)
    async with case.worker():
        assert (await case.deliver(n)).reason == "Done"
    assert case.sandbox.admin("GET", "/requests?path=/v1") == []
