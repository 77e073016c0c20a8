"""A case against real systems: see `support.real_case`."""

from collections.abc import AsyncIterator, Iterator

import pytest
from support.real_case import RealCase, a_real_case
from support.rows import Reachable, Rows, connected
from support.sandbox import SandboxProcess


@pytest.fixture
def rows(postgres_dsn: str) -> Iterator[Rows]:
    yield from connected(postgres_dsn)


@pytest.fixture
async def case(
    temporal_address: str, supabase: Reachable, novu_sandbox: SandboxProcess, rows: Rows
) -> AsyncIterator[RealCase]:
    async with a_real_case(temporal_address, supabase, novu_sandbox, rows) as made:
        yield made
