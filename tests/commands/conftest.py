"""The command line as a person runs it, in a folder of its own, against the stack's servers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command_line import CommandLine, of_stack
from support.rows import Rows, connected

from xnovu_dev.state import Stack


@pytest.fixture
def xnovu(servers: Stack, tmp_path: Path) -> CommandLine:
    return of_stack(servers, tmp_path)


@pytest.fixture
def rows(postgres_dsn: str) -> Iterator[Rows]:
    """Rows of a new enterprise."""
    yield from connected(postgres_dsn)
