"""An enterprise's rate is counted in the database: exact over all that take from it at once."""

import asyncio

import pytest
from support.rows import Database, Rows

from xnovu.adapters.supabase import SupabaseDatabase

pytestmark = pytest.mark.stack


def at_time(rows: Rows, seconds_ago: float) -> None:
    """As if the last look had been so long ago."""
    rows.execute(
        "update notify.enterprise_pace set counted_at = clock_timestamp() - make_interval(secs => %s)"
        " where enterprise_id = %s",
        seconds_ago,
        rows.enterprise,
    )


async def test_one_second_of_the_rate_is_there_at_once_and_no_more(
    database: SupabaseDatabase, rows: Rows
) -> None:
    first = await database.take_pace(100, 5.0)
    assert first.granted == 5
    assert 0 < first.wait_seconds <= 0.2
    assert (await database.take_pace(100, 0.01)).granted == 0
    at_time(rows, 3600)
    assert (await database.take_pace(100, 5.0)).granted == 5


async def test_less_than_one_a_second_still_comes_to_its_turn(
    database: SupabaseDatabase, rows: Rows
) -> None:
    assert (await database.take_pace(3, 0.1)).granted == 1
    then = await database.take_pace(3, 0.1)
    assert (then.granted, then.wait_seconds) == (0, pytest.approx(10, abs=1))
    at_time(rows, 10.5)
    assert (await database.take_pace(3, 0.1)).granted == 1


async def test_many_that_take_at_once_get_no_more_together(
    database_of: Database, rows: Rows
) -> None:
    takers = [database_of(rows) for _ in range(20)]
    # Slow enough that nothing flows in meanwhile.
    await takers[0].take_pace(0, 0.001)
    rows.execute(
        "update notify.enterprise_pace set tokens = 1 where enterprise_id = %s", rows.enterprise
    )
    taken = await asyncio.gather(*(taker.take_pace(1, 0.001) for taker in takers))
    assert sum(t.granted for t in taken) == 1


async def test_what_is_reserved_comes_in_order_and_takes_it_from_the_others(
    database: SupabaseDatabase, rows: Rows
) -> None:
    waits = [(await database.take_pace(1, 2.0, reserve=True)).wait_seconds for _ in range(5)]
    assert waits[:2] == [0, 0]
    assert waits[2:] == pytest.approx([0.5, 1.0, 1.5], abs=0.3)
    assert (await database.take_pace(1, 2.0)).granted == 0


async def test_enterprises_have_rates_of_their_own(database_of: Database, rows: Rows) -> None:
    await database_of(rows).take_pace(1, 1.0)
    assert (await database_of(rows.other()).take_pace(1, 1.0)).granted == 1
