"""Novu's `Idempotency-Key`, a feature that is off unless it is switched on, as for most of its organisations.

Kept as temporal-and-novu.md §2.4 has it: one answer a key for 24 hours, errors included; a key in progress is 409, the
same key with another body 422. In memory: a restart forgets. Decides only; called by `middleware`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from xnovu_dev.sandbox.refusals import Refused

KEEP_SECONDS: Final = 24 * 3600.0
IN_PROGRESS_SECONDS: Final = 300.0
LONGEST_KEY: Final = 255


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered the first time."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class _Entry:
    digest: str
    answer: Answer | None
    until: float


class Idempotency:
    """The keys of one environment. `monotonic` in seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._entries: dict[str, _Entry] = {}
        self.enabled = False

    def begin(self, key: str, digest: str) -> Answer | None:
        """The answer to replay, or None when the request is to be handled; `end` must follow then.

        Raises Refused 400, 409 or 422.
        """
        if len(key) > LONGEST_KEY:
            raise Refused(400, f"Idempotency-Key must be at most {LONGEST_KEY} characters")
        now = self._monotonic()
        entry = self._entries.get(key)
        if entry is None or entry.until <= now:
            self._entries[key] = _Entry(digest, None, now + IN_PROGRESS_SECONDS)
            return None
        if entry.digest != digest:
            raise Refused(422, f'Request with key "{key}" is being reused for a different body')
        if entry.answer is None:
            message = f'Request with key "{key}" is currently being processed. Please retry.'
            raise Refused(409, message, headers={"Retry-After": "1"})
        return entry.answer

    def end(self, key: str, digest: str, answer: Answer) -> None:
        self._entries[key] = _Entry(digest, answer, self._monotonic() + KEEP_SECONDS)

    def clear(self) -> None:
        self._entries.clear()
