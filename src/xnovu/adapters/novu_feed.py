"""Novu's activity feed as our records: pure parsing of GET /v1/notifications. Called by `adapters.novu`.

What is not understood is left out or called under way, never guessed to be delivered. Of a job's details only Novu's own
short word is kept (`executionDetails[].detail`); raw answers of providers, which may quote a person, are not read.
Statuses: docs.novu.co/api-reference, "Retrieve all notifications" (JobStatusEnum, ExecutionDetailsStatusEnum).
"""

from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import JsonValue

from xnovu.core.contracts.notifications import Channel
from xnovu.core.errors import clip
from xnovu.core.records import FeedEntry, FeedJob, JobState

_CHANNELS: Final = {
    "in_app": Channel.IN_APP,
    "email": Channel.EMAIL,
    "sms": Channel.SMS,
    "chat": Channel.CHAT,
    "push": Channel.PUSH,
}
_STATES: Final = {
    "completed": JobState.DELIVERED,
    "failed": JobState.FAILED,
    "canceled": JobState.CANCELLED,
    "skipped": JobState.SKIPPED,
    "merged": JobState.SKIPPED,
}
"""The rest (pending, queued, running, delayed) may still become any of these."""

_LONGEST: Final = 200


def subscriber(item: JsonValue) -> str | None:
    """Our id of a subscriber: `subscriber.subscriberId`; `_subscriberId` is Novu's own and means nothing to us."""
    for name in ("subscriber", "to"):
        part = item.get(name) if isinstance(item, Mapping) else None
        found = part.get("subscriberId") if isinstance(part, Mapping) else None
        if isinstance(found, str):
            return found
    return None


def entry(item: JsonValue) -> FeedEntry | None:
    """One entry; None where it does not say whom it concerns."""
    who = subscriber(item)
    if who is None or not isinstance(item, Mapping):
        return None
    jobs = item.get("jobs")
    listed = jobs if isinstance(jobs, list) else []
    return FeedEntry(who, tuple(_job(job) for job in listed if isinstance(job, Mapping)))


def _job(job: Mapping[str, JsonValue]) -> FeedJob:
    state = _STATES.get(str(job.get("status")), JobState.UNDER_WAY)
    read = _details(job)
    failed = [word for status, word in read if status == "Failed"]
    if state is JobState.DELIVERED and _refused(read):
        state = JobState.FAILED
    words = failed if state is JobState.FAILED and failed else [word for _, word in read]
    word = words[-1] if words else str(job.get("status"))
    return FeedJob(_CHANNELS.get(str(job.get("type"))), state, clip(word, _LONGEST))


def _details(job: Mapping[str, JsonValue]) -> list[tuple[str, str]]:
    """Status and word of each execution detail, oldest first."""
    details = job.get("executionDetails")
    found: list[tuple[str, str]] = []
    for item in details if isinstance(details, list) else ():
        if isinstance(item, Mapping):
            status, word = item.get("status"), item.get("detail")
            if isinstance(status, str) and isinstance(word, str):
                found.append((status, word))
    return found


def _refused(details: Sequence[tuple[str, str]]) -> bool:
    """Whether the newest detail that is final is a failure: a step may be completed although its provider refused."""
    final = [status for status, _ in details if status in {"Success", "Failed"}]
    return bool(final) and final[-1] == "Failed"
