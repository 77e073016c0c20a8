"""What monitors say about themselves, and what they cost."""

import pytest
from support.orchestration import ALL, a_config, apply, health_of, run_exactly, stop
from support.temporal import Case, eventually

from xnovu.core import ids
from xnovu.core.contracts.notifications import NotificationStatus
from xnovu.core.contracts.orchestration import Monitor, PollHealth
from xnovu.core.errors import DatabaseUnavailable
from xnovu_activities.monitors import monitor_id

pytestmark = pytest.mark.stack


async def test_the_heartbeat_says_how_a_monitor_is(case: Case) -> None:
    case.database.add(9, status=NotificationStatus.FAILED)
    async with case.worker():
        await apply(case, a_config(case))
        await run_exactly(case, ALL)

        async def well() -> bool:
            found = await health_of(case, Monitor.REALTIME)
            return found is not None and found.failed_24h == 1 and found.last_poll_at is not None

        await eventually(well, "the heartbeat holds the counts")
        case.database.faults["poll"] += [DatabaseUnavailable("the database is away")] * 200

        async def unwell() -> PollHealth | None:
            found = await health_of(case, Monitor.REALTIME)
            return found if found is not None and found.consecutive_errors else None

        found = await eventually(unwell, "the heartbeat holds the error")
        assert found is not None
        assert (found.error_reason, found.error_message) == (
            "DatabaseUnavailable",
            "the database is away",
        )
        case.database.faults["poll"].clear()
        await stop(case)


async def test_an_idle_enterprise_costs_little_history(case: Case) -> None:
    """Start and settling apart: events in ten seconds of idling, of all four workflows, scaled to a minute."""
    async with case.worker():
        await apply(case, a_config(case))
        await run_exactly(case, ALL)
        names = [ids.orchestration_workflow_id(case.enterprise.id)]
        names += [monitor_id(m, case.enterprise.id) for m in Monitor]

        async def counted() -> tuple[int, int]:
            found = [await case.client.get_workflow_handle(n).describe() for n in names]
            return sum(f.history_length for f in found), len({f.run_id for f in found})

        async def settled() -> bool:
            before = await counted()
            polls = len(case.database.calls)

            async def polled() -> bool:
                return len(case.database.calls) > polls + 3

            await eventually(polled, "some polls")
            return before == await counted()

        await eventually(settled, "nothing is going on")
        before, _ = await counted()
        polls = len(case.database.calls)

        async def many_polls() -> bool:
            return len(case.database.calls) >= polls + 80

        await eventually(many_polls, "about ten seconds of polls", 30)
        after, _ = await counted()
        await stop(case)
    assert (after - before) * 6 < 12
    assert after < 40
