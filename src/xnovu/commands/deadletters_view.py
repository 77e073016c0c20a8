"""`xnovu deadletters` as people see it, and as JSON or YAML. Prints; decides nothing."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.console import RenderableType
from rich.text import Text

from xnovu.commands import printing
from xnovu.commands.common import Output, console
from xnovu.commands.printing import document, heading, note, table
from xnovu.commands.prospects import Outlook, Prospect
from xnovu.commands.text import number, roughly
from xnovu.core.inspection import DeadLetter, DeadLetters

_SAID = {
    Outlook.GOES: "would go",
    Outlook.FAILS: "would fail again",
    Outlook.WAITS: "would wait",
}


def print_list(enterprise: str, found: DeadLetters, output: Output, now: datetime) -> None:
    """All by reason, then the newest one by one."""
    if output is not Output.TABLE:
        printing.print_document({"enterprise": enterprise, "dead_letters": document(found)}, output)
        return
    title = heading("Dead letters", f"{found.total} of enterprise {enterprise}")
    printing.show(console(), [title, *_list(found, now)])


def _list(found: DeadLetters, now: datetime) -> Iterator[RenderableType]:
    if not found.total:
        yield note("none that match: nothing failed for good")
        return
    yield table(
        ("REASON", "COUNT", "NEWEST", "OLDEST", "EXAMPLES", "MESSAGE OF THE NEWEST"),
        (
            (
                r.reason,
                str(r.count),
                roughly(r.newest, now),
                roughly(r.oldest, now),
                ", ".join(map(str, r.examples)),
                r.message or "",
            )
            for r in found.reasons
        ),
    )
    yield Text()
    yield heading(
        "Newest first",
        "" if len(found.rows) == found.total else f"{len(found.rows)} of {found.total}",
    )
    yield table(
        ("ID", "FAILED", "REASON", "WORKFLOW", "TRIES", "GEN", "NAME"),
        (
            (
                str(r.id),
                roughly(r.failed_at, now),
                r.reason,
                r.workflow_key or "none",
                str(r.attempts),
                str(r.generation),
                r.name,
            )
            for r in found.rows
        ),
    )
    yield Text()
    first = found.reasons[0].reason
    yield note(f"xnovu notification show ID · xnovu deadletters replay --reason {first} --dry-run")


def print_prospects(
    found: Sequence[Prospect], missing: Sequence[int], warning: str | None, output: Output
) -> None:
    """What a replay would come to."""
    if output is not Output.TABLE:
        printing.print_document(
            {
                "replayed": False,
                "warning": warning,
                "not_failed": list(missing),
                "rows": document(found),
            },
            output,
        )
        return
    counts = Counter(p.outlook for p in found)
    summary = ", ".join(f"{counts[o]} {_SAID[o]}" for o in Outlook if counts[o])
    printing.show(
        console(),
        [
            heading("Would be replayed", f"{len(found)}: {summary}" if found else "none"),
            *_outlooks(counts),
            table(
                ("ID", "FAILED WITH", "NOW", "WHY", "NAME"),
                (
                    (str(p.letter.id), p.letter.reason, p.outlook, p.why, p.letter.name)
                    for p in found
                ),
                wide=3,
            ),
            *_notes(missing, warning),
        ],
    )


def _outlooks(counts: Counter[Outlook]) -> Iterator[RenderableType]:
    if counts[Outlook.FAILS]:
        yield Text("  mend what fails first: a replay would only fail it again", style="red")


def _notes(missing: Sequence[int], warning: str | None) -> Iterator[RenderableType]:
    if missing:
        ids = ", ".join(map(str, missing))
        yield note(f"left out, not FAILED or not of this enterprise: {ids}")
    if warning is not None:
        yield Text(f"  {warning}", style="yellow")


def print_replayed(
    replayed: Sequence[DeadLetter], missing: Sequence[int], warning: str | None, output: Output
) -> None:
    """What was replayed."""
    if output is not Output.TABLE:
        printing.print_document(
            {
                "replayed": True,
                "warning": warning,
                "not_failed": list(missing),
                "rows": document(replayed),
            },
            output,
        )
        return
    reasons = Counter(letter.reason for letter in replayed)
    by_reason = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    printing.show(
        console(),
        [
            heading("Replayed", f"{number(len(replayed), 'notification')}: {by_reason}"),
            table(
                ("ID", "FAILED WITH", "GEN", "NAME"),
                ((str(r.id), r.reason, str(r.generation), r.name) for r in replayed),
            ),
            *_notes(missing, warning),
        ],
    )
