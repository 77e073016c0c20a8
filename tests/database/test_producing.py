"""Notifications that rules create, and the rules and templates that are read for them."""

import asyncio
from typing import LiteralString
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb
from support.rows import PERSON, Rows

from xnovu.adapters.supabase import PAGE, SupabaseDatabase
from xnovu.core.errors import NotificationError, WorkflowNotFound

pytestmark = pytest.mark.stack


async def test_one_occurrence_makes_one_notification(
    database: SupabaseDatabase, rows: Rows
) -> None:
    _, key = rows.workflow()
    made, first = await database.create(rows.wanted(key, "rule:1@t"))
    same, second = await database.create(rows.wanted(key, "rule:1@t"))
    assert (same, first, second) == (made, True, False)
    claimed = await database.fetch(made)
    found = claimed.notification
    assert found is not None
    assert claimed.workflow is not None
    assert claimed.workflow.key == key
    assert found.recipients == (PERSON, "not-a-uuid")
    assert (found.topics, found.channels, found.tags) == (("t",), ("EMAIL",), ("x",))
    assert [row.id for row in (await database.poll(rows.ask())).due] == [made]


async def test_many_tries_at_once_make_one_notification(
    database: SupabaseDatabase, rows: Rows
) -> None:
    _, key = rows.workflow(everybodys=True)
    answers = await asyncio.gather(
        *(database.create(rows.wanted(key, "rule:1@t")) for _ in range(12))
    )
    assert len({made for made, _ in answers}) == 1
    assert sum(created for _, created in answers) == 1


async def test_a_try_that_was_quicker_but_has_not_committed_is_waited_for(
    database: SupabaseDatabase, rows: Rows, postgres_dsn: str
) -> None:
    _, key = rows.workflow()
    with psycopg.connect(postgres_dsn) as slow:
        quicker = Rows(slow, rows.enterprise).notification(dedupe_key="rule:1@t")
        ours = asyncio.create_task(database.create(rows.wanted(key, "rule:1@t")))
        async with asyncio.timeout(10):
            while not rows.one(
                "select exists (select from pg_locks where not granted"
                " and pid <> pg_backend_pid() and %s = any (pg_blocking_pids(pid)))",
                slow.info.backend_pid,
            ):
                await asyncio.sleep(0.02)
        slow.commit()
    assert await ours == (quicker, False)


async def test_the_same_occurrence_of_two_enterprises_makes_two(
    database: SupabaseDatabase, rows: Rows
) -> None:
    _, key = rows.workflow()
    rows.other().notification(dedupe_key="rule:1@t")
    _, created = await database.create(rows.wanted(key, "rule:1@t"))
    assert created


async def test_a_workflow_that_is_missing_or_not_published_is_said(
    database: SupabaseDatabase, rows: Rows
) -> None:
    _, draft = rows.workflow(status="DRAFT")
    for key in (draft, "no-such-workflow"):
        with pytest.raises(WorkflowNotFound, match=key):
            await database.create(rows.wanted(key, "k"))


async def test_a_workflow_by_its_id(database: SupabaseDatabase, rows: Rows) -> None:
    number, _ = rows.workflow()
    made, _ = await database.create(rows.wanted(None, "k", workflow_id=number))
    assert (await database.fetch(made)).workflow is not None


async def test_a_name_that_is_taken_is_an_error_and_no_answer_of_another_row(
    database: SupabaseDatabase, rows: Rows
) -> None:
    _, key = rows.workflow()
    rows.notification(name="taken")
    with pytest.raises(NotificationError, match="exists already"):
        await database.create(rows.wanted(key, "k", name="taken"))


async def test_a_wrong_channel_is_the_notifications_error(
    database: SupabaseDatabase, rows: Rows
) -> None:
    _, key = rows.workflow()
    with pytest.raises(NotificationError, match="22P02"):
        await database.create(rows.wanted(key, "k", channels=("PIGEON",)))


async def test_templates_are_the_enterprises_or_everybodys(
    database: SupabaseDatabase, rows: Rows
) -> None:
    insert: LiteralString = (
        "insert into notify.ent_notification_template"
        " (name, template_key, channel_type, body_template, publish_status, enterprise_id)"
        " values (%s, %s, 'EMAIL', 'body', %s::shared_types.publish_status, %s)"
    )
    mark = str(uuid4())
    own, everybodys, theirs, draft = (f'{mark} a,"b"\\.{n}' for n in range(4))
    rows.execute(insert, own, own, "PUBLISH", rows.enterprise)
    rows.execute(insert, everybodys, everybodys, "PUBLISH", None)
    rows.execute(insert, theirs, theirs, "PUBLISH", rows.other().enterprise)
    rows.execute(insert, draft, draft, "DRAFT", rows.enterprise)
    found = await database.templates([own, everybodys, theirs, draft, "missing)"])
    assert set(found) == {own, everybodys}
    assert found[own].enterprise_id == rows.enterprise
    assert found[everybodys].enterprise_id is None
    assert await database.templates([]) == {}


async def test_an_enterprises_own_template_stands_before_the_global_one_of_its_key(
    database: SupabaseDatabase, rows: Rows
) -> None:
    insert: LiteralString = (
        "insert into notify.ent_notification_template"
        " (name, template_key, channel_type, body_template, publish_status, enterprise_id)"
        " values (%s, %s, 'EMAIL', %s, 'PUBLISH', %s)"
    )
    key, other = f"{uuid4()}", rows.other().enterprise
    for body, enterprise in (("theirs", other), ("own", rows.enterprise), ("everybody's", None)):
        rows.execute(insert, f"{key} {body}", key, body, enterprise)
    assert (await database.templates([key]))[key].body == "own"
    for enterprise in (rows.enterprise, None):
        with pytest.raises(psycopg.errors.UniqueViolation):
            rows.execute(insert, f"{key} again", key, "twice", enterprise)
    rows.execute(
        "update notify.ent_notification_template set deactivated = true"
        " where template_key = %s and enterprise_id = %s",
        key,
        rows.enterprise,
    )
    assert (await database.templates([key]))[key].body == "everybody's"


async def test_all_rules_are_read_page_by_page(database: SupabaseDatabase, rows: Rows) -> None:
    insert: LiteralString = (
        "insert into notify.ent_notification_rule"
        " (name, trigger_type, trigger_config, publish_status, enterprise_id)"
        " select %s || n, %s, %s, %s::shared_types.publish_status, %s from generate_series(1, %s) n"
    )
    config = Jsonb({"cron": "0 9 * * *"})
    rows.execute(insert, "cron ", "CRON", config, "PUBLISH", rows.enterprise, 2 * PAGE)
    rows.execute(insert, "draft ", "SCHEDULE", config, "DRAFT", rows.enterprise, 1)
    rows.execute(insert, "event ", "EVENT", config, "PUBLISH", rows.enterprise, 1)
    rows.execute(insert, "none ", None, Jsonb([1]), "PUBLISH", rows.enterprise, 1)
    rows.execute(insert, "theirs ", "CRON", config, "PUBLISH", rows.other().enterprise, 1)
    found = await database.rules()
    assert len(found) == 2 * PAGE + 1
    assert [r.id for r in found] == sorted({r.id for r in found})
    assert (found[0].active, found[-1].active) == (True, False)
    assert found[0].trigger_config == {"cron": "0 9 * * *"}
    assert await database.rule(found[0].id) == found[0]
