"""A stack of its own for the tests that kill and stop it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from xnovu_dev import stack
from xnovu_dev.state import Stack


class OwnStack:
    """One home whose stack a test may treat badly."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def start(self, components: tuple[str, ...] = ()) -> Stack:
        return stack.start(self.home, components=components, owner=os.getpid())

    def stop(self) -> bool:
        return stack.stop(self.home, forget=False)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[OwnStack]:
    # A home that only its owner may enter, as people have them.
    home = tmp_path / "private" / "home"
    home.mkdir(parents=True)
    home.parent.chmod(0o700)
    made = OwnStack(home)
    yield made
    made.stop()
