"""A NotificationRule and its Schedule in Temporal: made, changed, paused, removed."""

import time

import pytest
from support.operation import Site
from support.operator_process import eventually

from xnovu.core.ids import resource_schedule_id

pytestmark = pytest.mark.stack


@pytest.fixture(autouse=True)
def _acme(site: Site) -> None:
    site.put(site.enterprise())
    site.ready("enterprises", "acme")


async def test_a_rule_becomes_a_schedule_that_says_whose_it_is(site: Site) -> None:
    site.put(site.rule("made"))
    site.ready("notificationrules", "made")
    found = await site.schedule("made")
    stored = site.get("notificationrules", "made")
    assert found is not None
    assert found.owner is not None
    assert stored is not None
    assert found.owner.uid == stored["metadata"]["uid"]
    assert stored["status"]["scheduleId"] == resource_schedule_id(site.namespace, "made")
    assert stored["status"]["nextRuns"][0].endswith("-01-01T08:00:00+00:00")


async def test_an_edit_reaches_temporal_within_two_seconds(site: Site) -> None:
    site.put(site.rule("edited"))
    site.ready("notificationrules", "edited")
    before = await site.schedule("edited")
    began = time.monotonic()
    site.put(site.rule("edited", spec__schedule__cron="30 9 1 1 *"))
    site.ready("notificationrules", "edited")
    assert time.monotonic() - began < 2
    after = await site.schedule("edited")
    assert before is not None
    assert after is not None
    assert before.digest != after.digest
    assert (after.next_runs[0].hour, after.next_runs[0].minute) == (9, 30)


async def test_suspend_pauses_and_its_absence_lets_run_again(site: Site) -> None:
    site.put(site.rule("paused", spec__suspend=True))
    site.condition("notificationrules", "paused", "Suspended", "Suspended")
    found = await site.schedule("paused")
    assert found is not None
    assert found.paused
    assert "suspended" in found.note
    site.put(site.rule("paused"))
    site.condition("notificationrules", "paused", "Suspended", "NotSuspended")
    found = await site.schedule("paused")
    assert found is not None
    assert not found.paused


async def test_a_pause_made_in_temporal_is_respected_until_the_rule_says_false(site: Site) -> None:
    site.put(site.rule("held"))
    site.ready("notificationrules", "held")
    client = await site.client()
    handle = client.get_schedule_handle(resource_schedule_id(site.namespace, "held"))
    await handle.pause(note="a person")
    site.condition("notificationrules", "held", "Suspended", "PausedInTemporal")
    site.put(site.rule("held", spec__schedule__cron="0 9 1 1 *"))
    site.condition("notificationrules", "held", "Suspended", "PausedInTemporal")
    found = await site.schedule("held")
    assert found is not None
    assert found.paused
    site.put(site.rule("held", spec__suspend=False))
    site.condition("notificationrules", "held", "Suspended", "NotSuspended")


async def test_what_only_a_person_can_mend_stalls_one_rule_and_no_neighbour(site: Site) -> None:
    site.put(site.rule("neighbour"), site.rule("wrong"))
    site.ready("notificationrules", "wrong")
    site.put(site.rule("wrong", spec__schedule__timeZone="Mars/Base"))
    stalled = site.condition("notificationrules", "wrong", "Stalled", "ScheduleInvalid")
    assert stalled["status"] == "True"
    assert "Mars/Base" in stalled["message"]
    assert await site.schedule("wrong") is None
    site.put(site.rule("wrong", spec__schedule__cron="0 8 31 2 *"))
    site.condition("notificationrules", "wrong", "Stalled", "ScheduleInvalid")
    site.ready("notificationrules", "neighbour")
    site.put(site.rule("wrong"))
    site.ready("notificationrules", "wrong")


async def test_a_rule_without_its_enterprise_waits_for_it(site: Site) -> None:
    site.put(site.rule("early", spec__enterpriseRef__name="later"))
    stalled = site.condition("notificationrules", "early", "Stalled", "EnterpriseNotFound")
    assert "later" in stalled["message"]
    other = "00000000-0000-4000-8000-" + site.enterprise_id[-12:]
    site.put(site.enterprise("later", spec__enterpriseId=other))
    site.ready("notificationrules", "early")
    site.delete("enterprises", "later")
    site.gone("enterprises", "later")


async def test_a_deleted_rule_takes_its_schedule_along(site: Site) -> None:
    site.put(site.rule("leaving"))
    site.ready("notificationrules", "leaving")
    site.delete("notificationrules", "leaving")
    site.gone("notificationrules", "leaving")
    assert await site.schedule("leaving") is None


async def test_the_schedule_of_somebody_else_is_refused_and_taken_over_when_asked(
    site: Site,
) -> None:
    site.put(site.rule("twice"))
    site.ready("notificationrules", "twice")
    first = site.get("notificationrules", "twice")
    assert first is not None
    site.put(site.rule("twice", spec__deletionPolicy="Orphan"))
    site.ready("notificationrules", "twice")
    site.delete("notificationrules", "twice")
    site.gone("notificationrules", "twice")
    site.put(site.rule("twice"))
    site.condition("notificationrules", "twice", "Stalled", "Conflict")
    found = await site.schedule("twice")
    assert found is not None
    assert found.owner is not None
    assert found.owner.uid == first["metadata"]["uid"]
    site.put(site.rule("twice", spec__adoptionPolicy="Always"))
    site.ready("notificationrules", "twice")
    found = await site.schedule("twice")
    second = site.get("notificationrules", "twice")
    assert found is not None
    assert found.owner is not None
    assert second is not None
    assert found.owner.uid == second["metadata"]["uid"]


async def test_a_trigger_runs_once_and_is_remembered(site: Site) -> None:
    wish = {"metadata.annotations": {"xnovu.io/trigger-requested-at": "now"}}
    site.put(site.rule("asked", **{k.replace(".", "__"): v for k, v in wish.items()}))
    eventually(
        lambda: (
            (site.get("notificationrules", "asked") or {})
            .get("status", {})
            .get("lastHandledTrigger")
            == "now"
        ),
        "the trigger is remembered",
    )
    client = await site.client()
    handle = client.get_schedule_handle(resource_schedule_id(site.namespace, "asked"))
    description = await handle.describe()
    assert description.info.num_actions == 1
