"""What people look up and do by hand: dead letters by reason, replay by filter, one notification whole, per enterprise."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from psycopg.types.json import Jsonb
from support.rows import PERSON, Reachable, Rows

from xnovu.adapters.operations import Operations, enterprise_of
from xnovu.adapters.supabase import PostgrestGateway, http_client
from xnovu.core.errors import Conflict, NotificationNotFound
from xnovu.core.inspection import DeadFilter

pytestmark = pytest.mark.stack
NOW = datetime.now(UTC)


@pytest.fixture
async def gateway(supabase: Reachable) -> AsyncIterator[PostgrestGateway]:
    async with http_client() as http:
        yield PostgrestGateway(http, supabase.url, supabase.service_role_key)


@pytest.fixture
def operations(gateway: PostgrestGateway, rows: Rows) -> Operations:
    return Operations(gateway, rows.enterprise)


def failed(rows: Rows, reason: str, hours: float = 0, **columns: object) -> int:
    details = {"reason": reason, "message": f"{reason} {hours}"}
    values = {
        "notification_status": "FAILED",
        "error_details": Jsonb(details),
        "processed_at": NOW - timedelta(hours=hours),
    } | columns
    return rows.notification(**values)


async def test_nothing_of_another_enterprise_is_seen_or_touched(
    operations: Operations, rows: Rows
) -> None:
    other = rows.other()
    theirs = failed(other, "TemplateError")
    other.workflow()
    other.execute(
        "insert into notify.ent_notification_template (name, template_key, channel_type, body_template,"
        " publish_status, enterprise_id) values ('t', %s, 'SMS', 'x', 'PUBLISH', %s)",
        f"key-{other.enterprise}",
        other.enterprise,
    )
    whole = "select to_jsonb(n) from notify.ent_notification n where id = %s"
    before = rows.one(whole, theirs)
    for ask in (
        operations.describe(theirs),
        operations.retract(theirs, "x"),
        operations.replay(theirs),
    ):
        with pytest.raises(NotificationNotFound, match="is not there for enterprise"):
            await ask
    mine = DeadFilter(ids=(theirs,))
    assert (await operations.dead_letters(mine)).total == 0
    assert await operations.replay_all(mine, dry_run=True) == ()
    assert await operations.replay_all(mine, dry_run=False) == ()
    assert all(w.enterprise_id is None for w in await operations.workflows())
    assert all(t.enterprise_id is None for t in await operations.templates())
    assert rows.one(whole, theirs) == before


async def test_a_notification_tells_its_enterprise_and_nothing_else(
    gateway: PostgrestGateway, rows: Rows
) -> None:
    assert await enterprise_of(gateway, rows.notification()) == rows.enterprise
    for nobody in (rows.notification(enterprise_id=None), 2**62):
        with pytest.raises(NotificationNotFound, match="--enterprise"):
            await enterprise_of(gateway, nobody)


async def test_a_filter_is_all_of_its_parts(operations: Operations, rows: Rows) -> None:
    old, new, other = failed(rows, "A", 5), failed(rows, "A", 1), failed(rows, "B", 1)
    rows.notification(notification_status="SENT")

    async def found(**wanted: object) -> list[int]:
        letters = await operations.replay_all(DeadFilter(**wanted), dry_run=True)  # type: ignore[arg-type]
        return [letter.id for letter in letters]

    assert await found() == [old, new, other]
    assert await found(reason="A") == [old, new]
    assert await found(since=NOW - timedelta(hours=2)) == [new, other]
    assert await found(reason="A", since=NOW - timedelta(hours=2), ids=(new, other)) == [new]
    assert await found(limit=1) == [old]
    assert await found(ids=()) == []
    assert await found(reason="' or true --") == []


async def test_a_replay_takes_what_its_dry_run_showed_and_only_once(
    operations: Operations, rows: Rows
) -> None:
    ids = [failed(rows, "A", hours) for hours in (3, 2, 1)]
    wanted = DeadFilter(reason="A", limit=2)
    would = await operations.replay_all(wanted, dry_run=True)
    assert [rows.status(n) for n in ids] == ["FAILED"] * 3
    did = await operations.replay_all(wanted, dry_run=False)
    assert [d.id for d in did] == [w.id for w in would] == ids[:2]
    assert [d.generation for d in did] == [w.generation + 1 for w in would] == [1, 1]
    assert [d.reason for d in did] == ["A", "A"]
    assert [rows.status(n) for n in ids] == ["PENDING", "PENDING", "FAILED"]
    again = DeadFilter(ids=tuple(ids[:2]))
    assert await operations.replay_all(again, dry_run=False) == ()


async def test_what_somebody_else_holds_is_left_out(operations: Operations, rows: Rows) -> None:
    held, free = failed(rows, "A", 2), failed(rows, "A", 1)
    with rows.connection.transaction():
        rows.execute("select 1 from notify.ent_notification where id = %s for update", held)
        did = await operations.replay_all(DeadFilter(), dry_run=False)
    assert [d.id for d in did] == [free]
    assert rows.status(held) == "FAILED"


async def test_details_of_any_shape_have_a_reason(operations: Operations, rows: Rows) -> None:
    for details in (Jsonb([1]), Jsonb("text"), Jsonb({"error": "x"}), Jsonb({"reason": ""}), None):
        failed(rows, "A", error_details=details)
    failed(rows, "A", processed_at="infinity", error_details=Jsonb({"reason": {"deep": 1}}))
    found = await operations.dead_letters(DeadFilter())
    assert {r.reason: r.count for r in found.reasons} == {"Unknown": 5, '{"deep": 1}': 1}


async def test_a_notification_is_described_whole(operations: Operations, rows: Rows) -> None:
    workflow, key = rows.workflow()
    n = rows.notification(
        notification_workflow_id=workflow, subscribers=["not-a-uuid"], scheduled_for="infinity",
        notification_status="FAILED", error_details=Jsonb({"reason": "A", "message": "m"}),
    )  # fmt: skip
    for generation, channel in ((0, "SMS"), (1, "EMAIL")):
        rows.execute(
            "insert into notify.notification_delivery values"
            " (%s, %s, %s, 'p', %s::shared_types.notification_channel_type, 'Delivered', null, 'xn')",
            n, rows.enterprise, generation, channel,
        )  # fmt: skip
    life = await operations.describe(n)
    assert (life.workflow, life.reason, life.message) == (key, "A", "m")
    assert life.recipients == (PERSON, "not-a-uuid")
    assert [(d.generation, d.channel) for d in life.deliveries] == [(1, "EMAIL"), (0, "SMS")]
    assert life.delivery_counts == {"Delivered": 1}
    assert life.scheduled_for is not None
    theirs, _ = rows.other().workflow()
    foreign = rows.notification(notification_workflow_id=theirs)
    assert (await operations.describe(foreign)).workflow is None


async def test_withdrawing_and_replaying_say_when_it_is_too_late(
    operations: Operations, rows: Rows
) -> None:
    n = rows.notification()
    with pytest.raises(Conflict, match="is PENDING, not FAILED"):
        await operations.replay(n)
    assert await operations.retract(n, "why") is True
    assert await operations.retract(n, "again") is False


async def test_a_template_of_its_own_hides_the_global_one_of_its_key(
    operations: Operations, rows: Rows
) -> None:
    insert = (
        "insert into notify.ent_notification_template (name, template_key, channel_type, body_template,"
        " publish_status, enterprise_id) values (%s, %s, 'SMS', %s, %s::shared_types.publish_status, %s)"
    )
    key = f"key-{rows.enterprise}"
    rows.execute(insert, key, key, "global", "PUBLISH", None)
    rows.execute(insert, "draft", f"draft-{key}", "x", "DRAFT", rows.enterprise)
    found = {t.key: t.body for t in await operations.templates()}
    assert found[key] == "global"
    assert f"draft-{key}" not in found
