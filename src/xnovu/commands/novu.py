"""`xnovu novu …`: what Novu must have for XNovu to deliver through it. What is done is in `novu_work`.

Light to import: help and completion load no client.
"""

import typer

from xnovu.commands.common import EnterpriseOption, Output, OutputOption, StackOption

app = typer.Typer(help="What Novu must have for XNovu to deliver through it.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """What Novu must have for XNovu to deliver through it."""


@app.command("sync")
def sync(
    enterprise: EnterpriseOption = None,
    output: OutputOption = Output.TABLE,
    home: StackOption = None,
) -> None:
    """Create or update the one workflow that carries content rendered by XNovu.

    In the Novu of an enterprise, else in that of the installation. Safe to repeat: only a difference is written.
    """
    from xnovu.commands import novu_work as work  # noqa: PLC0415 - see above

    work.sync(home, enterprise, output)
