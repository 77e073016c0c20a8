"""Rows of the table whose proof is a test of another folder: runs it and says whether it holds. Called by the command."""

import asyncio
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from xnovu_dev import environment
from xnovu_dev.faults.case import Elsewhere

_PASSED: Final = re.compile(r"(\d+) passed")


@dataclass(frozen=True, slots=True)
class Proof:
    """`problem`: None when the tests hold."""

    of: Elsewhere
    passed: int
    seconds: float
    problem: str | None


async def prove(one: Elsewhere) -> Proof:
    """Run its tests, from the checkout's root. A test that is named and not there is a problem, not a pass."""
    begun = time.monotonic()
    absent = [path for path in one.tests if not Path(path).exists()]
    if absent or not one.tests:
        return Proof(one, 0, 0.0, f"not there: {', '.join(absent) or 'a test'}")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q", *one.tests),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=dict(environment.inherited()),
    )
    output, _ = await process.communicate()
    text = output.decode(errors="replace")
    found = _PASSED.search(text)
    last = text.strip().splitlines()[-1] if text.strip() else "it said nothing"
    passed = int(found[1]) if found else 0
    problem = None if process.returncode == 0 and passed else last
    return Proof(one, passed, time.monotonic() - begun, problem)
