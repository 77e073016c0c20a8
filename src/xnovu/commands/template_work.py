"""What `xnovu template …` does: renders and lints templates exactly as the worker would.

Rendering is `rendering`'s, what lint finds `template_lint`'s. Called by `template`.
"""

from collections.abc import Sequence
from pathlib import Path

import typer
from rich.padding import Padding
from rich.text import Text

from xnovu.commands import printing
from xnovu.commands.common import EXIT_FAILED, EXIT_USAGE, Output, console, fail, run
from xnovu.commands.rendering import render_template
from xnovu.commands.systems import open_systems
from xnovu.commands.template_data import read_data
from xnovu.commands.template_lint import Linted, lint_library, lint_sources
from xnovu.commands.text import block, number
from xnovu.core.contracts.notifications import Channel
from xnovu.core.errors import SettingsInvalid


def render(
    home: Path | None,
    enterprise: str | None,
    key: str,
    data: str,
    channel: Channel | None,
    output: Output,
) -> None:
    """Print subject and body."""

    async def work() -> tuple[Channel, str, str]:
        variables = read_data(data)
        async with open_systems(home) as systems:
            owner = await systems.enterprise(enterprise)
            fetch = systems.tenants.database(owner.ref).templates
            return await render_template(owner.id, key, channel, variables, fetch)

    used, subject, body = run(work())
    if output is not Output.TABLE:
        printing.print_document(
            {"template": key, "channel": used, "subject": subject, "body": body}, output
        )
        return
    title = printing.heading(f"Template {key}", f"for {used}")
    text = Padding(Text(block(body)), (0, 0, 0, 2), expand=False)
    printing.show(console(), [title, printing.facts([("subject", subject)]), Text(), text])


def lint(home: Path | None, enterprise: str | None, files: Sequence[Path], output: Output) -> None:
    """Print what is wrong with the files, and with what the enterprise has."""
    if not files and enterprise is None:
        fail("say what to look at: files, or --enterprise ID", EXIT_USAGE)

    async def work() -> Linted:
        found = lint_sources({str(path): _source(path) for path in files})
        if enterprise is None:
            return found
        async with open_systems(home) as systems:
            owner = await systems.enterprise(enterprise)
            operations = systems.tenants.operations(owner.ref)
            stored = lint_library(await operations.templates(), await operations.workflows())
        return Linted(found.looked_at + stored.looked_at, (*found.problems, *stored.problems))

    found = run(work())
    _print_linted(found, output)
    if found.problems:
        raise typer.Exit(EXIT_FAILED)


def _source(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise SettingsInvalid(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsInvalid(f"{path} is no UTF-8 text") from None


def _print_linted(found: Linted, output: Output) -> None:
    if output is not Output.TABLE:
        printing.print_document(found, output)
        return
    looked = number(found.looked_at, "text or workflow", "texts and workflows")
    if not found.problems:
        printing.show(console(), [Text.assemble(("✓ ", "bold green"), f"{looked}, nothing found")])
        return
    count = number(len(found.problems), "problem")
    rows = [(p.where, p.message) for p in found.problems]
    title = Text.assemble(("✗ ", "bold red"), f"{count} in {looked}")
    printing.show(console(), [title, printing.table(("WHERE", "WHAT"), rows)])
