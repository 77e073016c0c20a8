"""`xnovu up` and `down`: start the stack, put the first example in, and stay until all of it has been seen.

Leaves the stack running. Exit codes: 0 when everything arrived exactly once (and what must fail failed), 1 otherwise,
naming what is missing and the log to read, 130 when interrupted. Called by the command line.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
from rich.console import Console

from xnovu_dev import assets, environment
from xnovu_dev import stack as local
from xnovu_dev.demo import Demo, DemoError
from xnovu_dev.example import labels, read
from xnovu_dev.judge import Seen, State
from xnovu_dev.problems import StackError
from xnovu_dev.state import Stack
from xnovu_dev.view import View, farewell, view

EXAMPLE: Final = "examples/01-first-enterprise"
PATIENCE_SECONDS: Final = 150.0
"""The slowest is the bell, once a minute; twice that and some for a slow machine."""

LOOK_SECONDS: Final = 0.5


def run(given: Path | None) -> int:
    """Start, seed, watch; answers the exit code."""
    home = environment.home(given, environment.inherited())
    console = Console()
    with view(console) as shown:
        try:
            running = local.load(home) or local.start(home, shown.component)
            shown.component("stack", "ready", str(home / "stack.json"))
            verdicts = _watch(running, shown)
        except (StackError, DemoError, httpx.HTTPError) as error:
            shown.component("up", "failed", "")
            return _failed(console, error)
        except KeyboardInterrupt:
            console.print("\nInterrupted. Whatever runs goes on: `make down` stops it.")
            return 130
    missing = [v for v in verdicts if v.state is not State.DONE]
    if missing:
        _explain(console, home, missing)
        return 1
    farewell(console, running)
    return 0


def stop(given: Path | None, *, forget: bool) -> int:
    """Stop the stack of a home, where there is one; answers the exit code."""
    home = environment.home(given, environment.inherited())
    console = Console()
    stopped = local.stop(home, forget=forget)
    console.print("stopped" if stopped else "nothing was running")
    if forget:
        console.print(f"forgot the data of {home}")
    return 0


def _watch(running: Stack, shown: View) -> Sequence[Seen]:
    now = datetime.now(UTC)
    with Demo(running) as demo:
        seeded = demo.seed(read(assets.path(EXAMPLE), now), now)
        verdicts: Sequence[Seen] = ()
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            verdicts = demo.look(seeded)
            shown.seen(verdicts)
            if all(v.state is State.DONE for v in verdicts):
                break
            if any(v.state is State.WRONG for v in verdicts):
                break
            time.sleep(LOOK_SECONDS)
        return verdicts


def _failed(console: Console, error: Exception) -> int:
    console.print(f"\nxnovu up: {error}", style="bold red", highlight=False, markup=False)
    log = error.log if isinstance(error, StackError) else None
    if log is not None:
        console.print(f"Its log: {log}", highlight=False)
    return 1


def _explain(console: Console, home: Path, missing: Sequence[Seen]) -> None:
    names = labels([v.expectation for v in missing])
    console.print(
        f"\nNot everything was seen: {names}", style="bold red", highlight=False, markup=False
    )
    rules = any(v.expectation.rule_key and not v.status for v in missing)
    for name in ("operator", "worker") if rules else ("worker",):
        console.print(f"Its log: {home / 'logs' / f'{name}.log'}", highlight=False)
    console.print(
        "The stack is still up: `make status` shows it, `make down` stops it.", highlight=False
    )
