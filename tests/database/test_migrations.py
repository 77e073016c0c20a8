"""The migrations: on an empty database, twice, and over a database that has only the original's tables, in use."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from support.rows import Rows

pytestmark = pytest.mark.stack

FILES = sorted((Path(__file__).parents[2] / "supabase" / "migrations").glob("*.sql"))


@pytest.fixture
def empty(postgres_dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A database of its own on the same server."""
    name = psycopg.sql.Identifier(f"migrations_{uuid4().hex}")
    with psycopg.connect(postgres_dsn, autocommit=True) as server:
        server.execute(psycopg.sql.SQL("create database {}").format(name))
        try:
            dsn = make_conninfo(postgres_dsn, dbname=name._obj[0])
            with psycopg.connect(dsn, autocommit=True) as connection:
                yield connection
        finally:
            server.execute(psycopg.sql.SQL("drop database {}").format(name))


def apply(connection: psycopg.Connection[Any], files: list[Path]) -> None:
    for file in files:
        connection.execute(file.read_bytes())


def shape(connection: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
    """Everything that a migration can make, as text."""
    return connection.execute(
        """
        select 'column', table_name || '.' || column_name, data_type, column_default
          from information_schema.columns where table_schema = 'notify'
        union all select 'index', indexname, indexdef, null from pg_indexes where schemaname = 'notify'
        union all select 'policy', tablename || '.' || policyname, roles::text || cmd, qual
          from pg_policies where schemaname = 'notify'
        union all select 'function', proname, prosrc, proacl::text
          from pg_proc where pronamespace = 'notify'::regnamespace
        union all select 'trigger', tgname, tgrelid::regclass::text, null from pg_trigger where not tgisinternal
        union all select 'table', relname, relrowsecurity::text, relacl::text
          from pg_class where relnamespace = 'notify'::regnamespace and relkind = 'r'
        order by 1, 2, 3
        """
    ).fetchall()


def test_applied_twice_they_change_nothing(empty: psycopg.Connection[Any]) -> None:
    apply(empty, FILES)
    once = shape(empty)
    apply(empty, FILES)
    assert shape(empty) == once
    assert len(once) > 100


def test_over_the_originals_tables_the_data_stays_and_the_original_writes_on(
    empty: psycopg.Connection[Any],
) -> None:
    apply(empty, FILES[:1])
    rows = Rows(empty)
    old = rows.notification()
    before = rows.one("select to_jsonb(n) from notify.ent_notification n where id = %s", old)
    apply(empty, FILES)
    after = rows.one("select to_jsonb(n) from notify.ent_notification n where id = %s", old)
    assert {k: after[k] for k in before} == before
    for status in ("PROCESSING", "SENT"):
        rows.execute(
            "update notify.ent_notification set notification_status = %s::shared_types.notification_status"
            " where id = %s",
            status,
            old,
        )
    assert rows.status(old) == "SENT"
    assert rows.status(rows.notification()) == "PENDING"


def test_what_is_not_ours_in_the_schema_stays_as_it_is(empty: psycopg.Connection[Any]) -> None:
    apply(empty, FILES[:1])
    empty.execute("create table notify.theirs (a int)")
    empty.execute("create function notify.their_function() returns int language sql as 'select 1'")
    apply(empty, FILES)
    found = {kind_name[:2]: kind_name[2:] for kind_name in shape(empty)}
    assert found["table", "theirs"] == ("false", None)
    assert found["function", "their_function"] == ("select 1", None)


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_functions_are_closed_though_default_privileges_open_them(
    empty: psycopg.Connection[Any], role: str
) -> None:
    empty.execute("create schema notify")
    empty.execute(
        "alter default privileges in schema notify grant all on functions to anon, authenticated"
    )
    apply(empty, FILES)
    open_functions = empty.execute(
        "select proname from pg_proc where pronamespace = 'notify'::regnamespace"
        " and has_function_privilege(%s, oid, 'execute')",
        [role],
    ).fetchall()
    assert open_functions == ([("claimed_enterprise",)] if role == "authenticated" else [])
