"""`xnovu notification dry-run` as people see it, and as JSON or YAML. Prints; decides nothing."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from xnovu.commands import printing
from xnovu.commands.common import Output, console
from xnovu.commands.printing import SHOWN, facts, heading, left_out, note, people, table
from xnovu.commands.rehearsal import Rehearsal
from xnovu.commands.text import block, line
from xnovu.core.records import JsonObject


def print_rehearsal(rehearsed: Rehearsal, output: Output) -> None:
    """What would be sent, or why nothing would."""
    if output is not Output.TABLE:
        printing.print_document(_rehearsal_document(rehearsed), output)
        return
    n = rehearsed.notification
    title = Text.assemble((f"Notification {n.id}", "bold"), f"  {line(n.name)}")
    if rehearsed.content is None:
        sentence = Text.assemble(
            ("✗ would fail", "bold red"),
            f"  {rehearsed.reason}: {line(rehearsed.message or '', 1000)}",
        )
        printing.show(console(), [title, sentence])
        return
    sentence = Text.assemble(
        ("✓ would be sent", "bold green"),
        f"  as generation {rehearsed.generation}; it is {n.status}, and this dry run sent nothing",
    )
    printing.show(console(), [title, sentence, Text(), *_would_be_sent(rehearsed)])


def _would_be_sent(rehearsed: Rehearsal) -> Iterator[RenderableType]:
    content = rehearsed.content
    if content is None:
        return
    yield heading("Trigger", f"Novu's workflow {content.workflow_key}")
    yield facts(
        (
            ("workflow", rehearsed.workflow_key),
            ("channels", ", ".join(content.channels) or "the workflow's own"),
            (
                "recipients",
                people(rehearsed.notification.recipients, rehearsed.notification.topics),
            ),
            ("digest", content.digest),
        )
    )
    yield table(
        ("CHUNK", "RECIPIENTS", "TOPICS", "TRANSACTION"),
        (
            (str(c.index), str(len(c.recipients)), str(len(c.topics)), rehearsed.transaction(c))
            for c in rehearsed.chunks[:SHOWN]
        ),
    )
    yield from left_out(len(rehearsed.chunks) - SHOWN, "chunk", "chunks")
    texts = rendered(content.payload)
    for channel, (subject, body) in texts.items():
        yield Text()
        yield heading(channel.upper())
        yield facts((("subject", subject),))
        yield Padding(Text(block(body)), (0, 0, 0, 4), expand=False)
    if not texts:
        yield note(
            "a STATIC workflow: the content lives in Novu, and the payload is passed on as it is"
        )


def rendered(payload: JsonObject) -> dict[str, tuple[str, str]]:
    """Subject and body by channel, of a payload that carries rendered content; empty for any other."""
    ours = payload.get("xnovu")
    found = ours.get("rendered") if isinstance(ours, dict) else None
    if not isinstance(found, dict):
        return {}
    return {
        channel: (str(text.get("subject") or ""), str(text.get("body") or ""))
        for channel, text in found.items()
        if isinstance(text, dict)
    }


def _rehearsal_document(rehearsed: Rehearsal) -> dict[str, object]:
    n, content = rehearsed.notification, rehearsed.content
    found: dict[str, object] = {
        "notification": n.id,
        "status": n.status,
        "generation": rehearsed.generation,
        "workflow": rehearsed.workflow_key,
        "can_be_sent": content is not None,
        "reason": rehearsed.reason,
        "message": rehearsed.message,
    }
    if content is None:
        return found
    return found | {
        "novu_workflow": content.workflow_key,
        "channels": list(content.channels),
        "digest": content.digest,
        "chunks": [
            {
                "index": c.index,
                "recipients": list(c.recipients),
                "topics": list(c.topics),
                "transaction_id": rehearsed.transaction(c),
            }
            for c in rehearsed.chunks
        ],
        "payload": dict(content.payload),
        "overrides": dict(content.overrides),
    }
