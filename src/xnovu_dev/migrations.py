"""Applies `supabase/migrations` to the stack's Postgres, in the order of their names, each once.

What the Supabase CLI does in production. A migration and the row that remembers it are one transaction: a killed start
has applied a migration wholly or not at all. Remembered by name and digest in `xnovu_dev.migrations`.
"""

import hashlib
from pathlib import Path

import psycopg
from psycopg import sql

from xnovu_dev.problems import StackError

Connection = psycopg.AsyncConnection[tuple[object, ...]]


async def apply(dsn: str, folder: Path) -> tuple[str, ...]:
    """Apply what is not there yet; the names of what was applied. Idempotent.

    Raises StackError when one fails, or when one was changed after it was applied.
    """
    applied: list[str] = []
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        known = await _known(connection)
        for file in sorted(folder.glob("*.sql")):
            text = file.read_text()
            digest = hashlib.sha256(text.encode()).hexdigest()
            if file.name not in known:
                await _apply_one(connection, file.name, text, digest)
                applied.append(file.name)
            elif known[file.name] != digest:
                raise StackError(
                    f"the migration {file.name} was changed after it was applied here:"
                    f" add a new one, or forget this stack's data with `xnovu reset`"
                )
    return tuple(applied)


async def _known(connection: Connection) -> dict[str, str]:
    async with connection.transaction():
        await connection.execute("create schema if not exists xnovu_dev")
        await connection.execute(
            "create table if not exists xnovu_dev.migrations (name text primary key,"
            " digest text not null, applied_at timestamptz not null default now())"
        )
        rows = await connection.execute("select name, digest from xnovu_dev.migrations")
        return {str(name): str(digest) for name, digest in await rows.fetchall()}


async def _apply_one(connection: Connection, name: str, text: str, digest: str) -> None:
    try:
        async with connection.transaction():
            # Without parameters the whole file is one simple query: many statements, one transaction.
            await connection.execute(sql.SQL(text))
            await connection.execute(
                "insert into xnovu_dev.migrations (name, digest) values (%s, %s)", [name, digest]
            )
    except psycopg.Error as error:
        raise StackError(f"the migration {name} failed: {error}") from None
