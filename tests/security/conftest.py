"""Keys for what Temporal keeps, rows of two tenants, and a second Novu environment."""

import base64
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from support.rows import Database, Reachable, Rows, connected, databases
from support.sandbox import SandboxProcess

Keys = Callable[..., Path]


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """A folder of that name with keys of these ids; those that are there stay."""

    def made(folder: str, *ids: str) -> Path:
        place = tmp_path / folder
        place.mkdir(exist_ok=True)
        for name in ids:
            if not (place / name).exists():
                (place / name).write_bytes(base64.b64encode(os.urandom(32)))
        return place

    return made


@pytest.fixture
def rows(postgres_dsn: str) -> Iterator[Rows]:
    yield from connected(postgres_dsn)


@pytest.fixture
def second_sandbox(tmp_path: Path) -> Iterator[SandboxProcess]:
    found = SandboxProcess(tmp_path / "second-novu")
    found.state_dir.mkdir()
    found.start()
    yield found
    found.stop()


@pytest.fixture
async def database_of(supabase: Reachable) -> AsyncIterator[Database]:
    async with databases(supabase.url, supabase.service_role_key) as of:
        yield of
