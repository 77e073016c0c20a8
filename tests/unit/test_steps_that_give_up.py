"""A defect on one row ends that row; the steps that claim, send and finish go on for ever."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fakes.database import FakeDatabase
from fakes.novu import FakeNovu, FakeTenants
from temporalio.common import MetricMeter
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from xnovu.core.contracts.common import EnterpriseRef
from xnovu.core.contracts.notifications import NotificationRef, ProcessingInput
from xnovu_activities.boundary import DEFECT_TRIES
from xnovu_activities.measures import Measures
from xnovu_activities.notifications import NotificationActivities

ENTERPRISE = EnterpriseRef(id="3f0b8a52-9c0e-4a7d-8d55-0d6a1c3f2b10")
REF = NotificationRef(enterprise=ENTERPRISE, notification_id=1)


def activities() -> NotificationActivities:
    database = FakeDatabase(ENTERPRISE.id)
    database.add(1)
    defect: Any = RuntimeError("a defect")
    database.faults["fetch"] += [defect]
    database.faults["claim"] += [defect]
    tenants = FakeTenants({ENTERPRISE.id: database}, {ENTERPRISE.id: FakeNovu()})
    return NotificationActivities(tenants, "here", timedelta(0), Measures(MetricMeter.noop))


@pytest.mark.parametrize(
    ("step", "request_", "final"),
    [
        ("fetch_workflow_config", REF, True),
        ("validate_notification", ProcessingInput(ref=REF), True),
        ("render_template", REF, True),
        ("fetch_notification", ProcessingInput(ref=REF), False),
    ],
)
async def test_the_checks_of_a_row_give_up_on_a_defect(
    step: str, request_: NotificationRef | ProcessingInput, final: bool
) -> None:
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, attempt=DEFECT_TRIES)
    call: Callable[..., Awaitable[object]] = getattr(activities(), step)
    with pytest.raises(ApplicationError) as raised:
        await environment.run(call, request_)
    assert (raised.value.type, raised.value.non_retryable) == ("InternalError", final)
