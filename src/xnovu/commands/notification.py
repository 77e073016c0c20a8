"""`xnovu notification …`: the commands for one notification. What they do is in `notification_work`.

Light to import: help and completion load no client.
"""

from typing import Annotated

import typer

from xnovu.commands.common import (
    EnterpriseOption,
    NotificationArgument,
    Output,
    OutputOption,
    StackOption,
)

app = typer.Typer(
    help="One notification: its life from row to recipient, and what can be done about it.",
    no_args_is_help=True,
)


@app.command("show")
def show(
    notification: NotificationArgument,
    enterprise: EnterpriseOption = None,
    output: OutputOption = Output.TABLE,
    home: StackOption = None,
) -> None:
    """Show its row, its workflow in Temporal, its deliveries, and what Novu says of it.

    Where Temporal or Novu does not answer, that part says so and the rest is shown.
    """
    from xnovu.commands import notification_work as work  # noqa: PLC0415 - see above

    work.show(home, enterprise, notification, output)


@app.command("retract")
def retract(
    notification: NotificationArgument,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; the row keeps it.")],
    enterprise: EnterpriseOption = None,
    output: OutputOption = Output.TABLE,
    home: StackOption = None,
) -> None:
    """Withdraw it: nothing more is sent, and the worker undoes what can be undone.

    An e-mail cannot be unsent; `show` has the report.
    """
    from xnovu.commands import notification_work as work  # noqa: PLC0415 - see above

    work.retract(home, enterprise, notification, reason, output)


@app.command("replay")
def replay(
    notification: NotificationArgument,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be sent, and to whom.")
    ] = False,
    enterprise: EnterpriseOption = None,
    output: OutputOption = Output.TABLE,
    home: StackOption = None,
) -> None:
    """Send a FAILED one again, as a new generation. Whom an earlier one reached is left out.

    With --dry-run, exit 1 means that it would fail again.
    """
    from xnovu.commands import notification_work as work  # noqa: PLC0415 - see above

    if dry_run:
        work.dry_run(home, enterprise, notification, output, replayed=True)
    else:
        work.replay(home, enterprise, notification, output)


@app.command("dry-run")
def dry_run(
    notification: NotificationArgument,
    enterprise: EnterpriseOption = None,
    output: OutputOption = Output.TABLE,
    home: StackOption = None,
) -> None:
    """Validate and render it as the worker would, and show what would be sent. Sends nothing.

    Exit 1 means that it cannot be sent as it is.
    """
    from xnovu.commands import notification_work as work  # noqa: PLC0415 - see above

    work.dry_run(home, enterprise, notification, output, replayed=False)
