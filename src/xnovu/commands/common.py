"""What all commands share: options, output formats, exit codes, and how a failure is said.

Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 130 interrupted. A failure is one line on standard error, never
a traceback. Used by every module of commands and by `xnovu.__main__`.
"""

import asyncio
import sys
from collections.abc import Coroutine
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn, TypeVar

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console
from rich.text import Text

from xnovu.commands.text import line
from xnovu.core.errors import CredentialsMissing, SettingsInvalid, XNovuError
from xnovu.settings import Settings

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 130
MAX_ID: Final = 2**63 - 1
"""Of a bigint, as rows have it."""

_PIPED_WIDTH: Final = 200
_LONGEST: Final = 2000
_T = TypeVar("_T")


class Output(StrEnum):
    """How data is printed."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


HomeOption = Annotated[
    Path | None,
    typer.Option(
        envvar="XNOVU_HOME",
        help="Folder of the stack's state.",
        show_default=".xnovu in this folder",
    ),
]
StackOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        envvar="XNOVU_HOME",
        help="Folder of the local stack that is asked where the environment names no installation.",
        show_default=".xnovu in this folder",
    ),
]
EnterpriseOption = Annotated[
    str | None,
    typer.Option(
        "--enterprise",
        "-e",
        envvar="XNOVU_ENTERPRISE",
        metavar="UUID",
        help="The enterprise's id.",
        show_default=False,
    ),
]
OutputOption = Annotated[Output, typer.Option("--output", "-o", help="How to print it.")]


def _bigint(value: int) -> int:
    if value > MAX_ID:
        raise typer.BadParameter("no notification has such an id")
    return value


NotificationArgument = Annotated[
    int, typer.Argument(metavar="ID", min=1, callback=_bigint, help="The notification's id.")
]


def say(message: str) -> None:
    """One line on standard error."""
    text = Text("xnovu: ", style="bold red") + Text(line(message, _LONGEST), style="default")
    Console(stderr=True).print(text, highlight=False, soft_wrap=True)


def fail(message: str, code: int = EXIT_FAILED) -> NoReturn:
    """Say it and leave with `code`."""
    say(message)
    raise typer.Exit(code)


def exit_code(error: XNovuError) -> int:
    """2 for what the settings lack, 1 for everything else."""
    return EXIT_USAGE if isinstance(error, CredentialsMissing | SettingsInvalid) else EXIT_FAILED


def read_settings() -> Settings:
    """Settings from the environment; a wrong one is named by its variable, its value is not shown."""
    try:
        return Settings()
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            name = "XNOVU_" + "__".join(str(part) for part in problem["loc"]).upper()
            say(f"{name}: {problem['msg']}")
        raise typer.Exit(EXIT_USAGE) from None
    except SettingsError:
        # Its text names the group only, and its cause quotes the value.
        fail(
            "a setting that holds several values is no JSON: write XNOVU_OPERATOR__NAMESPACES='[\"acme\"]'",
            EXIT_USAGE,
        )


def run(work: Coroutine[Any, Any, _T]) -> _T:
    """Run a command's work; an error of ours is said in one line."""
    try:
        return asyncio.run(work)
    except XNovuError as error:
        fail(error.message, exit_code(error))


def console() -> Console:
    """Standard output. Through a pipe lines are as long as they are, not cut at 80."""
    piped = not sys.stdout.isatty()
    return Console(highlight=False, width=_PIPED_WIDTH if piped else None)


def is_interactive() -> bool:
    """Whether somebody is there to be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()
