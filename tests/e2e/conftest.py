"""Fixtures of the end-to-end tests: one whole stack for all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.world import World

from xnovu_dev.state import Stack


@pytest.fixture
def world(full_stack: Stack) -> Iterator[World]:
    """The whole stack from outside."""
    seen = World(full_stack)
    yield seen
    seen.close()


@pytest.fixture(scope="session")
def stack_home(full_stack: Stack) -> Path:
    """Its folder."""
    return Path(full_stack.kubeconfig).parent
