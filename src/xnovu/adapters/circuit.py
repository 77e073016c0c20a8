"""A key that Novu refused is not tried a thousand times: after a refusal all calls with it fail at once, for a while.

A refused key is a condition of the tenant, not of a notification: the rows wait. One call at a time asks whether it was
mended; a key that was replaced is another circuit, so it is tried at once. One circuit an address and key, a process; kept
by `xnovu.adapters.tenants`, used by `xnovu.adapters.novu`.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from xnovu.core.errors import CredentialsRejected

FIRST: Final = 2.0
LONGEST: Final = 60.0
"""Seconds between two questions: doubled from the first to the longest."""

PROBE: Final = 30.0
"""How long the one question may take before another is asked."""

QUIET: Final = 2 * LONGEST
"""After so long without a question nothing is known any more."""

_log: Final = logging.getLogger("xnovu.novu")


class Circuit:
    """Whether calls with one key may be made. All callers are on one event loop."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._message: str | None = None
        self._until = 0.0
        self._pause = FIRST

    def check(self) -> None:
        """Raises CredentialsRejected, with the time to come back, while the key counts as refused."""
        if self._message is None:
            return
        left = self._until - self._monotonic()
        if left > 0:
            raise CredentialsRejected(self._message, retry_after=timedelta(seconds=left))
        # This call is the question; the others wait for its answer.
        self._until = self._monotonic() + PROBE

    def heard(self, message: str | None) -> timedelta | None:
        """Novu answered. `message`: that it refused the key; None where it took it. Answers when to come back after a refusal."""
        if message is None:
            if self._message is not None:
                _log.warning("Novu takes the key again")
            self._message, self._pause = None, FIRST
            return None
        if self._message is None:
            _log.error("%s: everything that uses this key waits", message)
        self._message = message
        self._until = self._monotonic() + self._pause
        self._pause, pause = min(self._pause * 2, LONGEST), self._pause
        return timedelta(seconds=pause)

    def trouble(self) -> CredentialsRejected | None:
        """Why nothing can be sent. Asks nobody and lets nobody ask; forgotten when nobody asked for long."""
        if self._message is None or self._monotonic() - self._until > QUIET:
            return None
        return CredentialsRejected(self._message)
