"""Two clusters on one database: neither takes the other's rows, and only one that is gone leaves its rows to the other."""

import asyncio
import uuid

import pytest
from support.orchestration import a_config
from support.real_case import IN_APP, RealCase
from support.rows import PERSON
from support.temporal import eventually

from xnovu.adapters.temporal import connect, ensure_namespace, installation
from xnovu.core.contracts.orchestration import EnterpriseConfig
from xnovu_activities import deliver
from xnovu_activities.monitors import Starter
from xnovu_activities.sweeper import Sweeper

pytestmark = pytest.mark.stack


async def another_installation(case: RealCase) -> str:
    """A second namespace of the same Temporal: what differs between clusters is the namespace's own id."""
    name = f"other-{uuid.uuid4().hex[:8]}"
    client = await connect(case.settings.temporal.model_copy(update={"namespace": name}))
    await ensure_namespace(client, manage=True)
    return await installation(client)


def left_behind(case: RealCase, notification: int) -> None:
    case.rows.execute(
        "update notify.ent_notification set lease_expires_at = now() - interval '1 second' where id = %s",
        notification,
    )


async def test_a_row_of_another_cluster_is_left_alone_until_that_one_is_gone(
    case: RealCase,
) -> None:
    them = await another_installation(case)
    assert them.partition("@")[2] != case.owner.partition("@")[2]
    n = case.rows.notification(notification_workflow_id=case.workflow(IN_APP))
    starter = Starter(case.client, case.queue)
    sweeper = Sweeper(case.tenants, starter, case.owner, case.measures)
    config: EnterpriseConfig = a_config(case)
    database = case.tenants.database(case.enterprise)
    await database.claim([case.rows.claim(n, them)])
    await database.sweep(them, 1)
    left_behind(case, n)
    async with case.worker():
        found, resumed = await sweeper.sweep(config)
        assert (found.foreign_count, found.foreign_owners, resumed) == (1, (them,), 0)
        assert (await case.deliver(n)).reason == "Foreign"
        assert case.column(n, "attempt_count") == 1
        gone = "update notify.installation set seen_at = now() - interval '1 hour' where id = %s"
        case.rows.execute(gone, them)
        found, resumed = await sweeper.sweep(config)
        assert (found.foreign_count, resumed) == (0, 1)

        async def sent() -> bool:
            return case.rows.status(n) == "SENT"

        await eventually(sent, "it is taken over, looked up and sent")
    await asyncio.to_thread(case.sandbox.settled)
    assert [d["subscriberId"] for d in case.sandbox.deliveries()] == [PERSON]
    assert (await database.finish([case.rows.finish(n)]))[0].outcome == "Lost"


async def test_a_row_of_a_run_that_was_ended_is_looked_up_and_not_sent_again(
    case: RealCase,
) -> None:
    """An operator terminated its workflow after Novu had taken it, before the status was written."""
    n = case.rows.notification(notification_workflow_id=case.workflow(IN_APP))
    sweeper = Sweeper(case.tenants, Starter(case.client, case.queue), case.owner, case.measures)
    (claimed,) = await case.tenants.database(case.enterprise).claim(
        [case.rows.claim(n, case.owner)]
    )
    assert claimed.notification is not None
    assert claimed.workflow is not None
    prepared = await deliver.prepare(
        case.tenants.database(case.enterprise), claimed.notification, claimed.workflow
    )
    await case.tenants.novu(case.enterprise).trigger(
        deliver.request_of(prepared, prepared.chunks[0])
    )
    left_behind(case, n)
    async with case.worker():
        _, resumed = await sweeper.sweep(a_config(case))
        assert resumed == 1

        async def sent() -> bool:
            return case.rows.status(n) == "SENT"

        await eventually(sent, "it is SENT")
    await asyncio.to_thread(case.sandbox.settled)
    assert len(case.sandbox.deliveries()) == 1
