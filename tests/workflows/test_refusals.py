"""What can never be delivered ends FAILED with its reason, at once; what waits for a person is not FAILED."""

from datetime import UTC, datetime, timedelta

import pytest
from fakes.database import a_workflow
from fakes.novu import Fault
from support.temporal import FAST, Case, eventually
from temporalio.client import WorkflowExecutionStatus

from xnovu.core.contracts.notifications import Channel, NotificationStatus, WorkflowType
from xnovu.core.errors import (
    ConfigurationError,
    CredentialsMissing,
    CredentialsRejected,
    NovuRejected,
    NovuThrottled,
    WorkflowNotFound,
    XNovuError,
)

pytestmark = pytest.mark.stack

FAILED = NotificationStatus.FAILED


async def _ends_failed(case: Case, reason: str, **changes: object) -> None:
    row = case.database.add(1, **changes)
    async with case.worker():
        result = await case.deliver(row)
    assert (result.status, result.reason, row.status) == (FAILED, reason, FAILED)
    assert row.error_details is not None
    assert row.error_details["reason"] == reason
    assert row.error_details["message"]
    assert case.novu.delivered == []


async def test_without_recipients(case: Case) -> None:
    await _ends_failed(case, "ValidationError", recipients=())


async def test_without_a_workflow(case: Case) -> None:
    await _ends_failed(case, "WorkflowNotFound", workflow_id=77)


async def test_a_payload_against_the_schema(case: Case) -> None:
    schema = {"type": "object", "required": ["plan"]}
    case.database.workflows[1] = a_workflow(payload_schema=schema)
    await _ends_failed(case, "ValidationError")


async def test_a_template_that_is_missing(case: Case) -> None:
    overrides = {"inAppTemplateId": "gone"}
    case.database.workflows[1] = a_workflow(
        type=WorkflowType.DYNAMIC,
        template_overrides=overrides,
        default_channels=(Channel.IN_APP,),
    )
    await _ends_failed(case, "TemplateError")


async def test_one_that_is_too_late(case: Case) -> None:
    case.delivery = FAST.model_copy(update={"expire_after": timedelta(hours=1)})
    await _ends_failed(case, "Expired")


async def test_one_that_becomes_too_late_while_it_waits_for_novu(case: Case) -> None:
    case.delivery = FAST.model_copy(update={"expire_after": timedelta(seconds=1)})
    case.novu.script = [Fault(NovuThrottled("429", retry_after=timedelta(seconds=1.5)))]
    await _ends_failed(case, "Expired", due_at=datetime.now(UTC))
    assert len(case.novu.requests) == 1


@pytest.mark.parametrize("error", [NovuRejected("400"), WorkflowNotFound("422")])
async def test_what_novu_refuses(case: Case, error: XNovuError) -> None:
    case.novu.script = [Fault(error)]
    await _ends_failed(case, error.reason)


@pytest.mark.parametrize(
    "error", [CredentialsRejected("401"), CredentialsMissing("no key"), ConfigurationError("302")]
)
async def test_credentials_that_are_refused_are_waited_for(case: Case, error: XNovuError) -> None:
    case.tenants.missing = error
    row = case.database.add(1)
    async with case.worker():
        handle = await case.start(row)

        async def waits() -> bool:
            return len(await case.activities_of(row)) >= 4

        await eventually(waits, "the first slow send has been refused")
        assert await case.status_of(handle.id) is WorkflowExecutionStatus.RUNNING
        assert row.status is NotificationStatus.PROCESSING
        case.tenants.missing = None
        assert (await handle.result()).status is NotificationStatus.SENT
    assert case.novu.people == ["ada"]


async def test_a_refusal_in_the_slow_lane_has_its_reason_too(case: Case) -> None:
    from fakes.novu import lost_answer

    case.novu.script = [lost_answer(accepted=False), Fault(NovuRejected("Novu refused it: 400"))]
    row = case.database.add(1)
    async with case.worker():
        result = await case.deliver(row)
    assert (result.status, result.reason) == (FAILED, "NovuRejected")
    assert row.error_details is not None
    assert row.error_details["reason"] == "NovuRejected"
    assert str(row.error_details["message"]).startswith("Novu refused it: 400 (0 of 1 recipients")


async def test_a_row_that_is_not_there_is_nobodys_failure(case: Case) -> None:
    row = case.database.add(1)
    del case.database.rows[1]
    async with case.worker():
        result = await case.deliver(row)
    assert (result.status, result.reason) == (None, "Missing")
