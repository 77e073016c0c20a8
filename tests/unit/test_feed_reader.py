"""The reader of the feed: bounded rounds, nothing recorded twice, one that cannot be read does not stop the others."""

from datetime import timedelta

import pytest
from fakes.database import FakeDatabase, Row
from fakes.novu import FakeNovu, FakeTenants
from temporalio.common import MetricMeter

from xnovu.core import ids
from xnovu.core.contracts.common import EnterpriseRef
from xnovu.core.contracts.notifications import NotificationStatus
from xnovu.core.errors import CredentialsRejected, NovuThrottled, NovuUnavailable, XNovuError
from xnovu_activities.feed import AWAY, BATCH, IDLE, FeedReader
from xnovu_activities.measures import Measures

ENTERPRISE = EnterpriseRef(id="3f0b8a52-9c0e-4a7d-8d55-0d6a1c3f2b10")


class World:
    def __init__(self) -> None:
        self.database, self.novu = FakeDatabase(ENTERPRISE.id), FakeNovu()
        tenants = FakeTenants({ENTERPRISE.id: self.database}, {ENTERPRISE.id: self.novu})
        self.reader = FeedReader(tenants, Measures(MetricMeter.noop), (60.0, 600.0))

    def sent(self, notification_id: int, *, arrived: bool = True) -> Row:
        row = self.database.add(notification_id, status=NotificationStatus.SENT)
        row.feed_seconds = 60.0
        if arrived:
            transaction = ids.transaction_id(ENTERPRISE.id, notification_id, 0, 0)
            self.novu.feed[transaction] = ["ada"]
        return row


async def test_nothing_due_costs_one_question() -> None:
    world = World()
    assert await world.reader.round(ENTERPRISE) == (IDLE, 0)
    assert (world.database.calls, world.novu.lookups) == (["due_feeds"], [])


async def test_what_arrived_and_what_did_not_are_recorded() -> None:
    world = World()
    there, lost = world.sent(1), world.sent(2, arrived=False)
    await world.reader.round(ENTERPRISE)
    assert (there.feed[0].problem, there.feed_seconds) == (None, None)
    assert (lost.feed[0].problem, lost.feed_seconds) == (None, 540.0)
    await world.reader.round(ENTERPRISE)
    assert (lost.feed[1].problem, lost.feed_seconds) == ("NobodyReceived", None)
    assert await world.reader.round(ENTERPRISE) == (IDLE, 1)
    assert len(there.feed) == 1


async def test_a_round_is_bounded() -> None:
    world = World()
    for number in range(BATCH + 5):
        world.sent(number + 1)
    wait, _ = await world.reader.round(ENTERPRISE)
    assert len(world.novu.lookups) == BATCH
    assert wait < 1


async def test_a_novu_that_throttles_is_given_the_pause_it_asks_for() -> None:
    world = World()
    first, second = world.sent(1), world.sent(2)
    world.novu.read_faults = [NovuThrottled("429", retry_after=timedelta(seconds=7))]
    wait, _ = await world.reader.round(ENTERPRISE)
    assert wait == 7
    assert sorted([len(first.feed), len(second.feed)]) == [0, 1]


async def test_one_that_cannot_be_read_is_not_the_first_of_every_round() -> None:
    world = World()
    first, second = world.sent(1), world.sent(2)
    world.novu.read_faults = [NovuUnavailable("500 for this one")]
    wait, _ = await world.reader.round(ENTERPRISE)
    assert wait == AWAY
    assert (len(first.feed), len(second.feed)) == (1, 1)


@pytest.mark.parametrize("error", [NovuUnavailable("away"), CredentialsRejected("401")])
async def test_a_novu_that_is_away_uses_up_no_look(error: XNovuError) -> None:
    world = World()
    row = world.sent(1)
    world.novu.read_faults = [error]
    with pytest.raises(type(error)):
        await world.reader.round(ENTERPRISE)
    assert row.feed == []
