"""Partial success: who of a notification is left to send to, and what a FAILED one remembers for its replay.

A chunk that Novu accepted is never sent again; what may have been accepted is looked up first. The memory is the column
`delivery_state`: it changes only when a generation ends, so that the chunks of one generation are the same at every try.
Pure. Not in here: asking Novu (`xnovu_activities.verify`). Called by the activities.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import JsonValue

from xnovu.core.contracts.notifications import ChunkOutcome, ChunkResult
from xnovu.core.ids import transaction_id
from xnovu.core.recipients import Chunk, chunks
from xnovu.core.records import JsonObject, Notification

REPLAY: Final = "notify.replay_notification sends to the others only"


def parts(notification: Notification) -> tuple[Chunk, ...]:
    """The chunks of this generation: everybody whom no earlier one reached."""
    people = set(notification.recipients) - set(notification.reached)
    topics = set(notification.topics) - set(notification.reached_topics)
    return chunks(tuple(people), tuple(topics))


def transactions(notification: Notification, generation: int, chunk: int) -> tuple[str, ...]:
    """Every transaction id under which this chunk of that generation may have been sent."""
    rounds = (None, *range(1, notification.rounds + 1))
    n = notification
    return tuple(transaction_id(n.enterprise_id, n.id, generation, chunk, r) for r in rounds)


def all_transactions(notification: Notification) -> tuple[tuple[int, str], ...]:
    """Generation and id of every transaction that this notification may have made.

    An earlier generation had at least as many recipients left, so at most the chunks of all of them.
    """
    whole = range(len(chunks(notification.recipients, notification.topics)))
    return tuple(
        (generation, transaction)
        for generation in range(notification.generation + 1)
        for chunk in whole
        for transaction in transactions(notification, generation, chunk)
    )


def is_partial(results: Sequence[ChunkResult]) -> bool:
    """Whether anything was or may have been accepted, so that a replay must not send everything."""
    return any(r.outcome in {ChunkOutcome.ACCEPTED, ChunkOutcome.UNCLEAR} for r in results)


def delivery_state(
    notification: Notification,
    results: Sequence[ChunkResult],
    seen: Mapping[int, frozenset[str]],
) -> JsonObject:
    """What a replay leaves out and what it looks up first. `seen`: by chunk, whom the feed shows of an unclear one."""
    people, topics = set(notification.reached), set(notification.reached_topics)
    unclear: list[JsonValue] = [
        {"transactions": [*u.transactions], "topics": [*u.topics]} for u in notification.unclear
    ]
    for chunk, result in _pairs(notification, results):
        if result.outcome is ChunkOutcome.ACCEPTED:
            people |= set(chunk.recipients)
            topics |= set(chunk.topics)
        elif result.outcome is ChunkOutcome.UNCLEAR:
            people |= seen.get(chunk.index, frozenset()) & set(chunk.recipients)
            ids = transactions(notification, notification.generation, chunk.index)
            unclear.append({"transactions": [*ids], "topics": [*chunk.topics]})
    return {"recipients": [*sorted(people)], "topics": [*sorted(topics)], "unclear": unclear}


def chunk_details(
    notification: Notification,
    results: Sequence[ChunkResult],
    seen: Mapping[int, frozenset[str]],
) -> list[JsonValue]:
    """What `error_details.chunks` says: who was reached, who was not, and why."""
    found: list[JsonValue] = []
    for chunk, result in _pairs(notification, results):
        everybody = set(chunk.recipients)
        reached = everybody if result.outcome is ChunkOutcome.ACCEPTED else seen.get(chunk.index)
        reached = (reached or frozenset()) & everybody
        item: dict[str, JsonValue] = {
            "chunk": chunk.index,
            "outcome": result.outcome.value,
            "reached": [*sorted(reached)],
            "notReached": [*sorted(everybody - reached)],
        }
        if chunk.topics:
            item["topics"] = [*chunk.topics]
        if result.reason:
            item["reason"], item["message"] = result.reason, result.message
        found.append(item)
    return found


def summary(details: Sequence[JsonValue]) -> str:
    """How many were reached, as a sentence for the message of the row."""
    items = [d for d in details if isinstance(d, Mapping)]
    reached, missed = (
        sum(len(names) for d in items if isinstance(names := d.get(key), list))
        for key in ("reached", "notReached")
    )
    return f"{reached} of {reached + missed} recipients were reached; {REPLAY}"


def _pairs(
    notification: Notification, results: Sequence[ChunkResult]
) -> list[tuple[Chunk, ChunkResult]]:
    """Each chunk with its result; a chunk without one was not tried."""
    by_index = {r.chunk: r for r in results}
    return [
        (c, by_index.get(c.index, ChunkResult(chunk=c.index, outcome=ChunkOutcome.NOT_TRIED)))
        for c in parts(notification)
    ]
