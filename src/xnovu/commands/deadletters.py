"""`xnovu deadletters …`: the commands for what failed for good. What they do is in `deadletters_work`.

Light to import: help and completion load no client.
"""

from typing import Annotated, Final

import typer

from xnovu.commands.common import EnterpriseOption, Output, OutputOption, StackOption
from xnovu.commands.filters import Wanted, complete_reason

MOST: Final = 1000
"""One call takes so many at most: they come back into one queue, and others wait in it too."""

app = typer.Typer(
    help="Notifications that failed for good: by reason, and back in.", no_args_is_help=True
)

Reason = Annotated[
    str | None,
    typer.Option(
        "--reason", "-r", help="Only those of this reason.", autocompletion=complete_reason
    ),
]
Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        metavar="TIME",
        help="Only those that failed since then: 30m, 24h, 7d, or a time.",
    ),
]


@app.command("list")
def list_(
    reason: Reason = None,
    since: Since = None,
    limit: Annotated[
        int, typer.Option(min=1, max=MOST, help="How many to show one by one, the newest first.")
    ] = 20,
    enterprise: EnterpriseOption = None,
    output: OutputOption = Output.TABLE,
    home: StackOption = None,
) -> None:
    """Show how many failed with which reason, and the newest of them."""
    from xnovu.commands import deadletters_work as work  # noqa: PLC0415 - see above

    work.list_all(home, enterprise, Wanted(reason, since, (), limit), output)


@app.command("replay")
def replay(
    *,
    reason: Reason = None,
    ids: Annotated[
        list[int] | None,
        typer.Option("--id", min=1, help="Only this one; may be repeated."),
    ] = None,
    since: Since = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them, within --limit.")] = False,
    limit: Annotated[
        int, typer.Option(min=1, max=MOST, help="How many at most, the oldest first.")
    ] = 100,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only show what would be replayed, and how it would go."),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not look first, do not ask.")
    ] = False,
    enterprise: EnterpriseOption = None,
    output: OutputOption = Output.TABLE,
    home: StackOption = None,
) -> None:
    """Send those that match again, each as a new generation. Whom an earlier one reached is left out.

    Each is tried first as the worker would, without sending it, and you are asked. Without a terminal --yes is needed.

    Exit 1 means that nothing matches, or that you said no.
    """
    from xnovu.commands import deadletters_work as work  # noqa: PLC0415 - see above

    wanted = Wanted(reason, since, tuple(ids or ()), limit, everything=everything)
    work.replay_all(home, enterprise, wanted, output, dry_run=dry_run, yes=yes)
