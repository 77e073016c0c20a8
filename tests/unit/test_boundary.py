"""What Temporal is told of an error: reason, whether to retry, when; and nothing of a defect's text."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from temporalio.activity import ActivityCancellationDetails
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.testing import ActivityEnvironment

from xnovu.core.errors import (
    CredentialsRejected,
    NovuRejected,
    NovuThrottled,
    OutcomeUnclear,
    ValidationError,
    XNovuError,
)
from xnovu_activities.boundary import DEFECT_TRIES, gives_up, guarded, to_application_error


@pytest.mark.parametrize(
    ("error", "final"),
    [
        (ValidationError("no recipients"), True),
        (NovuRejected("400"), True),
        (CredentialsRejected("401"), False),
        (OutcomeUnclear("lost"), False),
    ],
)
def test_an_error_keeps_its_reason_and_whether_it_is_final(error: XNovuError, final: bool) -> None:
    told = to_application_error(error)
    assert (told.type, told.message, told.non_retryable) == (error.reason, error.message, final)
    assert told.category is ApplicationErrorCategory.UNSPECIFIED


def test_throttling_says_when_and_is_no_failure() -> None:
    told = to_application_error(NovuThrottled("429", retry_after=timedelta(seconds=7)))
    assert told.next_retry_delay == timedelta(seconds=7)
    assert told.category is ApplicationErrorCategory.BENIGN


async def test_a_defect_shows_its_class_and_place_only(caplog: pytest.LogCaptureFixture) -> None:
    @guarded
    async def broken() -> None:
        raise RuntimeError("payload with s3cret")

    with pytest.raises(ApplicationError) as raised:
        await broken()
    assert raised.value.type == "InternalError"
    assert raised.value.__cause__ is None
    assert "RuntimeError" in raised.value.message
    assert "s3cret" not in raised.value.message
    assert "s3cret" not in caplog.text
    assert "test_boundary.py" in caplog.text


@guarded
async def defective() -> None:
    raise RuntimeError("a defect")


@guarded
async def unavailable() -> None:
    raise NovuThrottled("429")


@pytest.mark.parametrize(
    ("step", "attempt", "final"),
    [
        (gives_up(defective), DEFECT_TRIES - 1, False),
        (gives_up(defective), DEFECT_TRIES, True),
        (gives_up(unavailable), DEFECT_TRIES, False),
        (defective, 1000, False),
    ],
)
async def test_only_a_defect_of_a_step_that_gives_up_ends_and_after_some_tries(
    step: Callable[[], Awaitable[None]], attempt: int, final: bool
) -> None:
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, attempt=attempt)
    with pytest.raises(ApplicationError) as raised:
        await environment.run(step)
    assert raised.value.non_retryable is final


async def test_errors_of_temporal_pass() -> None:
    ours = ApplicationError("as it is", type="Given")

    @guarded
    async def raising() -> None:
        raise ours

    with pytest.raises(ApplicationError) as raised:
        await raising()
    assert raised.value is ours


@pytest.mark.parametrize("ended", [True, False])
async def test_the_end_of_its_workflow_is_no_failure_of_an_activity(ended: bool) -> None:
    begun = asyncio.Event()

    @guarded
    async def waiting() -> None:
        begun.set()
        await asyncio.Event().wait()

    environment = ActivityEnvironment()
    running = asyncio.create_task(environment.run(waiting))
    await begun.wait()
    environment.cancel(
        cancellation_details=ActivityCancellationDetails(
            not_found=ended, cancel_requested=not ended
        )
    )
    with pytest.raises(ApplicationError if ended else asyncio.CancelledError) as raised:
        await running
    if isinstance(raised.value, ApplicationError):
        assert raised.value.category is ApplicationErrorCategory.BENIGN
