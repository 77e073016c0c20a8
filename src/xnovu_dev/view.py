"""What a person sees while the stack starts and the example arrives: a live table in a terminal, plain lines elsewhere.

Shows, decides nothing. Called by `xnovu_dev.up`.
"""

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from xnovu_dev.judge import Seen, State
from xnovu_dev.state import Stack

_STYLES: Final = {
    "finding": "dim",
    "found": "dim",
    "building": "yellow",
    "starting": "yellow",
    "ready": "green",
    "failed": "bold red",
    "stopped": "dim",
}
_QUIET: Final = {"finding"}
"""States that pass too quickly to be a line of a log."""
_MARKS: Final = {State.WAITING: "…", State.DONE: "✓", State.WRONG: "✗"}
_COLOURS: Final = {State.WAITING: "yellow", State.DONE: "green", State.WRONG: "bold red"}


class View(Protocol):
    """Shows how far things are."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def component(self, name: str, state: str, detail: str) -> None:
        """A component of the stack has come to a state."""

    def seen(self, verdicts: Sequence[Seen]) -> None:
        """How far the example is."""


def view(console: Console, clock: Callable[[], float] = time.monotonic) -> View:
    """The live view in a terminal, lines elsewhere."""
    return LiveView(console, clock) if console.is_terminal else LineView(console, clock)


class LineView:
    """One line a change: for logs and CI."""

    def __init__(self, console: Console, clock: Callable[[], float]) -> None:
        self._console = console
        self._clock = clock
        self._begun = clock()
        self._said: dict[str, object] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def component(self, name: str, state: str, detail: str) -> None:
        if state not in _QUIET:
            self._say(name, (state, detail), f"{state}  {name}  {detail}".rstrip())

    def seen(self, verdicts: Sequence[Seen]) -> None:
        for verdict in verdicts:
            label = verdict.expectation.label
            text = f"{verdict.state.value}  {label} ({verdict.expectation.how})  {outcome(verdict)}"
            self._say(label, text, text)

    def _say(self, name: str, what: object, text: str) -> None:
        if self._said.get(name) != what:
            self._said[name] = what
            self._console.print(
                f"{self._clock() - self._begun:6.1f}s  {text}",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )


class LiveView:
    """Two tables that fill themselves: what runs, and what has arrived."""

    def __init__(self, console: Console, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._begun = clock()
        self._components: dict[str, tuple[str, str]] = {}
        self._verdicts: Sequence[Seen] = ()
        self._live = Live(
            self._render(), console=console, refresh_per_second=8, get_renderable=self._render
        )

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def component(self, name: str, state: str, detail: str) -> None:
        self._components[name] = (state, detail)

    def seen(self, verdicts: Sequence[Seen]) -> None:
        self._verdicts = verdicts

    def _render(self) -> RenderableType:
        parts: list[RenderableType] = [components_table(self._components)]
        if self._verdicts:
            parts += [Text(), arrivals_table(self._verdicts)]
        if self._busy():
            text = Text(f"{self._clock() - self._begun:.0f} s", style="dim")
            parts.append(Spinner("dots", text, style="cyan"))
        return Group(*parts)

    def _busy(self) -> bool:
        starting = any(state not in {"ready", "failed"} for state, _ in self._components.values())
        waiting = any(v.state is State.WAITING for v in self._verdicts)
        return starting or waiting or not (self._components or self._verdicts)


def components_table(components: dict[str, tuple[str, str]]) -> Table:
    table = Table("COMPONENT", "STATE", "", box=None, pad_edge=False, header_style="dim")
    for name, (state, detail) in components.items():
        style = _STYLES.get(state, "")
        table.add_row(name, Text(state, style=style), Text(detail, style="dim"))
    return table


def arrivals_table(verdicts: Sequence[Seen]) -> Table:
    table = Table(
        "", "NOTIFICATION", "HOW", "OUTCOME", box=None, pad_edge=False, header_style="dim"
    )
    for verdict in verdicts:
        colour = _COLOURS[verdict.state]
        table.add_row(
            Text(_MARKS[verdict.state], style=colour),
            verdict.expectation.label,
            Text(verdict.expectation.how, style="dim"),
            Text(outcome(verdict), style=colour),
        )
    return table


def outcome(verdict: Seen) -> str:
    """In words: how far one expectation is."""
    wanted = verdict.expectation
    if not verdict.status:
        return "not yet"
    if wanted.fails and verdict.state is State.DONE:
        return f"{verdict.status}: {verdict.note}, as it must"
    note = f": {verdict.note}" if verdict.note else ""
    return f"{verdict.status}{note}, delivered {verdict.delivered} of {wanted.deliveries}"


def farewell(console: Console, stack: Stack) -> None:
    """Where everything is, and what to try next."""
    table = Table(box=None, show_header=False, pad_edge=False)
    rows = (
        ("Inbox", stack.novu.inbox),
        ("Temporal", stack.temporal.ui),
        ("Operator", stack.operator.metrics if stack.operator else "not started"),
        ("Worker", stack.worker.metrics if stack.worker else "not started"),
        ("Kubernetes", f"export KUBECONFIG={stack.kubeconfig}"),
    )
    for name, value in rows:
        table.add_row(Text(name, style="dim"), Text(value, overflow="fold"))
    console.print()
    console.print(table)
    console.print()
    console.print(
        "Try next:  kubectl -n acme get enterprises,notificationrules\n"
        "           kubectl -n acme edit notificationrule shift-bell\n"
        "           make down",
        highlight=False,
    )
