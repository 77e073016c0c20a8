"""How a start is told: one call per step, by component. Shared by the finder, the supervisor and who shows it.

The supervisor is another process than the one that shows; between them it is one JSON array a line in a file.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

Report = Callable[[str, str, str], None]
"""Takes the component, one of the states below, and a detail for people."""

FINDING: Final = "finding"
FOUND: Final = "found"
BUILDING: Final = "building"
STARTING: Final = "starting"
READY: Final = "ready"
FAILED: Final = "failed"
STOPPED: Final = "stopped"


def silent(component: str, state: str, detail: str) -> None:
    """For who does not care."""


class ProgressFile:
    """The writing end. A line is written at once and whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.write_text("")

    def __call__(self, component: str, state: str, detail: str) -> None:
        # A home that was removed is a reason to stop, not to fail.
        with suppress(FileNotFoundError), self._path.open("a") as file:
            file.write(json.dumps([component, state, detail]) + "\n")


class ProgressReader:
    """The reading end: gives each whole line once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0

    def news(self) -> list[tuple[str, str, str]]:
        """What was reported since the last call."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._position)
                text = file.read()
        except FileNotFoundError:
            return []
        whole = text[: text.rfind(b"\n") + 1]
        self._position += len(whole)
        lines = [json.loads(line) for line in whole.splitlines()]
        return [(str(line[0]), str(line[1]), str(line[2])) for line in lines]
