"""Partial success, the delivery log and the sweep in the database: kept over replays, recorded once, each to its owner."""

from dataclasses import replace
from typing import Any

import pytest
from psycopg.types.json import Jsonb
from support.rows import Database, Rows

from xnovu.adapters.supabase import SupabaseDatabase
from xnovu.core.records import Delivery, FeedRecord

pytestmark = pytest.mark.stack


async def sent(database: SupabaseDatabase, rows: Rows, status: Any = "SENT", **columns: Any) -> int:
    n = rows.notification(**columns)
    await database.claim([rows.claim(n)])
    await database.finish([rows.finish(n, status)])
    return n


def due_now(rows: Rows, notification: int) -> None:
    rows.execute(
        "update notify.ent_notification set feed_due_at = now() where id = %s", notification
    )


def column(rows: Rows, notification: int, name: str) -> Any:
    return rows.one(
        "select to_jsonb(n) -> %s from notify.ent_notification n where id = %s", name, notification
    )


def a_record(notification: int, **changes: Any) -> FeedRecord:
    plain = FeedRecord(
        notification, 0, 0, 540.0, {"received": 0}, "NobodyReceived",
        (Delivery(0, "ada", "EMAIL", "Failed", "no provider", "xn-1"),),
    )  # fmt: skip
    return replace(plain, **changes)


async def test_a_replay_remembers_whom_the_failed_generation_reached(
    database: SupabaseDatabase, rows: Rows
) -> None:
    n = rows.notification()
    await database.claim([rows.claim(n)])
    state = {
        "recipients": ["ada"],
        "topics": ["all"],
        "unclear": [{"transactions": ["xn-1"], "topics": ["some"]}],
    }
    await database.finish([replace(rows.finish(n, "FAILED"), delivery_state=state)])
    await database.note_round(n, 2)
    await database.note_round(n, 1)
    rows.one("select notify.replay_notification(%s, %s)", rows.enterprise, n)
    (claimed,) = await database.claim([rows.claim(n)])
    found = claimed.notification
    assert found is not None
    assert (found.reached, found.reached_topics, found.rounds) == (("ada",), ("all",), 2)
    assert found.unclear[0].transactions == ("xn-1",)
    assert found.unclear[0].topics == ("some",)
    assert (await database.fetch(n)).notification == found
    await database.finish([rows.finish(n, "FAILED", generation=1)])
    assert column(rows, n, "delivery_state") == state


async def test_what_was_sent_is_due_for_a_look_and_what_failed_whole_is_not(
    database_of: Database, rows: Rows
) -> None:
    database = SupabaseDatabase(database_of(rows)._gateway, rows.enterprise, 300, 0.0)
    gone, nobody = await sent(database, rows), await sent(database, rows, "FAILED")
    part = rows.notification()
    await database.claim([rows.claim(part)])
    partly = {"recipients": ["ada"], "topics": [], "unclear": []}
    await database.finish([replace(rows.finish(part, "FAILED"), delivery_state=partly)])
    found = await database.due_feeds(10)
    assert [r.notification.id for r in found.rows] == [gone, part]
    assert column(rows, nobody, "feed_due_at") is None
    assert found.rows[0].checks == 0
    assert 0 <= found.rows[0].age_seconds < 60


async def test_without_a_delay_nothing_is_due(database: SupabaseDatabase, rows: Rows) -> None:
    await sent(database, rows)
    found = await database.due_feeds(10)
    assert (found.rows, found.next_due_seconds) == ((), None)


async def test_a_look_is_recorded_once(database: SupabaseDatabase, rows: Rows) -> None:
    n = await sent(database, rows)
    due_now(rows, n)
    assert await database.record_deliveries(a_record(n))
    assert not await database.record_deliveries(a_record(n, problem=None))
    assert not await database.record_deliveries(a_record(n, checks=1, generation=1))
    found = await database.due_feeds(10)
    assert (found.rows, found.unreached_24h) == ((), 1)
    assert found.next_due_seconds is not None
    assert 500 < found.next_due_seconds <= 540
    assert rows.status(n) == "SENT"
    arrived = (Delivery(0, "ada", "EMAIL", "Delivered", "sent", "xn-1"),)
    last = a_record(n, checks=1, next_seconds=None, problem=None, deliveries=arrived)
    assert await database.record_deliveries(last)
    log = "select status || ' ' || detail from notify.notification_delivery where notification_id = %s"
    assert rows.one(log, n) == "Delivered sent"
    assert (await database.due_feeds(10)).unreached_24h == 0
    assert (column(rows, n, "feed_due_at"), column(rows, n, "feed_checks")) == (None, 2)


async def test_what_was_withdrawn_or_replayed_is_not_looked_at(
    database: SupabaseDatabase, rows: Rows
) -> None:
    gone, again = await sent(database, rows), await sent(database, rows, "FAILED")
    due_now(rows, gone)
    due_now(rows, again)
    rows.one("select notify.retract_notification(%s, %s, '')", rows.enterprise, gone)
    rows.one("select notify.replay_notification(%s, %s)", rows.enterprise, again)
    assert (await database.due_feeds(10)).rows == ()
    assert not await database.record_deliveries(a_record(gone))


async def test_a_large_table_is_not_read_for_what_is_due(
    database: SupabaseDatabase, rows: Rows
) -> None:
    rows.execute(
        "insert into notify.ent_notification"
        " (name, enterprise_id, publish_status, notification_status, payload, recipients, processed_at)"
        " select 'done ' || n, %s, 'PUBLISH', 'SENT', '{}', '{}', now() from generate_series(1, 5000) n",
        rows.enterprise,
    )
    rows.execute("analyze notify.ent_notification")
    whole = "select seq_scan from pg_stat_user_tables where relname = 'ent_notification'"
    rows.execute("select pg_stat_force_next_flush()")
    before = rows.one(whole)
    for _ in range(8):
        rows.execute("select notify.due_feeds(%s, 10)", rows.enterprise)
    rows.execute("select pg_stat_force_next_flush()")
    assert rows.one(whole) == before


def stale(rows: Rows, notification: int, installation: str | None) -> None:
    owner = None if installation is None else rows.owner(notification, installation)
    rows.execute(
        "update notify.ent_notification set notification_status = 'PROCESSING', claim_owner = %s,"
        " lease_expires_at = now() - interval '1 second' where id = %s",
        owner,
        notification,
    )


async def test_a_sweep_finds_our_own_and_counts_the_others(
    database: SupabaseDatabase, rows: Rows
) -> None:
    ours, nobodys, theirs, busy = (rows.notification() for _ in range(4))
    stale(rows, ours, "default@a")
    stale(rows, nobodys, None)
    stale(rows, theirs, "default@b")
    await database.claim([rows.claim(busy, "default@a")])
    rows.execute("update notify.ent_notification set updated_at = now() where id = %s", nobodys)
    found = await database.sweep("default@a", 10)
    assert (found.stale, found.foreign_count, found.foreign_owners) == (
        (ours, nobodys),
        1,
        ("default@b",),
    )
    (claimed,) = await database.claim([rows.claim(theirs, "default@a")])
    assert claimed.outcome == "Foreign"
    await database.extend_leases([ours, nobodys, theirs])
    assert (await database.sweep("default@a", 10)).stale == ()


async def test_one_that_lives_does_not_keep_the_others_from_their_turn(
    database: SupabaseDatabase, rows: Rows
) -> None:
    ids = [rows.notification() for _ in range(3)]
    for n in ids:
        stale(rows, n, "default@a")
    first = (await database.sweep("default@a", 2)).stale
    await database.extend_leases(first)
    assert (await database.sweep("default@a", 2)).stale == tuple(i for i in ids if i not in first)


async def test_an_installation_that_is_gone_leaves_its_rows_to_the_others(
    database: SupabaseDatabase, rows: Rows
) -> None:
    """Temporal's own database was lost: the namespace comes back under another id, and would never own them."""
    lost, living = f"default@{rows.enterprise[:4]}x", f"default@{rows.enterprise[:4]}y"
    us = f"default@{rows.enterprise[:4]}z"
    first, second = rows.notification(), rows.notification()
    stale(rows, first, lost)
    stale(rows, second, living)
    seen = "insert into notify.installation (id, seen_at) values (%s, now() - %s::interval)"
    rows.execute(seen, lost, "16 minutes")
    rows.execute(seen, living, "14 minutes")
    found = await database.sweep(us, 10)
    assert (found.stale, found.foreign_owners) == ((first,), (living,))
    (claimed,) = await database.claim([rows.claim(first, us)])
    assert claimed.outcome == "Resumed"
    late = replace(rows.finish(first), owner=rows.owner(first, lost))
    (finished,) = await database.finish([late])
    assert finished.outcome == "Lost"
    assert rows.one("select count(*) from notify.installation where id = %s", us) == 1


async def test_no_enterprise_reaches_anothers_log(database: SupabaseDatabase, rows: Rows) -> None:
    other = rows.other()
    n = other.notification(notification_status="SENT")
    due_now(other, n)
    held = other.notification()
    stale(other, held, "default@a")
    before = [column(other, i, "updated_at") for i in (n, held)]
    assert (await database.due_feeds(10)).rows == ()
    assert not await database.record_deliveries(a_record(n))
    await database.note_round(n, 5)
    await database.extend_leases([held])
    found = await database.sweep("default@a", 10)
    assert (found.stale, found.foreign_count) == ((), 0)
    assert [column(other, i, "updated_at") for i in (n, held)] == before


def test_a_message_of_any_shape_is_kept(rows: Rows) -> None:
    """What the original wrote into the columns of ours is nothing to fall over."""
    n = rows.notification(delivery_state=Jsonb({}))
    assert (
        rows.one(
            "select notify.jdelivery(n) ->> 'reached' from notify.ent_notification n where id = %s",
            n,
        )
        == "[]"
    )
