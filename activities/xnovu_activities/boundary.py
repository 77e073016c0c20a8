"""The border between our errors and Temporal's: one of the two places where errors are converted.

Every activity is wrapped by `guarded`. An error of ours becomes an ApplicationError whose type is its reason; anything
else is a defect and is passed on by class name only, because its text may hold what a history must not.
"""

import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from temporalio.exceptions import ApplicationError, ApplicationErrorCategory, FailureError

from xnovu.core.errors import NovuThrottled, XNovuError

_P = ParamSpec("_P")
_T = TypeVar("_T")
_log: Final = logging.getLogger("xnovu.activities")


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
        except Exception as error:  # noqa: BLE001 - the border: nothing of a defect's text may pass
            _log.exception("activity failed by a defect")
            raise ApplicationError(
                f"a defect of XNovu ({type(error).__name__}): see the worker's log",
                type="InternalError",
            ) from None

    return wrapped
