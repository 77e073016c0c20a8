"""`python -m xnovu_dev.faults`: prints the fault table. Exit codes: 0 all held, 1 something did not, 2 wrong usage.

It starts servers of its own and stops them, or takes a stack that is up (`--home`). `--subject plan` does the same to
the baseline, of which nothing is expected: exit code 0 whatever happens to it.
"""

import argparse
import asyncio
import logging
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from xnovu_dev import stack
from xnovu_dev.faults import report
from xnovu_dev.faults.case import Case
from xnovu_dev.faults.elsewhere import prove
from xnovu_dev.faults.run import Result, run
from xnovu_dev.faults.subject import SUBJECTS
from xnovu_dev.faults.table import chosen, elsewhere
from xnovu_dev.faults.world import world
from xnovu_dev.problems import StackError
from xnovu_dev.state import Stack


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="xnovu_dev.faults", description=__doc__)
    parser.add_argument("faults", nargs="*", help="F1, or F1-after-novu; default: all of them")
    parser.add_argument("--subject", choices=SUBJECTS, default="xnovu", help="which worker program")
    parser.add_argument("--full", action="store_true", help="outages of 60 s instead of 6 s")
    parser.add_argument("--home", type=Path, help="a stack to use; default: one of our own")
    parser.add_argument(
        "--keep",
        type=Path,
        help="folder for logs; default: a temporary one, kept when something broke",
    )
    given = parser.parse_args(arguments)
    console = report.console()
    set_up_logs()
    try:
        cases = chosen(given.faults)
    except ValueError as error:
        parser.error(str(error))
    folder = given.keep or Path(tempfile.mkdtemp(prefix="xnovu-faults-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with servers(given.home, folder, console) as found:
            return asyncio.run(_run(found, folder, given, cases, console))
    except StackError as error:
        console.print(f"[bold red]faults:[/] {error}", highlight=False)
        return 1


def set_up_logs() -> None:
    """Only what the suite itself has to say. asyncio would tell of every call that was given up, which is what we do."""
    logging.basicConfig(level=logging.ERROR)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)


@contextmanager
def servers(home: Path | None, folder: Path, console: Console) -> Iterator[Stack]:
    """The stack of `home`, or one that ends with the block."""
    if home is not None:
        loaded = stack.load(home)
        if loaded is None:
            raise StackError(f"no stack is up in {home}: make up starts one")
        yield loaded
        return
    console.print("starting servers", style="dim")
    own = folder / "stack"
    own.mkdir(exist_ok=True)
    try:
        yield stack.start(own, components=(), owner=os.getpid())
    finally:
        stack.stop(own, forget=False)


async def _run(
    found: Stack, folder: Path, given: argparse.Namespace, cases: Sequence[Case], console: Console
) -> int:
    subject, begun, done = SUBJECTS[given.subject], time.monotonic(), 0
    cases = [c for c in cases if subject.ours or not c.ours_only]

    def said(result: Result) -> None:
        nonlocal done
        done += 1
        report.progress(console, result, done, len(cases))

    async with world(found, folder, subject=subject, full=given.full) as made:
        results = await run(made, cases, said)
    proofs = [await prove(one) for one in elsewhere(given.faults)] if subject.ours else []
    console.print()
    length = "outages of 60 s" if given.full else "outages of 6 s"
    title = f"{subject.title}, {length}"
    console.print(report.table(results, proofs, title, judged=subject.ours))
    console.print()
    console.print(report.summary(results, time.monotonic() - begun), highlight=False)
    broken = any(not r.good for r in results) or any(p.problem for p in proofs)
    if broken and subject.ours:
        console.print(f"logs: {folder}", highlight=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
