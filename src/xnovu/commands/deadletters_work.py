"""What `xnovu deadletters …` does: lists what failed for good, and makes what matches a new generation.

A FAILED notification is never picked up again by itself. What a replay would come to is `prospects`', how it looks
`deadletters_view`'s. Called by `deadletters`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import Progress

from xnovu.commands.common import EXIT_USAGE, Output, fail, is_interactive, run
from xnovu.commands.deadletters_view import print_list, print_prospects, print_replayed
from xnovu.commands.filters import Wanted, dead_filter
from xnovu.commands.prospects import Prospect, intake_warning, prospects
from xnovu.commands.systems import Enterprise, Systems, open_systems
from xnovu.commands.text import number
from xnovu.core.errors import NotificationNotFound
from xnovu.core.inspection import DeadFilter, DeadLetter, DeadLetters


def list_all(home: Path | None, enterprise: str | None, wanted: Wanted, output: Output) -> None:
    """Print those that match: all by reason, the newest one by one."""

    async def work() -> tuple[str, DeadLetters]:
        chosen = dead_filter(wanted, _now())
        async with open_systems(home) as systems:
            owner = await systems.enterprise(enterprise)
            return owner.id, await systems.tenants.operations(owner.ref).dead_letters(chosen)

    owner, found = run(work())
    print_list(owner, found, output, _now())


def replay_all(
    home: Path | None,
    enterprise: str | None,
    wanted: Wanted,
    output: Output,
    *,
    dry_run: bool,
    yes: bool,
) -> None:
    """Replay those that match, after a look and a question; exactly those that were looked at."""
    if wanted.is_empty:
        fail("say which ones: --reason, --id, --since, or --all", EXIT_USAGE)
    asks = not dry_run and not yes
    if asks and not (is_interactive() and output is Output.TABLE):
        fail("nobody is there to be asked: look with --dry-run, then add --yes", EXIT_USAGE)

    async def work() -> None:
        chosen = dead_filter(wanted, _now())
        async with open_systems(home) as systems:
            owner = await systems.enterprise(enterprise)
            letters = await _chosen(systems, owner, chosen)
            missing = sorted(set(wanted.ids) - {letter.id for letter in letters})
            warning = intake_warning(owner)
            if asks or dry_run:
                found = await _prospects(systems, owner, letters)
                print_prospects(found, missing, warning, output)
            if dry_run:
                return
            if asks:
                _confirm(len(letters))
            again = DeadFilter(ids=tuple(letter.id for letter in letters), limit=len(letters))
            replayed = await systems.tenants.operations(owner.ref).replay_all(again, dry_run=False)
            print_replayed(replayed, missing, warning, output)

    run(work())


async def _chosen(
    systems: Systems, owner: Enterprise, wanted: DeadFilter
) -> tuple[DeadLetter, ...]:
    """Those that match. Raises NotificationNotFound where none does."""
    letters = await systems.tenants.operations(owner.ref).replay_all(wanted, dry_run=True)
    if not letters:
        raise NotificationNotFound(
            f"no FAILED notification of enterprise {owner.id} matches:"
            " `xnovu deadletters list` shows what there is"
        )
    return letters


async def _prospects(
    systems: Systems, owner: Enterprise, letters: Sequence[DeadLetter]
) -> tuple[Prospect, ...]:
    """With progress where somebody watches."""
    watched = Console(stderr=True)
    with Progress(console=watched, transient=True, disable=not watched.is_terminal) as progress:
        task = progress.add_task("looking at each", total=len(letters))
        return await prospects(systems, owner, letters, lambda: progress.advance(task))


def _confirm(count: int) -> None:
    if not typer.confirm(f"Replay {number(count, 'notification')}?"):
        fail("nothing was replayed")


def _now() -> datetime:
    return datetime.now(UTC)
