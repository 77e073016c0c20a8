"""What runs beside the polls: rows of a dead owner come back, those of others are shown, a refused key stops the intake."""

import pytest
from support.orchestration import ALL, a_config, apply, health_of, run_exactly, stop
from support.temporal import Case, eventually

from xnovu.core.contracts.notifications import NotificationStatus
from xnovu.core.contracts.orchestration import Monitor, PollHealth
from xnovu.core.errors import CredentialsRejected
from xnovu.core.ids import claim_owner

pytestmark = pytest.mark.stack

PROCESSING, SENT = NotificationStatus.PROCESSING, NotificationStatus.SENT


async def health(case: Case) -> PollHealth:
    return await health_of(case, Monitor.REALTIME) or PollHealth()


async def test_what_a_dead_owner_left_is_looked_up_and_finished(case: Case) -> None:
    row, foreign = case.database.add(1), case.database.add(2)
    async with case.worker():
        await case.deliver(row)
        # The run is over, and its final status was lost with the database's last seconds.
        row.move(PROCESSING)
        foreign.move(PROCESSING)
        foreign.owner = claim_owner("default@elsewhere", case.enterprise.id, 2)
        row.stale = foreign.stale = True
        await apply(case, a_config(case))
        await run_exactly(case, ALL)

        async def resumed() -> bool:
            return row.status is SENT

        await eventually(resumed, "it is SENT again")
        assert len(case.novu.requests) == 1

        async def shown() -> bool:
            found = await health(case)
            return (found.foreign, found.foreign_owners) == (1, ("default@elsewhere",))

        await eventually(shown, "the heartbeat shows the other installation")
        assert foreign.status is PROCESSING
        await stop(case)


async def test_a_living_owner_is_left_alone_and_not_asked_again_at_once(case: Case) -> None:
    case.tenants.missing = CredentialsRejected("401")
    row = case.database.add(1)
    async with case.worker():
        handle = await case.start(row)

        async def waits() -> bool:
            return len(await case.activities_of(row)) >= 4

        await eventually(waits, "its workflow holds it and waits for the key")
        row.stale = True
        await apply(case, a_config(case))

        async def extended() -> bool:
            return not row.stale

        await eventually(extended, "its lease is extended")
        assert "extend_leases" in case.database.calls
        assert (await handle.describe()).run_id == handle.first_execution_run_id
        case.tenants.missing = None
        assert (await handle.result()).status is SENT
        await stop(case)


async def test_while_novu_refuses_the_key_nothing_is_taken_in(case: Case) -> None:
    case.tenants.missing = CredentialsRejected("Novu answered 401")
    rows = [case.database.add(n) for n in range(1, 30)]
    async with case.worker():
        await apply(case, a_config(case))
        await run_exactly(case, ALL)

        async def shown() -> bool:
            return (await health(case)).held_reason == "CredentialsRejected"

        await eventually(shown, "the heartbeat says why")
        assert {r.status for r in rows} == {NotificationStatus.PENDING}
        case.tenants.missing = None

        async def all_sent() -> bool:
            return all(r.status is SENT for r in rows)

        await eventually(all_sent, "they go on by themselves")
        assert (await health(case)).consecutive_errors == 0
        await stop(case)
