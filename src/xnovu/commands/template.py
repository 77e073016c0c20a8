"""`xnovu template …`: the commands that try templates. What they do is in `template_work`.

Light to import: help and completion load no client.
"""

from pathlib import Path
from typing import Annotated

import typer

from xnovu.commands.common import EnterpriseOption, Output, OutputOption, StackOption
from xnovu.core.contracts.notifications import Channel

app = typer.Typer(help="Templates, tried as the worker would use them.", no_args_is_help=True)


@app.command("render")
def render(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The template's key.")],
    data: Annotated[
        str,
        typer.Option(
            "--data",
            "-d",
            metavar="FILE|JSON",
            help="The payload: JSON, a file of JSON or YAML, or - for standard input.",
        ),
    ] = "{}",
    channel: Annotated[
        Channel | None,
        typer.Option(
            "--channel", "-c", help="For which channel.", show_default="the template's own"
        ),
    ] = None,
    enterprise: EnterpriseOption = None,
    output: OutputOption = Output.TABLE,
    home: StackOption = None,
) -> None:
    """Render a published template with the payload that you give, and show subject and body.

    Exit 1 means that it cannot be rendered; the line says where and why.
    """
    from xnovu.commands import template_work as work  # noqa: PLC0415 - see above

    work.render(home, enterprise, key, data, channel, output)


@app.command("lint")
def lint(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILES]...", help="Files, each the text of one template."),
    ] = None,
    enterprise: Annotated[
        str | None,
        typer.Option(
            "--enterprise",
            "-e",
            metavar="UUID",
            help="All templates and workflows that this enterprise may use.",
        ),
    ] = None,
    output: OutputOption = Output.TABLE,
    home: StackOption = None,
) -> None:
    """Look for what would stop a notification: syntax, limits, templates that are missing or go in circles.

    Exit 1 means that there is something.
    """
    from xnovu.commands import template_work as work  # noqa: PLC0415 - see above

    work.lint(home, enterprise, tuple(files or ()), output)
