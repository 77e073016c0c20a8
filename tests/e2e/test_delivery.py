"""Delivery on the whole stack: a thousand rows through a killed worker, latency when idle, memory."""

import os
import signal
import statistics
from datetime import datetime

import psutil
import pytest
from support.world import World, eventually

from xnovu_dev.stack import load

pytestmark = [pytest.mark.e2e, pytest.mark.stack, pytest.mark.timeout(300)]

MIB = 1024 * 1024


def test_a_thousand_rows_are_delivered_once_although_the_worker_is_killed(
    world: World, stack_home
) -> None:
    tenant = world.tenant()
    world.until_ready(tenant.path)
    ids = world.notifications(tenant, 1000)

    eventually(lambda: len(world.delivered(tenant)) >= 200, "the first 200 arrive", within=60)
    before = len(world.delivered(tenant))
    os.kill(load(stack_home).pids["worker"], signal.SIGKILL)
    assert before < 1000, "the worker was too quick to be killed in the middle"

    eventually(
        lambda: world.statuses(tenant) == {"SENT": 1000}, "all are SENT", within=180, every=1
    )
    # Novu accepts first and delivers a moment later.
    eventually(lambda: len(world.delivered(tenant)) >= 1000, "all are in the ledger")
    delivered = world.delivered(tenant)
    assert set(delivered.values()) == {1}
    assert sorted({notification for notification, _, _ in delivered}) == sorted(ids)
    # A namespace of the same name in another cluster is another owner.
    assert all("@" in row["claim_owner"].partition("/")[0] for row in world.rows(tenant))


def test_an_idle_insert_reaches_novu_within_700_ms_at_the_median(world: World) -> None:
    tenant = world.tenant()
    world.until_ready(tenant.path)
    for count in range(1, 16):
        world.notifications(tenant, 1)
        eventually(
            lambda count=count: len(world.accepted_at(tenant)) == count, "it arrives", every=0.05
        )
    accepted = world.accepted_at(tenant)
    waits = [
        (accepted[row["id"]] - datetime.fromisoformat(row["created_at"])).total_seconds()
        for row in world.rows(tenant)
    ]
    assert statistics.median(waits) < 0.7, sorted(waits)


def test_operator_and_worker_stay_within_their_memory(world: World, stack_home) -> None:
    pids = load(stack_home).pids
    resident = {
        name: psutil.Process(pids[name]).memory_info().rss / MIB for name in ("operator", "worker")
    }
    assert resident["operator"] < 150, resident
    assert resident["worker"] < 200, resident


def test_a_withdrawn_notification_is_not_delivered(world: World) -> None:
    tenant = world.tenant(suspend=True)
    (late,) = world.notifications(tenant, 1)
    answer = world.rest.post(
        "/rpc/retract_notification",
        json={"enterprise": tenant.id, "notification": late, "reason": "a mistake"},
    )
    assert answer.json() == "RETRACTED"
    world.patch(tenant.path, {"spec": {"suspend": False}})
    world.until_ready(tenant.path)
    (other,) = world.notifications(tenant, 1)
    eventually(lambda: world.statuses(tenant)["SENT"] == 1, "the other one arrives")
    eventually(lambda: world.delivered(tenant), "Novu delivers it")
    assert {notification for notification, _, _ in world.delivered(tenant)} == {other}
