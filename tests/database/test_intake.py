"""What a poll finds, in the database's own words: nothing is missed, nothing is asked for too much."""

import asyncio
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.types.json import Jsonb
from support.rows import Database, Rows

from xnovu.adapters.supabase import SupabaseDatabase
from xnovu.core.records import DeliveryCounts

pytestmark = pytest.mark.stack


async def due(database: SupabaseDatabase, rows: Rows, **changes: object) -> list[int]:
    answer = await database.poll(rows.ask(**changes))
    return [row.id for row in answer.due]


async def test_a_row_that_commits_late_with_a_lower_id_is_found(
    database: SupabaseDatabase, rows: Rows, postgres_dsn: str
) -> None:
    with psycopg.connect(postgres_dsn) as slow:
        late = Rows(slow, rows.enterprise).notification()
        early = rows.notification()
        assert late < early
        assert await due(database, rows) == [early]
        slow.commit()
    assert await due(database, rows) == [late, early]


async def test_only_what_is_published_due_and_not_deactivated_is_found(
    database: SupabaseDatabase, rows: Rows
) -> None:
    rows.notification(publish_status="DRAFT")
    rows.notification(deactivated=True)
    rows.notification(notification_status="SENT")
    rows.other().notification()
    wanted = rows.notification()
    assert await due(database, rows) == [wanted]
    assert await due(database, rows, kind="scheduled") == []


async def test_scheduled_rows_are_found_when_their_time_has_come(
    database: SupabaseDatabase, rows: Rows
) -> None:
    now = datetime.now(UTC)
    past = rows.notification(scheduled_for=now - timedelta(minutes=1))
    rows.notification(scheduled_for=now + timedelta(hours=1))
    rows.notification(scheduled_for="infinity")
    answer = await database.poll(rows.ask(kind="scheduled"))
    assert [row.id for row in answer.due] == [past]
    assert answer.next_due_seconds == pytest.approx(3600, abs=60)
    assert answer.lag_seconds == pytest.approx(60, abs=30)
    assert await due(database, rows) == []


async def test_times_that_python_cannot_hold_stop_nothing(
    database: SupabaseDatabase, rows: Rows
) -> None:
    odd = rows.notification(scheduled_for="-infinity")
    rows.notification(scheduled_for="infinity")
    answer = await database.poll(rows.ask(kind="scheduled"))
    assert [row.id for row in answer.due] == [odd]
    assert answer.next_due_seconds is None
    (claimed,) = await database.claim([rows.claim(odd)])
    assert claimed.notification is not None
    assert claimed.notification.due_at.year == 1970


async def test_the_urgent_come_first_and_the_order_among_equals_is_the_id(
    database: SupabaseDatabase, rows: Rows
) -> None:
    def priority(order: int) -> int:
        return int(
            rows.one(
                "insert into notify.typ_notification_priority (name, sort_order, enterprise_id)"
                " values (%s, %s, %s) returning id",
                f"p{order}", order, rows.enterprise,
            )
        )  # fmt: skip

    lowest, plain, plain_again, urgent = (
        rows.notification(typ_notification_priority_id=priority(1)),
        rows.notification(),
        rows.notification(),
        rows.notification(typ_notification_priority_id=priority(9)),
    )
    answer = await database.poll(rows.ask())
    assert [(r.id, r.priority) for r in answer.due] == [
        (urgent, 1), (plain, 3), (plain_again, 3), (lowest, 5),
    ]  # fmt: skip
    assert await due(database, rows, limit=1) == [urgent]


async def test_no_more_is_answered_than_there_is_room_for_and_the_lag_is_still_told(
    database: SupabaseDatabase, rows: Rows
) -> None:
    ids = [rows.notification() for _ in range(4)]
    await database.claim([rows.claim(ids[0])])
    assert await due(database, rows, max_in_flight=3) == ids[1:3]
    full = await database.poll(rows.ask(max_in_flight=1))
    assert full.due == ()
    assert full.lag_seconds is not None


async def test_a_thousand_rows_of_one_statement_are_polled_and_claimed_in_batches(
    database: SupabaseDatabase, rows: Rows
) -> None:
    rows.execute(
        "insert into notify.ent_notification (name, enterprise_id, publish_status, payload, recipients)"
        " select 'bulk ' || n, %s, 'PUBLISH', '{}', '{}' from generate_series(1, 1000) n",
        rows.enterprise,
    )
    seen: list[int] = []
    while batch := await due(database, rows, limit=250, max_in_flight=5000):
        answers = await database.claim([rows.claim(i) for i in batch])
        assert {a.outcome for a in answers} == {"Claimed"}
        assert [a.notification_id for a in answers] == batch
        seen += batch
    assert len(seen) == len(set(seen)) == 1000


async def test_what_was_withdrawn_and_what_was_left_behind_is_answered_when_asked_for(
    database: SupabaseDatabase, rows: Rows
) -> None:
    untouched, withdrawn, stale, busy = (rows.notification() for _ in range(4))
    await database.claim([rows.claim(i) for i in (withdrawn, stale, busy)])
    retract = (
        "update notify.ent_notification set notification_status = 'RETRACTED' where id = any(%s)"
    )
    rows.execute(retract, [untouched, withdrawn])
    rows.execute(
        "update notify.ent_notification set lease_expires_at = now() - interval '1 s' where id = %s",
        stale,
    )
    answer = await database.poll(rows.ask(withdrawn=True, sweep=True))
    assert answer.withdrawn == (withdrawn,)
    assert answer.stale == (stale,)
    await database.settle_retraction(withdrawn, {"cancelled": True})
    again = await database.poll(rows.ask(withdrawn=True))
    assert (again.withdrawn, again.stale) == ((), ())


async def test_the_counts_are_of_this_enterprise(database: SupabaseDatabase, rows: Rows) -> None:
    rows.other().notification()
    rows.notification(scheduled_for=datetime.now(UTC) - timedelta(minutes=1))
    rows.notification(scheduled_for=datetime.now(UTC) + timedelta(minutes=5))
    ids = [rows.notification() for _ in range(4)]
    await database.claim([rows.claim(i) for i in ids[:3]])
    await database.finish([rows.finish(ids[0]), rows.finish(ids[1], "FAILED")])
    answer = await database.poll(rows.ask(counts=True))
    assert answer.counts == DeliveryCounts(pending=2, processing=1, sent_24h=1, failed_24h=1)


async def test_a_shadow_poll_leaves_out_what_is_on_record(
    database: SupabaseDatabase, rows: Rows
) -> None:
    first, second = rows.notification(), rows.notification()
    await database.record_shadow(first, {"digest": "x"})
    assert await due(database, rows, shadow=True) == [second]
    assert await due(database, rows) == [first, second]
    await database.record_shadow(first, {"digest": "y"})
    kept = rows.one("select shadow_report from notify.ent_notification where id = %s", first)
    assert kept == {"digest": "x"}


async def test_polls_of_many_enterprises_get_each_their_own_answer(
    database_of: Database, rows: Rows
) -> None:
    all_rows = [rows, *(rows.other() for _ in range(9))]
    ids = [r.notification() for r in all_rows]
    answers = await asyncio.gather(*(database_of(r).poll(r.ask()) for r in all_rows))
    assert [a.due[0].id for a in answers] == ids


@pytest.mark.parametrize(
    ("kind", "index"),
    [("realtime", "ent_notification_due_idx"), ("scheduled", "ent_notification_scheduled_idx")],
)
def test_intake_reads_a_partial_index_however_large_the_table(
    rows: Rows, kind: str, index: str
) -> None:
    rows.execute(
        "insert into notify.ent_notification"
        " (name, enterprise_id, publish_status, notification_status, payload, recipients, scheduled_for)"
        " select 'done ' || n, %s, 'PUBLISH', 'SENT', '{}', '{}', case when n %% 2 = 0 then now() end"
        " from generate_series(1, 5000) n",
        rows.enterprise,
    )
    rows.notification()
    rows.execute("analyze notify.ent_notification")
    scans = "select coalesce(idx_scan, 0) from pg_stat_user_indexes where indexrelname = %s"
    whole = "select seq_scan from pg_stat_user_tables where relname = 'ent_notification'"
    with rows.connection.transaction():
        rows.execute("select pg_stat_force_next_flush()")
    before, before_whole = rows.one(scans, index), rows.one(whole)
    request = Jsonb(
        [{"enterprise_id": rows.enterprise, "kind": kind, "limit": 10, "max_in_flight": 10}]
    )
    for _ in range(8):  # beyond the fifth, when Postgres may choose a generic plan
        rows.execute("select notify.poll(%s)", request)
    rows.execute("select pg_stat_force_next_flush()")
    assert rows.one(scans, index) >= before + 8
    assert rows.one(whole) == before_whole
