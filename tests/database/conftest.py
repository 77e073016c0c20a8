"""Fixtures of the tests against Postgres and PostgREST."""

from collections.abc import AsyncIterator, Iterator

import pytest
from support.rows import Database, Reachable, Rows, connected, databases

from xnovu.adapters.supabase import SupabaseDatabase


@pytest.fixture
def rows(postgres_dsn: str) -> Iterator[Rows]:
    """Rows of a new enterprise."""
    yield from connected(postgres_dsn)


@pytest.fixture
async def database_of(supabase: Reachable) -> AsyncIterator[Database]:
    async with databases(supabase.url, supabase.service_role_key) as of:
        yield of


@pytest.fixture
def database(database_of: Database, rows: Rows) -> SupabaseDatabase:
    """The adapter of the same enterprise."""
    return database_of(rows)
