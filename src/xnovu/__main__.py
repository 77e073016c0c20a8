"""The command line: `xnovu …` and `python -m xnovu …`. Puts the commands together, turns errors into lines.

Not the place of any decision: a command is a few lines around the package that does the work; what people do by hand is
in `xnovu.commands`. The local stack is the extra `local`; its commands say so where it is not installed. Exit codes:
0 done, 1 failed with a message, 2 wrong usage or settings, 130 interrupted.
"""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from xnovu import __version__
from xnovu.commands import deadletters, notification, novu, template
from xnovu.commands.common import (
    EXIT_FAILED,
    EXIT_USAGE,
    HomeOption,
    Output,
    OutputOption,
    exit_code,
    fail,
    read_settings,
    say,
)
from xnovu.core.errors import XNovuError

LOCAL = "The local stack"
PROCESSES = "The processes of an installation"
OPERATIONS = "Notifications"
DEVELOPMENT = "Development"

app = typer.Typer(
    name="xnovu",
    help="Notifications that arrive once: Kubernetes in, Temporal in between, Novu at the end.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
crds = typer.Typer(help="The files that are generated from the models.", no_args_is_help=True)
app.add_typer(notification.app, name="notification", rich_help_panel=OPERATIONS)
app.add_typer(deadletters.app, name="deadletters", rich_help_panel=OPERATIONS)
app.add_typer(template.app, name="template", rich_help_panel=OPERATIONS)
app.add_typer(novu.app, name="novu", rich_help_panel=OPERATIONS)
app.add_typer(crds, name="crds", rich_help_panel=DEVELOPMENT)


def local_stack() -> None:
    """Leave with a line that says what to install where the extra `local` is not there."""
    try:
        import psutil  # noqa: F401, PLC0415 - the extra's marker, looked for only when it is needed
    except ImportError:
        fail("the local stack is not installed: pip install 'xnovu[local]'", EXIT_USAGE)


@app.command(rich_help_panel=LOCAL)
def up(home: HomeOption = None) -> None:
    """Start everything on this machine and watch the first notifications arrive."""
    local_stack()
    from xnovu_dev.up import run  # noqa: PLC0415 - an extra

    raise typer.Exit(run(home))


@app.command(rich_help_panel=LOCAL)
def down(home: HomeOption = None) -> None:
    """Stop the local stack. The data stays."""
    local_stack()
    from xnovu_dev.up import stop  # noqa: PLC0415 - an extra

    raise typer.Exit(stop(home, forget=False))


@app.command(rich_help_panel=LOCAL)
def reset(home: HomeOption = None) -> None:
    """Stop the local stack and forget its data."""
    local_stack()
    from xnovu_dev.up import stop  # noqa: PLC0415 - an extra

    raise typer.Exit(stop(home, forget=True))


@app.command(rich_help_panel=LOCAL)
def status(
    home: HomeOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what runs, where, and how the enterprises are. Exits 1 where something is down."""
    local_stack()
    from xnovu_dev.status import show  # noqa: PLC0415 - an extra

    raise typer.Exit(show(home, output.value))


@app.command(rich_help_panel=PROCESSES)
def operator() -> None:
    """Run the operator: custom resources in, workflows and Schedules out."""
    from xnovu_operator.__main__ import run  # noqa: PLC0415 - the worker does not pay for kopf

    raise typer.Exit(run(read_settings()))


@app.command(rich_help_panel=PROCESSES)
def worker() -> None:
    """Run the worker: notifications in, deliveries out."""
    from xnovu.worker import run  # noqa: PLC0415 - the operator does not pay for it

    raise typer.Exit(run(read_settings()))


@app.command(name="codec-server", rich_help_panel=PROCESSES)
def codec_server() -> None:
    """Open encrypted payloads for Temporal's UI and command line."""
    from xnovu.codec_server import run  # noqa: PLC0415 - neither process pays for it

    raise typer.Exit(run(read_settings()))


@app.command(name="check-config", rich_help_panel=PROCESSES)
def check_config(
    output: OutputOption = Output.YAML,
) -> None:
    """Show the settings as read from the environment, secrets hidden."""
    from xnovu.printing import print_settings  # noqa: PLC0415 - only here

    print_settings(read_settings(), output.value)


@crds.command("write")
def crds_write(root: Annotated[Path, typer.Option(help="The checkout.")] = Path()) -> None:
    """Write the CRDs and the reference pages from the models."""
    from xnovu import crdgen  # noqa: PLC0415 - only here

    crdgen.write(root)


@crds.command("check")
def crds_check(root: Annotated[Path, typer.Option(help="The checkout.")] = Path()) -> None:
    """Fail where a generated file differs from what the models say."""
    from xnovu import crdgen  # noqa: PLC0415 - only here

    different = crdgen.check(root)
    if different:
        fail("not as generated, run `make generate`: " + ", ".join(map(str, different)))


@app.callback(invoke_without_command=True)
def version(
    *, show: Annotated[bool, typer.Option("--version", help="Show the version and leave.")] = False
) -> None:
    """Say the version where it is asked for."""
    if show:
        typer.echo(f"xnovu {__version__}")
        raise typer.Exit


def main() -> None:
    """Entry point of the console script: every error of ours is one line, never a traceback."""
    # A command says by itself what is wrong; the processes set up their own logs (`telemetry.set_up_logs`).
    logging.getLogger("xnovu").addHandler(logging.NullHandler())
    try:
        code = app(standalone_mode=False)
    except TyperException as error:
        if error.format_message():
            say(f"{error.format_message().rstrip('.')}; --help says how")
        sys.exit(error.exit_code)
    except typer.Abort:
        say("nothing was done")
        sys.exit(EXIT_FAILED)
    except XNovuError as error:
        say(error.message)
        sys.exit(exit_code(error))
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
