"""The border between our errors and Temporal's: one of the two places where errors are converted.

Every activity is wrapped by `guarded`. An error of ours becomes an ApplicationError whose type is its reason; anything
else is a defect and is passed on by class name only, because its text may hold what a history must not.
"""

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable
from functools import wraps
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from temporalio import activity as running
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory, FailureError

from xnovu.core.errors import NovuThrottled, XNovuError

_P = ParamSpec("_P")
_T = TypeVar("_T")
_log: Final = logging.getLogger("xnovu.activities")

DEFECT_TRIES: Final = 10
"""Tries, about ninety seconds under the policy FOREVER, after which a step stops hoping that a defect goes away."""


def to_application_error(error: XNovuError) -> ApplicationError:
    """What Temporal is told. Throttling is not a failure of anything, so it stays out of failure metrics."""
    expected = isinstance(error, NovuThrottled)
    return ApplicationError(
        error.message,
        type=error.reason,
        non_retryable=not error.retryable,
        next_retry_delay=error.retry_after,
        category=ApplicationErrorCategory.BENIGN
        if expected
        else ApplicationErrorCategory.UNSPECIFIED,
    )


def where(error: Exception) -> str:
    """Class and places of a defect, without its text: that may quote a payload or a key."""
    frames = traceback.extract_tb(error.__traceback__)[-5:]
    places = " < ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames))
    return f"{type(error).__name__} at {places}"


def _leave_quietly() -> None:
    """Nobody waits for an activity whose workflow has ended; the SDK would log its cancellation with a traceback."""
    details = running.cancellation_details() if running.in_activity() else None
    if details is not None and details.not_found:
        raise ApplicationError(
            "the workflow has ended", type="WorkflowEnded", category=ApplicationErrorCategory.BENIGN
        ) from None


def guarded(activity: Callable[_P, Awaitable[_T]]) -> Callable[_P, Awaitable[_T]]:
    """Convert what an activity raises."""

    @wraps(activity)
    async def wrapped(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return await activity(*args, **kwargs)
        except XNovuError as error:
            raise to_application_error(error) from None
        except FailureError:
            raise
        except asyncio.CancelledError:
            _leave_quietly()
            raise
        except Exception as error:  # noqa: BLE001 - the border: nothing of a defect's text may pass
            _log.error("activity failed by a defect: %s", where(error))
            raise ApplicationError(
                f"a defect of XNovu ({type(error).__name__}): see the worker's log",
                type=XNovuError.reason,
            ) from None

    return wrapped


def gives_up(activity: Callable[_P, Awaitable[_T]]) -> Callable[_P, Awaitable[_T]]:
    """Make a defect final after DEFECT_TRIES: for a step of one row, which then ends FAILED with reason InternalError.

    Goes around `guarded`. Not for what serves many rows or must not be skipped: that is tried for ever. All tries
    count, those that met an outage too, because Temporal counts no others.
    """

    @wraps(activity)
    async def wrapped(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return await activity(*args, **kwargs)
        except ApplicationError as error:
            if error.type != XNovuError.reason or running.info().attempt < DEFECT_TRIES:
                raise
            raise ApplicationError(error.message, type=error.type, non_retryable=True) from None

    return wrapped
