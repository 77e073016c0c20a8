"""What runs beside the polls: a failure or a defect of one kind of work stops neither the other nor itself."""

import asyncio
import logging

import pytest
from fakes.database import FakeDatabase
from fakes.novu import FakeNovu, FakeTenants
from temporalio.common import MetricMeter

from xnovu.core.contracts.common import EnterpriseRef
from xnovu.core.contracts.notifications import NotificationStatus, ProcessingInput
from xnovu.core.contracts.orchestration import EnterpriseConfig
from xnovu.core.errors import DatabaseUnavailable
from xnovu_activities.feed import FeedReader
from xnovu_activities.measures import Measures
from xnovu_activities.sweeper import Sweeper
from xnovu_activities.upkeep import Notes, Upkeep

ENTERPRISE = EnterpriseRef(id="3f0b8a52-9c0e-4a7d-8d55-0d6a1c3f2b10")
CONFIG = EnterpriseConfig(generation=1, enterprise=ENTERPRISE)


class Nothing:
    async def resume(self, request: ProcessingInput) -> bool:
        del request
        return True


async def run(database: FakeDatabase, rounds: int) -> Notes:
    """So many pauses of the feed, with a sweep called for at each."""
    tenants = FakeTenants({ENTERPRISE.id: database}, {ENTERPRISE.id: FakeNovu()})
    measures, notes = Measures(MetricMeter.noop), Notes()
    over, pauses = asyncio.Event(), 0

    async def pause(seconds: float) -> None:
        nonlocal pauses
        del seconds
        pauses += 1
        notes.stale.set()
        if pauses > rounds:
            over.set()
        await asyncio.sleep(0)

    upkeep = Upkeep(
        Sweeper(tenants, Nothing(), "us", measures),
        FeedReader(tenants, measures, (60.0,)),
        pause,
    )
    task = asyncio.create_task(upkeep.run(CONFIG, notes))
    async with asyncio.timeout(5):
        await over.wait()
    task.cancel()
    await asyncio.wait({task})
    return notes


@pytest.mark.parametrize("error", [DatabaseUnavailable("away"), RuntimeError("hunter2")])
@pytest.mark.parametrize("work", ["sweep", "due_feeds"])
async def test_both_go_on_after_a_failure_and_it_is_said_once(
    caplog: pytest.LogCaptureFixture, error: Exception, work: str
) -> None:
    database = FakeDatabase(ENTERPRISE.id)
    database.faults[work] += [error] * 3
    with caplog.at_level(logging.WARNING):
        await run(database, 20)
    assert database.calls.count("sweep") > 4
    assert database.calls.count("due_feeds") > 4
    assert len([r for r in caplog.records if "could not" in r.message]) == 1
    assert "hunter2" not in caplog.text


async def test_what_is_found_is_noted() -> None:
    database = FakeDatabase(ENTERPRISE.id)
    ours = database.add(1, status=NotificationStatus.PROCESSING)
    theirs = database.add(2, status=NotificationStatus.PROCESSING)
    ours.stale = theirs.stale = True
    theirs.owner = "them/notification-2"
    notes = await run(database, 4)
    assert notes.swept >= 1
    assert (notes.foreign, notes.foreign_owners, notes.unreached_24h) == (1, ("them",), 0)
