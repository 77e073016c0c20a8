"""Printing of data for people and for machines: table, JSON or YAML. Called by the command line; no decisions."""

import json
from collections.abc import Mapping, Sequence
from typing import Literal

import yaml
from pydantic import JsonValue
from rich.console import Console
from rich.table import Table

from xnovu.settings import Settings

Format = Literal["table", "json", "yaml"]


def print_data(value: JsonValue, output: Format) -> None:
    """Print one document as JSON or YAML on standard output."""
    if output == "json":
        text = json.dumps(value, indent=2)
    else:
        text = yaml.safe_dump(value, sort_keys=False).rstrip()
    print(text)  # noqa: T201 - data goes to standard output, unstyled


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], title: str | None = None
) -> None:
    """Print rows as people expect them: no frame, aligned, the columns' names dim."""
    table = Table(
        *columns, box=None, pad_edge=False, header_style="dim", title=title, title_justify="left"
    )
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def print_settings(settings: Settings, output: str) -> None:
    """Print all settings by variable; a SecretStr shows as stars."""
    data = settings.model_dump(mode="json")
    if output == "table":
        print_table(
            ("SETTING", "VALUE"), [(name, str(value)) for name, value in flat(data, "XNOVU")]
        )
    else:
        print_data(data, "json" if output == "json" else "yaml")


def flat(data: Mapping[str, JsonValue], prefix: str) -> list[tuple[str, JsonValue]]:
    """Name each leaf by its environment variable."""
    rows: list[tuple[str, JsonValue]] = []
    for key, value in data.items():
        joint = "__" if prefix != "XNOVU" else "_"
        name = f"{prefix}{joint}{key.upper()}"
        if isinstance(value, Mapping):
            rows.extend(flat(value, name))
        else:
            rows.append((name, value))
    return rows
