"""Editing, breaking and deleting objects on the whole stack: what a person sees, and what is left in Temporal."""

import time
import uuid

import pytest
from support.world import World, eventually
from temporalio.client import Client

from xnovu.core import ids

pytestmark = [pytest.mark.e2e, pytest.mark.stack, pytest.mark.timeout(180)]


async def _client(world: World) -> Client:
    return await Client.connect(
        world.stack.temporal.address, namespace=world.stack.temporal.namespace
    )


async def test_an_edited_cron_changes_the_schedule_within_two_seconds(world: World) -> None:
    tenant = world.tenant()
    world.rule(tenant, "bell", {"cron": "0 9 * * *"})
    world.until_ready(tenant.rule_path("bell"))
    client = await _client(world)
    handle = client.get_schedule_handle(ids.resource_schedule_id(tenant.namespace, "bell"))
    assert (await handle.describe()).schedule.spec.calendars[0].hour[0].start == 9

    begun = time.monotonic()
    world.patch(tenant.rule_path("bell"), {"spec": {"schedule": {"cron": "0 17 * * *"}}})
    while (await handle.describe()).schedule.spec.calendars[0].hour[0].start != 17:
        assert time.monotonic() - begun < 2, "the Schedule did not change within 2 s"


async def test_a_deleted_enterprise_leaves_no_workflow_and_no_schedule(world: World) -> None:
    tenant = world.tenant()
    world.rule(tenant, "bell", {"cron": "0 9 * * *"})
    world.until_ready(tenant.rule_path("bell"))
    world.until_ready(tenant.path)
    client = await _client(world)
    schedule = client.get_schedule_handle(ids.resource_schedule_id(tenant.namespace, "bell"))
    await schedule.describe()

    world.delete(tenant.path)
    eventually(lambda: not world.exists(tenant.path), "the Enterprise is gone", within=60)
    with pytest.raises(Exception, match="not found"):
        await schedule.describe()
    for workflow_id in (
        ids.orchestration_workflow_id(tenant.id),
        ids.realtime_workflow_id(tenant.id),
        ids.scheduled_workflow_id(tenant.id),
        ids.cron_workflow_id(tenant.id),
    ):
        assert (await client.get_workflow_handle(workflow_id).describe()).status.name != "RUNNING"
    found = eventually(
        lambda: (
            (c := world.condition(tenant.rule_path("bell"), "Stalled")).get("status") == "True"
            and c
        ),
        "the rule says so",
    )
    assert found["reason"] == "EnterpriseNotFound"


@pytest.mark.parametrize(
    ("schedule", "reason", "hint"),
    [
        ({"cron": "0 9 * * *", "timeZone": "Mars/Olympus"}, "ScheduleInvalid", "IANA"),
        ({"cron": "0 9 32 * *"}, "ScheduleInvalid", "32"),
    ],
    ids=["unknown zone", "bad cron"],
)
def test_a_wrong_rule_says_what_to_do_and_costs_its_neighbour_nothing(
    world: World, schedule: dict[str, str], reason: str, hint: str
) -> None:
    tenant = world.tenant()
    world.rule(tenant, "wrong", schedule)
    world.rule(tenant, "right", {"cron": "0 9 * * *"})
    world.until_ready(tenant.rule_path("right"))
    found = world.until_ready(tenant.rule_path("wrong"), status="False")
    assert found["reason"] == reason
    assert hint in found["message"]
    assert world.condition(tenant.rule_path("wrong"), "Stalled")["status"] == "True"


def test_a_rule_without_its_enterprise_waits_for_it(world: World) -> None:
    tenant = world.tenant()
    world.apply(
        "NotificationRule",
        tenant.namespace,
        "lost",
        {
            "enterpriseRef": {"name": "nobody"},
            "schedule": {"cron": "0 9 * * *"},
            "notification": {"workflow": "notice", "recipients": ["a"]},
        },
    )
    found = world.until_ready(tenant.rule_path("lost"), status="False")
    assert found["reason"] == "EnterpriseNotFound"
    assert "create it" in found["message"]
    world.apply("Enterprise", tenant.namespace, "nobody", {"enterpriseId": str(uuid.uuid4())})
    world.until_ready(tenant.rule_path("lost"))


def test_a_bad_secret_says_so_and_costs_the_neighbour_nothing(world: World) -> None:
    tenant = world.tenant(novu={"secretRef": {"name": "keys"}})
    found = world.until_ready(tenant.path, status="False")
    assert found["reason"] == "SecretNotFound"
    assert "create it" in found["message"]

    neighbour = world.tenant()
    world.until_ready(neighbour.path)
    world.notifications(neighbour, 1)
    eventually(lambda: world.statuses(neighbour) == {"SENT": 1}, "the neighbour delivers")
