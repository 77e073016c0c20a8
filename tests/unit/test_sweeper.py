"""What a dead owner left is resumed, what a living one holds is left alone, and what is somebody else's is counted."""

from fakes.database import FakeDatabase, Row
from fakes.novu import FakeNovu, FakeTenants
from temporalio.common import MetricMeter

from xnovu.core.contracts.common import EnterpriseRef
from xnovu.core.contracts.notifications import NotificationStatus, ProcessingInput
from xnovu.core.contracts.orchestration import EnterpriseConfig
from xnovu.core.ids import claim_owner
from xnovu_activities.measures import Measures
from xnovu_activities.sweeper import Sweeper

ENTERPRISE = EnterpriseRef(id="3f0b8a52-9c0e-4a7d-8d55-0d6a1c3f2b10")
CONFIG = EnterpriseConfig(generation=1, enterprise=ENTERPRISE)
US = "default@11112222"


class Temporal:
    """Which workflows run."""

    def __init__(self, *running: int) -> None:
        self.running, self.resumed = set(running), list[int]()

    async def resume(self, request: ProcessingInput) -> bool:
        wanted = request.ref.notification_id
        if wanted in self.running:
            return False
        self.resumed.append(wanted)
        return True


def stale(database: FakeDatabase, notification_id: int, installation: str | None = US) -> Row:
    row = database.add(notification_id, status=NotificationStatus.PROCESSING)
    row.stale = True
    if installation is not None:
        row.owner = claim_owner(installation, ENTERPRISE.id, notification_id)
    return row


def sweeper(database: FakeDatabase, temporal: Temporal) -> Sweeper:
    tenants = FakeTenants({ENTERPRISE.id: database}, {ENTERPRISE.id: FakeNovu()})
    return Sweeper(tenants, temporal, US, Measures(MetricMeter.noop))


async def test_the_dead_are_resumed_and_the_living_get_another_lease() -> None:
    database, temporal = FakeDatabase(ENTERPRISE.id), Temporal(2)
    dead, alive, nobodys = stale(database, 1), stale(database, 2), stale(database, 3, None)
    _, resumed = await sweeper(database, temporal).sweep(CONFIG)
    assert (temporal.resumed, resumed) == ([1, 3], 2)
    assert (dead.stale, alive.stale, nobodys.stale) == (True, False, True)


async def test_what_another_cluster_holds_is_left_alone_and_counted() -> None:
    """A namespace of the same name in another cluster is another installation."""
    database, temporal = FakeDatabase(ENTERPRISE.id), Temporal()
    stale(database, 1, "default@99998888")
    stale(database, 2, "other@11112222")
    found, resumed = await sweeper(database, temporal).sweep(CONFIG)
    assert (temporal.resumed, resumed) == ([], 0)
    assert (found.foreign_count, found.foreign_owners) == (
        2,
        ("default@99998888", "other@11112222"),
    )
    assert "extend_leases" not in database.calls
