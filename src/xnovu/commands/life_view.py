"""`xnovu notification show` as people see it, and as JSON or YAML. Prints; decides nothing."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue
from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from xnovu.adapters.runs import Run
from xnovu.commands import printing
from xnovu.commands.common import Output, console
from xnovu.commands.printing import SHOWN, document, facts, heading, left_out, note, people, table
from xnovu.commands.text import length, line, number, relative, roughly, when
from xnovu.commands.verdict import Found, verdict
from xnovu.core.inspection import Life
from xnovu.core.records import FeedEntry, FeedJob, JobState, JsonObject


@dataclass(frozen=True, slots=True)
class Feed:
    """What Novu's feed says, by transaction. `unasked`: transactions that were left out. `problem`: it did not say."""

    entries: dict[str, tuple[FeedEntry, ...]]
    unasked: int = 0
    problem: str | None = None


def print_life(found: Found, feed: Feed, output: Output) -> None:
    """The whole life of one notification."""
    if output is not Output.TABLE:
        printing.print_document(
            {
                "summary": verdict(found),
                "notification": document(found.life),
                "temporal": _run_document(found),
                "novu": document(feed),
            },
            output,
        )
        return
    life = found.life
    title = Text.assemble((f"Notification {life.id}", "bold"), f"  {line(life.name)}")
    sentence = Text.assemble(printing.status(life.status), " ", line(verdict(found), 1000))
    printing.show(
        console(),
        [
            title,
            sentence,
            Text(),
            heading("Row"),
            facts(_row(life)),
            *_temporal(found),
            *_deliveries(life),
            *_feed(feed),
        ],
    )


def _row(life: Life) -> Iterator[tuple[str, str | None]]:
    now = life.asked_at
    kind = f"{life.workflow} ({life.workflow_type})" if life.workflow else None
    unusable = f"row {life.workflow_id}: not there for this enterprise, or not published"
    yield "enterprise", life.enterprise_id
    yield "workflow", kind or (unusable if life.workflow_id else "none")
    yield "rule", f"{life.rule_id}" if life.rule_id else None
    yield "dedupe key", life.dedupe_key
    yield "channels", ", ".join(life.channels) or "the workflow's own"
    yield "recipients", people(life.recipients, life.topics)
    yield "created", when(life.created_at, now)
    yield "scheduled", when(life.scheduled_for, now) if life.scheduled_for else None
    yield "published", None if life.published else f"no ({_unpublished(life)})"
    yield "processed", _processed(life)
    yield "attempts", _attempts(life)
    yield "owner", life.owner
    yield "lease until", when(life.lease_expires_at, now) if life.lease_expires_at else None
    yield "transaction", life.transaction_id
    yield "reason", f"{life.reason}: {life.message or 'no message'}" if life.reason else None
    yield "reached before", f"{life.reached}; a replay leaves them out" if life.reached else None
    yield "withdrawn", _withdrawn(life)
    yield "undone", _undone(life.retraction_report)


def _attempts(life: Life) -> str:
    replays = f", replayed {number(life.generation, 'time')}" if life.generation else ""
    return f"{life.attempts or 'none'}{replays}"


def _unpublished(life: Life) -> str:
    return "deactivated" if life.deactivated else life.publish_status


def _processed(life: Life) -> str | None:
    if life.processed_at is None:
        return None
    return f"{when(life.processed_at, life.asked_at)}, {length(life.processed_at - life.due_at)} after it was due"


def _withdrawn(life: Life) -> str | None:
    if life.retracted_at is None:
        return None
    return (
        f"{when(life.retracted_at, life.asked_at)}: {life.retraction_reason or 'no reason given'}"
    )


def _undone(report: JsonObject | None) -> str | None:
    """By channel; what became of each recipient's messages is in JSON and YAML only."""
    if report is None:
        return None
    return "; ".join(f"{n} {_plain(v)}" for n, v in report.items() if n != "recipients" and v != [])


def _plain(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in value)
    if isinstance(value, dict):
        parts = [
            (k, f"({_plain(v)})" if isinstance(v, dict) else _plain(v)) for k, v in value.items()
        ]
        return ", ".join(f"{name} {text}" for name, text in parts) or "none"
    return str(value)


def _temporal(found: Found) -> Iterator[RenderableType]:
    yield Text()
    yield heading("Temporal", found.run.workflow_id if found.run else "")
    if found.run is None:
        yield note(
            found.run_problem
            or "no workflow: it was not started yet, or it is older than the namespace's retention"
        )
        return
    now = found.life.asked_at
    yield facts(_run(found.run, found.life))
    if found.run.pending:
        yield table(
            ("ACTIVITY", "STATE", "TRY", "NEXT TRY", "LAST FAILURE"),
            (
                (
                    p.activity,
                    p.state,
                    str(p.attempt),
                    relative(p.next_try_at, now) if p.next_try_at else "",
                    p.failure or "",
                )
                for p in found.run.pending
            ),
        )


def _run(run: Run, life: Life) -> Iterator[tuple[str, str | None]]:
    yield "status", f"{run.status}, {number(run.events, 'event')}"
    yield "run", run.run_id
    yield "started", when(run.started_at, life.asked_at)
    yield "closed", when(run.closed_at, life.asked_at) if run.closed_at else None
    if run.result is not None:
        ended = ", ".join(str(part) for part in (run.result.status, run.result.reason) if part)
        yield "result", ended or str(run.result.next)


def _run_document(found: Found) -> JsonValue:
    if found.run is None:
        return {"run": None, "problem": found.run_problem}
    run = found.run
    result = None if run.result is None else run.result.model_dump(mode="json")
    return {
        "run": {
            "workflow_id": run.workflow_id,
            "run_id": run.run_id,
            "status": run.status,
            "started_at": document(run.started_at),
            "closed_at": document(run.closed_at),
            "events": run.events,
            "result": result,
            "pending": document(run.pending),
        },
        "problem": None,
    }


def _deliveries(life: Life) -> Iterator[RenderableType]:
    yield Text()
    yield heading("Deliveries", "what the delivery log has, by recipient and channel")
    if not life.deliveries:
        yield note("none recorded")
        return
    yield table(
        ("GEN", "RECIPIENT", "CHANNEL", "STATUS", "UPDATED", "DETAIL"),
        (
            (
                str(d.generation),
                d.subscriber_id,
                d.channel,
                d.status,
                roughly(d.updated_at, life.asked_at),
                d.detail or "",
            )
            for d in life.deliveries[:SHOWN]
        ),
    )
    yield from left_out(len(life.deliveries) - SHOWN, "delivery", "deliveries")


def _feed(feed: Feed) -> Iterator[RenderableType]:
    yield Text()
    yield heading("Novu's feed", "asked now")
    if feed.problem is not None:
        yield note(feed.problem)
        return
    for transaction, entries in feed.entries.items():
        if not entries:
            yield note(f"{transaction}: nothing")
            continue
        yield note(f"{transaction}: {number(len(entries), 'recipient')}")
        yield Padding(
            table(("RECIPIENT", "STEPS"), ((e.subscriber_id, _steps(e)) for e in entries[:SHOWN])),
            (0, 0, 0, 2),
            expand=False,
        )
        yield from left_out(len(entries) - SHOWN, "recipient", "recipients")
    if not feed.entries:
        yield note("not asked: nothing was sent")
    yield from left_out(feed.unasked, "transaction was", "transactions were", "not asked about")


def _steps(entry: FeedEntry) -> str:
    """What was left out is named, what went wrong is explained; what is done and no channel is left out."""
    channels = [j for j in entry.jobs if j.channel or j.state is not JobState.DELIVERED]
    told = [_step(job) for job in channels if job.state is not JobState.SKIPPED]
    skipped = [str(job.channel or "a step") for job in entry.jobs if job.state is JobState.SKIPPED]
    if skipped:
        told.append(f"{JobState.SKIPPED} {', '.join(skipped)}")
    return "; ".join(told) or "no step yet"


def _step(job: FeedJob) -> str:
    why = "" if job.state is JobState.DELIVERED else f" ({job.detail})"
    return f"{job.channel or 'a step'} {job.state}{why}"
