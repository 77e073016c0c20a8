"""The look of the views: headings, facts in two columns, tables, and the same as JSON or YAML.

Everything that came from somewhere else is passed as plain text, never as markup. Used by the views only.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, is_dataclass
from typing import Final

from pydantic import JsonValue, TypeAdapter
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from xnovu.commands.common import Output
from xnovu.commands.text import line, number
from xnovu.core.contracts.notifications import NotificationStatus
from xnovu.printing import print_data

STYLES: Final = {
    NotificationStatus.PENDING: "yellow",
    NotificationStatus.PROCESSING: "cyan",
    NotificationStatus.SENT: "green",
    NotificationStatus.FAILED: "red",
    NotificationStatus.RETRACTED: "magenta",
}
SHOWN: Final = 20
"""Lines of a list on a terminal; JSON and YAML have all."""

NAMED: Final = 3
"""Recipients that are named beside their number."""

_JSON: Final = TypeAdapter(JsonValue)
_ANY: Final[TypeAdapter[object]] = TypeAdapter(object)
_LONGEST: Final = 1000


def heading(title: str, more: str = "") -> Text:
    """The first line of a section."""
    return Text.assemble((title, "bold"), "  " if more else "", (line(more), "dim"))


def facts(pairs: Iterable[tuple[str, str | None]]) -> RenderableType:
    """Names and values; a value that is None or empty has no line."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs:
        if value:
            table.add_row(name, Text(line(value, _LONGEST)))
    return Padding(table, (0, 0, 0, 2), expand=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], wide: int = -1) -> RenderableType:
    """Rows without a frame. `wide`: the column that may wrap; the others keep their width."""
    made = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for index, name in enumerate(columns):
        stretches = index == wide % len(columns)
        made.add_column(name, no_wrap=not stretches, overflow="fold" if stretches else "ellipsis")
    for row in rows:
        made.add_row(*(Text(line(cell, _LONGEST)) for cell in row))
    return Padding(made, (0, 0, 0, 2), expand=False)


def note(text: str) -> RenderableType:
    """A dim remark."""
    return Padding(Text(line(text, _LONGEST), style="dim"), (0, 0, 0, 2), expand=False)


def people(recipients: Sequence[str], topics: Sequence[str]) -> str:
    """How many, and the first of them."""
    shown = ", ".join(recipients[:NAMED]) + (" …" if len(recipients) > NAMED else "")
    people = f"{len(recipients)}: {shown}" if recipients else "none"
    return f"{people}; topics {', '.join(topics)}" if topics else people


def left_out(
    count: int, one: str, many: str, end: str = "more; --output json has all"
) -> Iterator[RenderableType]:
    """A remark that there are more; nothing where there are not."""
    if count > 0:
        yield note(f"… {number(count, one, many)} {end}")


def status(value: NotificationStatus) -> Text:
    """A status in its colour."""
    return Text(f"● {value}", style=f"bold {STYLES[value]}")


def show(console: Console, parts: Iterable[RenderableType]) -> None:
    """Print them, one under the other. In a file no line ends with spaces."""
    if console.is_terminal:
        console.print(Group(*parts))
        return
    with console.capture() as captured:
        console.print(Group(*parts))
    for text in captured.get().splitlines():
        console.print(text.rstrip(), markup=False, soft_wrap=True)


def document(value: object) -> JsonValue:
    """Frozen values as JSON has them."""
    plain = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    return _JSON.validate_python(_ANY.dump_python(plain, mode="json"))


def print_document(value: object, output: Output) -> None:
    """As JSON or YAML."""
    print_data(document(value), "json" if output is Output.JSON else "yaml")
