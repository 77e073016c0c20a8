"""docs/reference/commands.md: every command, argument and option, from the command line itself. Text only, no files.

Everything said here comes from the commands' docstrings and options; a page is mended there. Used by `xnovu.crdgen`.
"""

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Final

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from xnovu.reference import page, table

_EXIT_CODES: Final = (
    ("0", "Done."),
    ("1", "Failed; one line on standard error says what, with which object, and what to do next."),
    ("2", "Wrong usage, or settings that are missing or cannot be used; one line as well."),
    ("130", "Interrupted by Ctrl-C."),
)
_INTRODUCTION: Final = """\
`xnovu COMMAND --help` says the same in the terminal; `xnovu --install-completion` installs completion for your shell.
Data goes to standard output, as a table, as JSON or as YAML; everything else goes to standard error.

The commands under *Notifications* find an enterprise's systems as the worker does: by `XNOVU_SUPABASE__URL`,
`XNOVU_NOVU__SECRET_KEY`, `XNOVU_WORKER__CREDENTIALS_DIR`, `XNOVU_TEMPORAL__ADDRESS` and their neighbours
([settings.md](settings.md)). Where none of the first three is set and a local stack is up, its `stack.json` says
everything. Whose credentials an enterprise uses, its running monitor says; where none runs or Temporal does not answer,
an enterprise that has files in `XNOVU_WORKER__CREDENTIALS_DIR` uses those, any other one the installation's. A
notification's id tells its enterprise where it is in the installation's database; elsewhere name it with
`--enterprise`. Every query is bound to that enterprise."""
_ALL_HAVE: Final = ("--help",)


def commands_page(app: typer.Typer) -> str:
    """The page."""
    root = typer.main.get_command(app)
    if not isinstance(root, TyperGroup):
        raise TypeError("the command line is a group of commands")
    return page(
        "the commands in src/xnovu/__main__.py and src/xnovu/commands",
        "Commands",
        _INTRODUCTION,
        "## Exit codes",
        table(("code", "meaning"), _EXIT_CODES),
        *_panels(root),
    )


def _panels(root: TyperGroup) -> Iterator[str]:
    """A section for each panel of `--help`, in its order."""
    panels: dict[str, list[str]] = {}
    for name, command in root.commands.items():
        if isinstance(command, TyperCommand | TyperGroup):
            panels.setdefault(str(command.rich_help_panel), []).append(name)
    for panel, names in panels.items():
        yield f"## {panel}"
        for name in names:
            yield from _command(f"xnovu {name}", root.commands[name])


def _command(path: str, command: object) -> Iterator[str]:
    """A command, or each of a group."""
    if isinstance(command, TyperGroup):
        for name, inner in command.commands.items():
            yield from _command(f"{path} {name}", inner)
        return
    parameters: list[object] = list(getattr(command, "params", ()))
    arguments = [p for p in parameters if isinstance(p, TyperArgument)]
    options = [p for p in parameters if isinstance(p, TyperOption) and not p.hidden]
    names = "".join(f" {_argument(argument)}" for argument in arguments)
    yield f"### `{path}{names}`"
    yield "\n\n".join(
        " ".join(part.split()) for part in str(getattr(command, "help", "")).split("\n\n")
    )
    rows = [(f"`{_argument(a)}`", "", a.help or "") for a in arguments]
    rows += [_option(o) for o in options if not set(o.opts) & set(_ALL_HAVE)]
    if rows:
        yield table(("argument or option", "value", "meaning"), rows)


def _argument(argument: TyperArgument) -> str:
    name = argument.metavar or str(argument.name).upper()
    return name if argument.required or name.startswith("[") else f"[{name}]"


def _option(option: TyperOption) -> tuple[str, str, str]:
    names = ", ".join(f"`{name}`" for name in option.opts)
    return f"{names}{' (required)' if option.required else ''}", _value(option), _meaning(option)


def _value(option: TyperOption) -> str:
    if option.is_flag:
        return ""
    if option.metavar is not None:
        return option.metavar
    kind = option.type_descriptor.annotation
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " | ".join(str(member.value) for member in kind)
    return {str: "text", int: "number", list[int]: "number", Path: "path"}.get(kind, str(kind))


def _meaning(option: TyperOption) -> str:
    parts = [option.help or ""]
    if isinstance(option.show_default, str):
        parts.append(f"Default: {option.show_default}.")
    elif option.default not in {None, False}:
        default = option.default.value if isinstance(option.default, Enum) else option.default
        parts.append(f"Default: `{default}`.")
    if option.envvar:
        parts.append(f"Also `{option.envvar}`.")
    return " ".join(parts)
