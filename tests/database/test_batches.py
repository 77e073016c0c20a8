"""What the database lets a batch do, and what it keeps from everybody else while the batch lives."""

import asyncio

import pytest
from support.rows import Database, Rows

from xnovu.adapters.supabase import SupabaseDatabase
from xnovu.core.ids import batch_owner, claim_owner, released_owner
from xnovu.core.records import Claim, Finish, Release

pytestmark = pytest.mark.stack
BATCH = batch_owner("default", "one")


def by_batch(rows: Rows, number: int, owner: str = BATCH, lease: int = 60) -> Claim:
    return Claim(rows.enterprise, number, owner, lease)


async def outcome(database: SupabaseDatabase, claim: Claim) -> str:
    (claimed,) = await database.claim([claim])
    return str(claimed.outcome)


def end_lease(rows: Rows, number: int) -> None:
    rows.execute(
        "update notify.ent_notification set lease_expires_at = now() - interval '1 s' where id = %s",
        number,
    )


async def test_a_living_batch_keeps_others_away_and_a_dead_one_is_resumed(
    database: SupabaseDatabase, rows: Rows
) -> None:
    n = rows.notification()
    assert await outcome(database, by_batch(rows, n)) == "Claimed"
    assert await outcome(database, rows.claim(n)) == "Held"
    assert await outcome(database, by_batch(rows, n, batch_owner("default", "two"))) == "Held"
    end_lease(rows, n)
    assert await outcome(database, rows.claim(n)) == "Resumed"
    assert await outcome(database, rows.claim(n)) == "Resumed"
    finish = Finish(rows.enterprise, n, BATCH, 0, "SENT", "t", None)  # type: ignore[arg-type]
    (late,) = await database.finish([finish])
    assert (late.outcome, rows.status(n)) == ("Lost", "PROCESSING")


async def test_a_batch_brings_its_own_lease(database: SupabaseDatabase, rows: Rows) -> None:
    n = rows.notification()
    await database.claim([by_batch(rows, n, lease=45)])
    query = "select extract(epoch from lease_expires_at - now()) from notify.ent_notification where id = %s"
    assert rows.one(query, n) == pytest.approx(45, abs=10)


async def test_a_batch_finishes_what_it_holds(database: SupabaseDatabase, rows: Rows) -> None:
    n = rows.notification()
    await database.claim([by_batch(rows, n)])
    finish = Finish(rows.enterprise, n, BATCH, 0, "SENT", "t", None)  # type: ignore[arg-type]
    assert [f.outcome for f in await database.finish([finish])] == ["Finished"]
    assert [f.outcome for f in await database.finish([finish])] == ["Already"]


async def test_another_installation_takes_nothing_of_a_batch(
    database: SupabaseDatabase, rows: Rows
) -> None:
    n = rows.notification()
    await database.claim([by_batch(rows, n)])
    end_lease(rows, n)
    assert await outcome(database, rows.claim(n, "elsewhere")) == "Foreign"
    await database.release([Release(rows.enterprise, n, BATCH, released_owner("default"))])
    assert await outcome(database, rows.claim(n, "elsewhere")) == "Foreign"


async def test_what_was_let_go_unsent_begins_afresh_once(
    database: SupabaseDatabase, rows: Rows
) -> None:
    n = rows.notification()
    await database.claim([by_batch(rows, n)])
    item = Release(rows.enterprise, n, BATCH, released_owner("default"))
    assert await database.release([item]) == {n}
    assert await database.release([item]) == set()
    assert rows.status(n) == "PROCESSING"
    assert (await database.poll(rows.ask(sweep=True))).stale == (n,)
    assert await outcome(database, rows.claim(n)) == "Claimed"
    assert await outcome(database, rows.claim(n)) == "Resumed"


async def test_what_was_let_go_and_may_have_been_sent_is_resumed(
    database: SupabaseDatabase, rows: Rows
) -> None:
    n = rows.notification()
    await database.claim([by_batch(rows, n)])
    own = claim_owner("default", rows.enterprise, n)
    assert await database.release([Release(rows.enterprise, n, BATCH, own)]) == {n}
    assert await outcome(database, rows.claim(n)) == "Resumed"


async def test_only_its_own_rows_can_a_batch_let_go(database: SupabaseDatabase, rows: Rows) -> None:
    n = rows.notification()
    await database.claim([rows.claim(n)])
    item = Release(rows.enterprise, n, BATCH, released_owner("default"))
    assert await database.release([item]) == set()
    assert await outcome(database, rows.claim(n)) == "Resumed"


async def test_what_is_withdrawn_while_a_batch_holds_it_is_undone_after_the_batch(
    database: SupabaseDatabase, rows: Rows
) -> None:
    n = rows.notification()
    await database.claim([by_batch(rows, n)])
    rows.execute("select notify.retract_notification(%s, %s, 'a mistake')", rows.enterprise, n)
    assert await outcome(database, rows.claim(n)) == "Held"
    own = claim_owner("default", rows.enterprise, n)
    finish = Finish(rows.enterprise, n, BATCH, 0, "SENT", "t", None)  # type: ignore[arg-type]
    assert [f.outcome for f in await database.finish([finish])] == ["Retracted"]
    assert await database.release([Release(rows.enterprise, n, BATCH, own)]) == {n}
    assert await outcome(database, rows.claim(n)) == "Retracted"


async def test_the_rows_of_a_running_workflow_are_nobody_elses(
    database: SupabaseDatabase, rows: Rows
) -> None:
    n = rows.notification()
    await database.claim([rows.claim(n)])
    assert (await database.fetch(n)).notification is not None
    assert await outcome(database, by_batch(rows, n)) == "Foreign"


async def test_claims_of_one_moment_share_a_round_trip_and_go_to_whom_they_belong(
    database_of: Database, rows: Rows
) -> None:
    other = rows.other()
    mine, theirs = [rows.notification() for _ in range(5)], [other.notification() for _ in range(5)]
    both = (database_of(rows), database_of(other))
    first, second = await asyncio.gather(
        both[0].claim([by_batch(rows, n) for n in reversed(mine)]),
        both[1].claim([by_batch(other, n) for n in theirs]),
    )
    assert [c.notification_id for c in first] == list(reversed(mine))
    assert [c.notification_id for c in second] == theirs
    assert {str(c.outcome) for c in (*first, *second)} == {"Claimed"}


async def test_two_claims_of_one_row_in_one_moment_have_one_winner(
    database: SupabaseDatabase, rows: Rows
) -> None:
    n = rows.notification()
    found = await asyncio.gather(
        outcome(database, by_batch(rows, n)), outcome(database, rows.claim(n))
    )
    assert sorted(found) in (["Claimed", "Foreign"], ["Claimed", "Held"])
