"""Many tenants on the whole stack: a flood costs the others little, what is urgent goes first, a rate is kept."""

import time
from datetime import datetime

import pytest
from support.world import Tenant, World, eventually

pytestmark = [pytest.mark.e2e, pytest.mark.stack, pytest.mark.timeout(300)]


def waits(world: World, tenant: Tenant) -> list[float]:
    """Seconds from each row's insert to Novu's acceptance, sorted."""
    accepted = world.accepted_at(tenant)
    return sorted(
        (accepted[row["id"]] - datetime.fromisoformat(row["created_at"])).total_seconds()
        for row in world.rows(tenant)
    )


def one_a_second(world: World, tenant: Tenant, count: int) -> None:
    """A row a second, whatever becomes of it."""
    begun = time.monotonic()
    before = len(world.rows(tenant))
    for number in range(count):
        world.notifications(tenant, 1)
        eventually(lambda number=number: time.monotonic() >= begun + number + 1, "a second is over")
    eventually(
        lambda: len(world.accepted_at(tenant)) == before + count, "all are accepted", within=60
    )


def test_a_flood_of_one_tenant_does_not_make_another_wait(world: World) -> None:
    quiet, loud = world.tenant(), world.tenant()
    for tenant in (quiet, loud):
        world.until_ready(tenant.path)
    one_a_second(world, quiet, 8)
    alone = waits(world, quiet)
    for _ in range(4):
        world.notifications(loud, 500)
    one_a_second(world, quiet, 8)
    beside = sorted(waits(world, quiet))
    print(f"slowest alone {alone[-1]:.2f} s, beside a flood {beside[-1]:.2f} s")  # noqa: T201
    # Measured figures are in docs; a busy machine gets a margin here.
    assert beside[-1] <= max(3 * alone[-1], 3.0), (alone, beside)
    eventually(lambda: world.statuses(loud) == {"SENT": 2000}, "the flood arrives", within=120)
    assert set(world.delivered(loud).values()) == {1}


def test_what_is_urgent_goes_before_what_came_first(world: World) -> None:
    tenant = world.tenant(suspend=True, delivery={"ratePerSecond": 5})
    urgent = world.insert(
        "typ_notification_priority",
        [
            {
                "name": f"urgent {tenant.name}",
                "code": f"urgent-{tenant.name}",
                "sort_order": 5,
                "enterprise_id": tenant.id,
                "publish_status": "PUBLISH",
            }
        ],
    )[0]["id"]
    early = world.notifications(tenant, 15)
    late = world.notifications(tenant, 5, typ_notification_priority_id=urgent)
    begun = time.monotonic()
    world.patch(tenant.path, {"spec": {"suspend": False}})
    eventually(lambda: world.statuses(tenant)["SENT"] == 20, "all are sent", within=60)
    seconds = time.monotonic() - begun
    # Novu accepts first and shows it a moment later.
    eventually(lambda: len(world.accepted_at(tenant)) == 20, "the ledger shows all")
    accepted = world.accepted_at(tenant)
    assert max(accepted[n] for n in late) < min(accepted[n] for n in early)
    # Five at once, then five a second.
    assert seconds >= 2.5
    times = sorted(accepted.values())
    assert (times[-1] - times[4]).total_seconds() >= 2.5
