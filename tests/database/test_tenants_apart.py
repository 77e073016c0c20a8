"""Two enterprises of one database: none reaches the other's rows, by whatever function or key."""

import json

import psycopg
import pytest
from psycopg.types.json import Jsonb
from support.rows import Rows

from xnovu.adapters.supabase import SupabaseDatabase
from xnovu.core.errors import WorkflowNotFound
from xnovu.core.records import Claim, Finish

pytestmark = pytest.mark.stack

TABLES = (
    "typ_notification_category",
    "typ_notification_priority",
    "ent_notification_template",
    "ent_notification_workflow",
    "ent_notification_rule",
    "ent_notification",
    "notification_delivery",
)


def whole(rows: Rows, notification: int) -> object:
    return rows.one("select to_jsonb(n) from notify.ent_notification n where id = %s", notification)


async def test_no_function_touches_the_row_of_another_enterprise(
    database: SupabaseDatabase, rows: Rows
) -> None:
    other = rows.other()
    pending, held, failed, gone = (
        other.notification(),
        other.notification(notification_status="PROCESSING", claim_owner="x"),
        other.notification(notification_status="FAILED"),
        other.notification(notification_status="RETRACTED", claim_owner="x"),
    )
    every = (pending, held, failed, gone)
    before = [whole(other, n) for n in every]
    for n in every:
        (claimed,) = await database.claim([Claim(rows.enterprise, n, "x")])
        assert (claimed.outcome, claimed.notification) == ("Missing", None)
        finish = Finish(rows.enterprise, n, "x", 0, "SENT", None, None)  # type: ignore[arg-type] # as JSON has it
        (finished,) = await database.finish([finish])
        assert finished.outcome == "Lost"
        assert (await database.fetch(n)).outcome == "Missing"
        await database.settle_retraction(n, {})
        await database.record_shadow(n, {})
        assert (
            rows.one("select notify.retract_notification(%s, %s, '')", rows.enterprise, n) is None
        )
        assert rows.one("select notify.replay_notification(%s, %s)", rows.enterprise, n) is None
    answer = await database.poll(rows.ask(withdrawn=True, sweep=True, counts=True))
    assert (answer.due, answer.withdrawn, answer.stale) == ((), (), ())
    assert [whole(other, n) for n in every] == before


async def test_no_workflow_rule_or_priority_of_another_enterprise_is_used(
    database: SupabaseDatabase, rows: Rows
) -> None:
    other = rows.other()
    theirs, their_key = other.workflow()
    _, ours = rows.workflow()
    rule = rows.one(
        "insert into notify.ent_notification_rule (name, enterprise_id) values ('r', %s) returning id",
        other.enterprise,
    )
    rows.execute(
        "insert into notify.typ_notification_priority (name, code, enterprise_id) values ('p', %s, %s)",
        f"code-{other.enterprise}",
        other.enterprise,
    )
    for wrong in (
        rows.wanted(their_key, "a"),
        rows.wanted(None, "a", workflow_id=theirs),
        rows.wanted(None, "a"),
    ):
        with pytest.raises(WorkflowNotFound):
            await database.create(wrong)
    made, _ = await database.create(
        rows.wanted(ours, "b", rule_id=rule, priority=f"code-{other.enterprise}")
    )
    links = "notification_rule_id is null and typ_notification_priority_id is null"
    assert rows.one(f"select {links} from notify.ent_notification where id = %s", made) is True
    assert await database.rule(rule) is None
    assert await database.rules() == ()
    n = rows.notification(notification_workflow_id=theirs)
    assert (await database.fetch(n)).workflow is None


def as_role(rows: Rows, role: str, enterprise: str | None = None) -> None:
    claims = {"role": role} | ({"enterprise_id": enterprise} if enterprise else {})
    rows.execute("select set_config('request.jwt.claims', %s, true)", json.dumps(claims))
    rows.execute("select set_config('role', %s, true)", role)


def test_people_see_their_own_enterprise_only(rows: Rows) -> None:
    other = rows.other()
    mine, _ = rows.notification(), other.notification()
    with rows.connection.transaction():
        as_role(rows, "authenticated", rows.enterprise)
        seen = rows.connection.execute("select id from notify.ent_notification").fetchall()
    assert seen == [(mine,)]


@pytest.mark.parametrize("table", TABLES)
def test_people_without_an_enterprise_see_nothing_and_others_may_not_look(
    rows: Rows, table: str
) -> None:
    rows.notification(enterprise_id=None)
    query = psycopg.sql.SQL("select count(*) from notify.{}").format(psycopg.sql.Identifier(table))
    with rows.connection.transaction():
        as_role(rows, "authenticated")
        assert rows.connection.execute(query).fetchone() == (0,)
    with rows.connection.transaction(force_rollback=True):
        as_role(rows, "anon")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows.connection.execute(query)


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_people_write_nothing_and_call_nothing_even_where_defaults_give_them_everything(
    rows: Rows, role: str
) -> None:
    n = rows.notification()
    with rows.connection.transaction(force_rollback=True):
        as_role(rows, role, rows.enterprise)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows.execute("select notify.poll(%s)", Jsonb([]))
    with rows.connection.transaction(force_rollback=True):
        rows.execute("grant usage on schema notify to anon")
        rows.execute("grant all on all tables in schema notify to anon, authenticated")
        as_role(rows, role, rows.enterprise)
        rows.execute("update notify.ent_notification set name = 'mine now'")
        rows.execute("delete from notify.ent_notification")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), rows.connection.transaction():
            Rows(rows.connection, rows.enterprise).notification()
        rows.execute("reset role")
        assert rows.status(n) == "PENDING"
        assert rows.one("select name <> 'mine now' from notify.ent_notification where id = %s", n)
