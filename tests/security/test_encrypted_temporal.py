"""With keys set, Temporal itself holds nothing that can be read; another key opens nothing, and rotation writes all anew."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes.novu import Fault
from support.canaries import schedules_in, seen_in, workflows_in
from support.orchestration import ALL, a_config, apply, health_of, run_exactly, stop
from support.temporal import Case, a_case, eventually

from xnovu.adapters.schedules import Schedules
from xnovu.adapters.temporal import connect
from xnovu.core import ids
from xnovu.core.contracts.orchestration import Monitor
from xnovu.core.contracts.rules import NotificationTemplate, ResourceRule, RuleExecutionInput
from xnovu.core.errors import NovuRejected, PayloadsUnreadable
from xnovu.core.schedules import Owner, Step, Timing, WantedSchedule, plan_schedule
from xnovu.settings import TemporalSettings

pytestmark = pytest.mark.stack

SAID = "canary-said-by-novu"
SENT = "canary-what-a-rule-sends"


async def a_case_with(address: str, folder: Path, active: str | None) -> Case:
    return await a_case(address, codec_keys_dir=folder, codec_active_key=active)


def with_keys(case: Case, folder: Path, active: str | None) -> TemporalSettings:
    return case.settings.temporal.model_copy(
        update={"codec_keys_dir": folder, "codec_active_key": active}
    )


def query(case: Case) -> str:
    return f"{ids.SEARCH_ATTRIBUTE_ENTERPRISE} = '{case.enterprise.id}'"


def a_wish(case: Case) -> WantedSchedule:
    resource = ResourceRule(
        namespace="test",
        name="bell",
        uid="5a0c",
        notification=NotificationTemplate(workflow="welcome", payload={"text": SENT}),
    )
    action = RuleExecutionInput(
        enterprise=case.enterprise, rule_key="nrule:5a0c", time_zone="UTC", resource=resource
    )
    return WantedSchedule(
        id=f"xnovu.test.{case.enterprise.id}",
        owner=Owner(cluster="cluster", uid="5a0c"),
        timing=Timing(time_zone="UTC", at=datetime.now(UTC) + timedelta(days=300)),
        action=action,
        catch_up_window=timedelta(hours=1),
    )


async def test_histories_heartbeats_and_failures_hold_nothing_that_can_be_read(
    temporal_address: str, keys: Any
) -> None:
    case = await a_case_with(temporal_address, keys("keys", "k1"), "k1")
    case.novu.script = [Fault(NovuRejected(SAID))]
    case.database.add(1)
    case.database.add(2)
    async with case.worker():
        await apply(case, a_config(case))
        await run_exactly(case, ALL)

        async def healthy() -> bool:
            found = await health_of(case, Monitor.REALTIME)
            return found is not None and found.last_poll_at is not None

        await eventually(healthy, "a heartbeat is read through the codec")

        async def both_ended() -> bool:
            return {r.status for r in case.database.rows.values()} == {"FAILED", "SENT"}

        await eventually(both_ended, "one is delivered and one refused")
        assert SAID in str([row.error_details for row in case.database.rows.values()])
        await stop(case)

    async def listed() -> list[tuple[str, str]]:
        # Visibility is late: two deliveries and three monitors.
        found = [item async for item in workflows_in(case.client, query(case))]
        return found if len(found) >= 5 else []

    for name, text in await eventually(listed, "all runs are listed"):
        assert not seen_in(text, [SAID, "pollInterval", "poll_interval", "maximum_attempts"]), name
        assert "encryption-key-id" in text, name


async def test_what_a_rule_sends_is_not_readable_in_its_schedule_and_reconciling_is_quiet(
    temporal_address: str, keys: Any
) -> None:
    folder = keys("keys", "k1", "k2")
    case = await a_case_with(temporal_address, folder, "k1")
    wish = a_wish(case)
    schedules = Schedules(case.client, case.queue)
    await schedules.create(wish)
    found = await schedules.find(wish.id)
    assert found is not None
    assert found.owner == wish.owner
    assert plan_schedule(wish, found) is Step.NOTHING

    async def texts(holding: str) -> list[tuple[str, str]]:
        found = [item async for item in schedules_in(case.client, query(case))]
        return found if found and holding in found[0][1] else []

    ((_, text),) = await eventually(lambda: texts("k1:"), "the Schedule is listed")
    assert not seen_in(text, [SENT, wish.digest])

    # The new key writes it anew, so that nothing needs the old one.
    rotated = Schedules(await connect(with_keys(case, folder, "k2")), case.queue)
    old = await rotated.find(wish.id)
    assert old is not None
    assert plan_schedule(wish, old) is Step.UPDATE
    await rotated.update(wish)
    (folder / "k1").unlink()
    alone = Schedules(await connect(with_keys(case, folder, "k2")), case.queue)

    async def settled() -> bool:
        # An update is carried out by the Schedule's own workflow, a moment after it was accepted.
        new = await alone.find(wish.id)
        assert new is not None
        assert new.owner == wish.owner
        return plan_schedule(wish, new) is Step.NOTHING

    await eventually(settled, "the Schedule is written anew")
    ((_, text),) = await eventually(lambda: texts("k2:"), "the listing has followed")
    # With its colon: two letters alone stand in any base64 now and then.
    assert not seen_in(text, [SENT, wish.digest, "k1:"])
    await alone.delete(wish.id)


async def test_without_keys_the_same_search_finds_what_a_rule_sends(temporal_address: str) -> None:
    """The search itself can fail: a plain Schedule holds it all."""
    case = await a_case(temporal_address)
    wish = a_wish(case)
    schedules = Schedules(case.client, case.queue)
    await schedules.create(wish)

    async def texts() -> list[tuple[str, str]]:
        return [item async for item in schedules_in(case.client, query(case))]

    ((_, text),) = await eventually(texts, "the Schedule is listed")
    assert seen_in(text, [SENT, wish.digest]) == {SENT, wish.digest}
    await schedules.delete(wish.id)


async def test_a_worker_with_another_key_does_nothing_and_names_it_and_the_right_one_goes_on(
    temporal_address: str, keys: Any, caplog: pytest.LogCaptureFixture
) -> None:
    right, wrong = keys("right", "k1"), keys("wrong", "k9")
    case = await a_case_with(temporal_address, right, "k1")
    row = case.database.add(1)
    handle = await case.start(row)
    ours = case.client
    case.client = await connect(with_keys(case, wrong, "k9"))
    with pytest.raises(PayloadsUnreadable, match="'k1'"):
        async with asyncio.timeout(10):
            await _history_decoded(case, handle.id)
    async with case.worker():

        async def named() -> bool:
            return "'k1'" in caplog.text

        await eventually(named, "the worker's log names the key")
        assert row.status == "PENDING"
        assert case.novu.requests == []
    case.client = ours
    async with case.worker(), asyncio.timeout(40):
        await handle.result()
    assert row.status == "SENT"


async def _history_decoded(case: Case, workflow_id: str) -> None:
    history = await case.client.get_workflow_handle(workflow_id).fetch_history()
    given = history.events[0].workflow_execution_started_event_attributes.input.payloads
    await case.client.data_converter.decode(given)


async def test_what_began_plain_goes_on_when_encryption_is_switched_on(
    temporal_address: str, keys: Any
) -> None:
    case = await a_case(temporal_address)
    row = case.database.add(1)
    handle = await case.start(row)
    case.client = await connect(with_keys(case, keys("keys", "k1"), "k1"))
    async with case.worker(), asyncio.timeout(40):
        await case.client.get_workflow_handle(handle.id).result()
    assert row.status == "SENT"
