"""One notification in the database: claimed by one owner, finished once, forward only, replayed on purpose."""

import asyncio

import psycopg
import pytest
from psycopg.types.json import Jsonb
from support.rows import PERSON, Rows

from xnovu.adapters.supabase import SupabaseDatabase
from xnovu.core.errors import Conflict, DatabaseUnavailable, RowLocked, ValidationError
from xnovu.core.payload import validate

pytestmark = pytest.mark.stack


def moved(rows: Rows, notification: int, status: str) -> None:
    rows.execute(
        "update notify.ent_notification"
        " set notification_status = %s::shared_types.notification_status where id = %s",
        status,
        notification,
    )


async def test_a_row_has_one_owner_who_may_come_back(
    database: SupabaseDatabase, rows: Rows
) -> None:
    _, key = rows.workflow()
    workflow = rows.one(
        "select id from notify.ent_notification_workflow where workflow_key = %s", key
    )
    n = rows.notification(notification_workflow_id=workflow, payload=Jsonb({"a": 1}))
    (first,) = await database.claim([rows.claim(n)])
    (foreign,) = await database.claim([rows.claim(n, "another-namespace")])
    (again,) = await database.claim([rows.claim(n)])
    assert (first.outcome, foreign.outcome, again.outcome) == ("Claimed", "Foreign", "Resumed")
    assert first.notification is not None
    assert first.workflow is not None
    assert first.workflow.key == key
    assert first.notification.payload == {"a": 1}
    assert first.notification.recipients == (PERSON,)
    assert (foreign.notification, foreign.workflow) == (None, None)
    assert again.notification is not None
    assert again.notification.attempts == 2


async def test_claims_say_why_there_is_nothing_to_do(
    database: SupabaseDatabase, rows: Rows
) -> None:
    draft, sent, gone = (
        rows.notification(publish_status="DRAFT"),
        rows.notification(notification_status="SENT"),
        rows.notification(notification_status="RETRACTED"),
    )
    answers = await database.claim([rows.claim(i) for i in (gone, sent, draft, 2**62)])
    assert {a.notification_id: a.outcome for a in answers} == {
        gone: "Done", sent: "Done", draft: "NotDue", 2**62: "Missing",
    }  # fmt: skip
    assert rows.status(draft) == "PENDING"


async def test_looking_changes_nothing(database: SupabaseDatabase, rows: Rows) -> None:
    n = rows.notification()
    seen = await database.fetch(n)
    assert seen.outcome == "Claimed"
    assert seen.notification is not None
    assert seen.notification.attempts == 0
    assert rows.status(n) == "PENDING"
    assert (await database.fetch(2**62)).outcome == "Missing"
    await database.claim([rows.claim(n)])
    claimed = await database.fetch(n)
    assert claimed.notification is not None
    assert (claimed.notification.status, claimed.notification.attempts) == ("PROCESSING", 1)


async def test_a_claimed_row_is_seen_by_all_but_another_owner(
    database: SupabaseDatabase, rows: Rows
) -> None:
    n = rows.notification()
    await database.claim([rows.claim(n)])
    for owner in (None, rows.owner(n)):
        seen = await database.fetch(n, owner)
        assert (seen.outcome, seen.notification is not None) == ("Resumed", True)
    foreign = await database.fetch(n, rows.owner(n, "elsewhere"))
    assert (foreign.outcome, foreign.notification) == ("Foreign", None)


async def test_a_final_status_is_written_once(database: SupabaseDatabase, rows: Rows) -> None:
    n = rows.notification()
    await database.claim([rows.claim(n)])
    (done,) = await database.finish([rows.finish(n)])
    (same,) = await database.finish([rows.finish(n)])
    (other,) = await database.finish([rows.finish(n, "FAILED")])
    assert (done.outcome, same.outcome, other.outcome) == ("Finished", "Already", "Lost")
    assert rows.status(n) == "SENT"


async def test_who_does_not_hold_the_row_cannot_finish_it(
    database: SupabaseDatabase, rows: Rows
) -> None:
    unclaimed, held = rows.notification(), rows.notification()
    await database.claim([rows.claim(held, "another-namespace")])
    answers = await database.finish(
        [rows.finish(unclaimed), rows.finish(held), rows.finish(held, generation=1)]
    )
    assert {a.outcome for a in answers} == {"Lost"}
    assert (rows.status(unclaimed), rows.status(held)) == ("PENDING", "PROCESSING")


async def test_a_row_that_is_withdrawn_under_way_is_compensated_once(
    database: SupabaseDatabase, rows: Rows
) -> None:
    n = rows.notification()
    await database.claim([rows.claim(n)])
    assert (
        rows.one("select notify.retract_notification(%s, %s, 'wrong text')", rows.enterprise, n)
        == "RETRACTED"
    )
    (finished,) = await database.finish([rows.finish(n)])
    (claimed,) = await database.claim([rows.claim(n)])
    assert (finished.outcome, claimed.outcome) == ("Retracted", "Retracted")
    await database.settle_retraction(n, {"cancelled": True})
    await database.settle_retraction(n, {"cancelled": False})
    report = rows.one("select retraction_report from notify.ent_notification where id = %s", n)
    assert report == {"cancelled": True}
    (settled,) = await database.claim([rows.claim(n)])
    assert settled.outcome == "Done"


async def test_only_what_was_retracted_is_settled(database: SupabaseDatabase, rows: Rows) -> None:
    n = rows.notification()
    await database.settle_retraction(n, {})
    assert (
        rows.one("select retraction_settled_at from notify.ent_notification where id = %s", n)
        is None
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("PENDING", "SENT"),
        ("PROCESSING", "PENDING"),
        ("SENT", "PENDING"),
        ("SENT", "FAILED"),
        ("SENT", "PROCESSING"),
        ("FAILED", "PENDING"),
        ("FAILED", "SENT"),
        ("RETRACTED", "PENDING"),
        ("RETRACTED", "SENT"),
    ],
)
def test_no_status_goes_backward(rows: Rows, before: str, after: str) -> None:
    n = rows.notification(notification_status=before)
    with pytest.raises(psycopg.errors.CheckViolation, match=f"{before} cannot become {after}"):
        moved(rows, n, after)


@pytest.mark.parametrize("before", ["PENDING", "PROCESSING", "SENT", "FAILED"])
def test_everything_can_be_withdrawn(rows: Rows, before: str) -> None:
    n = rows.notification(notification_status=before)
    moved(rows, n, "RETRACTED")
    at = rows.one("select retracted_at is not null from notify.ent_notification where id = %s", n)
    assert at is True


async def test_a_replay_is_a_new_generation_that_the_old_owner_cannot_finish(
    database: SupabaseDatabase, rows: Rows
) -> None:
    n = rows.notification()
    await database.claim([rows.claim(n)])
    await database.finish([rows.finish(n, "FAILED")])
    replay = "select notify.replay_notification(%s, %s)"
    assert rows.one(replay, rows.enterprise, n) == 1
    assert rows.one(replay, rows.enterprise, n) is None
    (claimed,) = await database.claim([rows.claim(n)])
    assert claimed.notification is not None
    assert (claimed.outcome, claimed.notification.generation) == ("Claimed", 1)
    late, now = await database.finish([rows.finish(n), rows.finish(n, generation=1)])
    assert (late.outcome, now.outcome) == ("Lost", "Finished")


async def test_a_replayed_row_that_is_withdrawn_before_its_turn_is_still_compensated(
    database: SupabaseDatabase, rows: Rows
) -> None:
    n = rows.notification()
    await database.claim([rows.claim(n)])
    await database.finish([rows.finish(n, "FAILED")])
    rows.one("select notify.replay_notification(%s, %s)", rows.enterprise, n)
    moved(rows, n, "RETRACTED")
    assert (await database.poll(rows.ask(withdrawn=True))).withdrawn == (n,)


async def test_a_row_that_the_original_left_in_processing_is_resumed(
    database: SupabaseDatabase, rows: Rows
) -> None:
    n = rows.notification(notification_status="PROCESSING")
    (claimed,) = await database.claim([rows.claim(n)])
    assert claimed.outcome == "Resumed"


async def test_columns_of_a_wrong_shape_end_one_notification_and_stop_nothing(
    database: SupabaseDatabase, rows: Rows
) -> None:
    workflow, _ = rows.workflow()
    rows.execute(
        "update notify.ent_notification_workflow set payload_schema = '[]', template_overrides = '3'"
        " where id = %s",
        workflow,
    )
    n = rows.notification(
        payload=Jsonb([1]),
        overrides=Jsonb("text"),
        notification_workflow_id=workflow,
        recipients=[None, PERSON],
        tags=[None],
        channels=None,
    )
    (claimed,) = await database.claim([rows.claim(n)])
    assert claimed.notification is not None
    assert claimed.workflow is not None
    assert claimed.notification.malformed == ("payload", "overrides")
    assert claimed.workflow.malformed == ("payload_schema", "template_overrides")
    assert claimed.notification.recipients == (PERSON,)
    with pytest.raises(ValidationError, match="payload, overrides must be a JSON object"):
        validate(claimed.notification, claimed.workflow)


@pytest.mark.parametrize(
    "payload",
    ['{"n": 1e5000}', '{"a": ' * 1500 + "1" + "}" * 1500, '{"t": "' + "x" * 1_100_000 + '"}'],
    ids=["long number", "deep", "large"],
)
async def test_what_no_client_can_read_ends_one_notification_and_spoils_no_other_answer(
    database: SupabaseDatabase, rows: Rows, payload: str
) -> None:
    workflow, _ = rows.workflow()
    poison, good = (rows.notification(notification_workflow_id=workflow) for _ in range(2))
    rows.execute(
        "update notify.ent_notification set payload = %s::jsonb where id = %s", payload, poison
    )
    bad, fine = await asyncio.gather(
        database.claim([rows.claim(poison)]), database.claim([rows.claim(good)])
    )
    assert fine[0].outcome == "Claimed"
    assert bad[0].notification is not None
    assert bad[0].workflow is not None
    with pytest.raises(ValidationError, match="payload must be a JSON object of at most 1 MiB"):
        validate(bad[0].notification, bad[0].workflow)


async def test_numbers_at_the_end_of_their_range_stop_no_intake(
    database: SupabaseDatabase, rows: Rows
) -> None:
    priority = rows.one(
        "insert into notify.typ_notification_priority (name, code, sort_order, enterprise_id)"
        " values (%s, %s, -2147483648, %s) returning id",
        rows.enterprise, rows.enterprise, rows.enterprise,
    )  # fmt: skip
    n = rows.notification(typ_notification_priority_id=priority, attempt_count=2147483647)
    assert [due.id for due in (await database.poll(rows.ask())).due] == [n]
    (claimed,) = await database.claim([rows.claim(n)])
    assert claimed.outcome == "Claimed"


async def test_json_null_is_as_good_as_nothing(database: SupabaseDatabase, rows: Rows) -> None:
    n = rows.notification(overrides=Jsonb(None))
    found = (await database.fetch(n)).notification
    assert found is not None
    assert (found.overrides, found.malformed) == ({}, ())


async def test_the_adapter_refuses_to_ask_for_another_enterprise(
    database: SupabaseDatabase, rows: Rows
) -> None:
    other = rows.other()
    n = other.notification()
    with pytest.raises(Conflict):
        await database.claim([other.claim(n)])
    with pytest.raises(Conflict):
        await database.finish([other.finish(n)])
    with pytest.raises(Conflict):
        await database.poll(other.ask())
    with pytest.raises(Conflict):
        await database.create(other.wanted("any", "key"))


async def test_a_row_that_somebody_locks_is_passed_over_and_holds_up_no_other(
    database: SupabaseDatabase, rows: Rows
) -> None:
    n, other = rows.notification(), rows.notification()
    lock = "select 1 from notify.ent_notification where id = %s for update"
    with rows.connection.transaction():
        rows.execute(lock, n)
        locked, (free,) = await asyncio.gather(
            database.claim([rows.claim(n)]),
            database.claim([rows.claim(other)]),
            return_exceptions=True,
        )
    assert isinstance(locked, RowLocked)
    assert free.outcome == "Claimed"
    (claimed,) = await database.claim([rows.claim(n)])
    assert claimed.outcome == "Claimed"
    with rows.connection.transaction():
        rows.execute(lock, n)
        with pytest.raises(RowLocked, match=f"notification {n} is locked"):
            await database.finish([rows.finish(n)])
    (finished,) = await database.finish([rows.finish(n)])
    assert finished.outcome == "Finished"


async def test_what_else_waits_for_a_locked_row_gives_up_soon(
    database: SupabaseDatabase, rows: Rows
) -> None:
    n = rows.notification()
    await database.claim([rows.claim(n)])
    with rows.connection.transaction():
        rows.execute("select 1 from notify.ent_notification where id = %s for update", n)
        with pytest.raises(DatabaseUnavailable, match="55P03"):
            await database.extend_leases([n])
