"""Novu's rate limits, kept on our side: one limiter an environment and category, shared by all tenants who use its key.

Novu answers every request with what is left in the token bucket of the whole environment (docs.novu.co, Rate limiting:
`RateLimit-Remaining`, `-Policy`, `Retry-After`). We send in proportion to what is left, so the level settles above zero, where
everything that flows in is used; and because every process sees the same level, any number of them share it without speaking
to each other. The level aimed at sinks while all goes well and rises after a 429. Tenants are served in turn.

Decides when, sends nothing. One event loop. Called by `xnovu.adapters.novu`, kept by `xnovu.adapters.tenants`.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Final, Literal

from xnovu.adapters.turns import Lines
from xnovu.core.errors import NovuNoTurn

Category = Literal["trigger", "global", "configuration"]

AT_ONCE: Final = 30
"""Requests under way at once in one category of an environment: 300 a second where an answer takes 100 ms."""

FIRST_AT_ONCE: Final = 3
"""The same until Novu has answered once: nothing is known of its bucket yet."""

FIRST_RESERVE: Final = 0.25
LEAST_RESERVE: Final = 0.05
MOST_RESERVE: Final = 0.5
"""Part of the bucket that is aimed at: what other processes and late answers may take without a 429."""

SHRINK: Final = 0.75
"""What remains of the reserve after a second without a 429; a 429 doubles it."""

SLOWEST: Final = 0.02
"""Part of the rate at which an empty bucket is still tried, so that its level is heard of again."""

HORIZON: Final = 2.0
"""Seconds of sending that may be taken in ahead."""

UNLIMITED: Final = 10_000
_POLICY: Final = re.compile(r"\s*(\d{1,7})\s*(?:;.*)?")
_PARAMETER: Final = re.compile(r";\s*(w|burst)=(\d{1,7})")


@dataclass(frozen=True, slots=True)
class Policy:
    """A token bucket as `RateLimit-Policy` tells it: requests a second, and how many it holds."""

    rate: float
    capacity: float


def policy_of(headers: Mapping[str, str]) -> Policy | None:
    """None where the header is absent or says nothing that can be used.

    `60;w=5;burst=66`: 60 a second, counted over 5 s, up to 66 a second in a burst (temporal-and-novu.md, 2.1).
    """
    text = headers.get("RateLimit-Policy", "")[:500]
    found = _POLICY.fullmatch(text)
    if found is None or int(found[1]) == 0:
        return None
    rate = int(found[1])
    parts = {name: int(value) for name, value in _PARAMETER.findall(text)}
    return Policy(rate, max(1, parts.get("w", 1)) * max(rate, parts.get("burst", rate)))


class Limiter:
    """When the next request of one category may begin. Without Novu's headers it bounds only how many are under way."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._policy: Policy | None = None
        self._level, self._at = 0.0, 0.0
        self._reserve, self._shrunk = FIRST_RESERVE, 0.0
        self._next, self._blocked = 0.0, 0.0
        self._under_way = 0
        self._heard = False
        self._lines = Lines()
        self._timer: asyncio.TimerHandle | None = None
        self._seen: dict[str, float] = {}

    @asynccontextmanager
    async def turn(self, tenant: str, patience: float) -> AsyncIterator[None]:
        """Wait for a turn and hold it for one request. Raises NovuNoTurn after `patience` seconds: nothing was sent."""
        await self._enter(tenant, patience)
        try:
            yield
        finally:
            self._under_way -= 1
            self._serve()

    def heard(self, status: int, headers: Mapping[str, str], retry_after: timedelta | None) -> None:
        """What an answer says about the bucket. Call while its turn is held."""
        now = self._monotonic()
        self._heard = True
        policy = policy_of(headers)
        if policy is not None:
            if self._policy is None:
                self._shrunk = now
            self._policy = policy
        left = headers.get("RateLimit-Remaining", "")
        if left.isascii() and left.isdigit():
            # The others under way may not be counted in it yet.
            self._level, self._at = float(left[:9]) - (self._under_way - 1), now
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            wait = 1.0 if retry_after is None else retry_after.total_seconds()
            if now >= self._blocked:
                self._reserve, self._shrunk = min(self._reserve * 2, MOST_RESERVE), now + wait
            self._blocked = max(self._blocked, now + wait)
            # What flows in until then is everybody's.
            self._level, self._at = min(self._level, 0.0), self._blocked

    def allowance(self, tenant: str) -> int:
        """How many requests of this tenant could begin within the next seconds, beside those that wait already."""
        now = self._monotonic()
        if self._blocked > now + HORIZON:
            return 0
        if self._policy is None:
            return UNLIMITED
        self._seen = {t: at for t, at in self._seen.items() if now - at < HORIZON}
        others = len((self._seen.keys() | self._lines.tenants()) - {tenant})
        soon = max(0.0, self._now_left(now)) + self._policy.rate * HORIZON
        return max(1, int(soon / (others + 1)) - self._lines.waiting(tenant))

    async def _enter(self, tenant: str, patience: float) -> None:
        now = self._monotonic()
        self._seen[tenant] = now
        if self._blocked > now + patience:
            raise _no_turn(self._blocked - now)
        place = self._lines.join(tenant)
        self._serve()
        try:
            async with asyncio.timeout(patience):
                await place
        except BaseException as error:
            if place.done() and not place.cancelled():
                # Let in at the very moment in which it gave up.
                self._under_way -= 1
                self._serve()
            if isinstance(error, TimeoutError):
                raise _no_turn(1.0) from None
            raise

    def _serve(self) -> None:
        """Let in whoever may begin now; come back when the next one may."""
        while self._lines and self._under_way < (AT_ONCE if self._heard else FIRST_AT_ONCE):
            now = self._monotonic()
            wait = max(self._next, self._blocked) - now
            if wait > 0:
                self._come_back(wait)
                return
            place = self._lines.next()
            if place is None:
                return
            self._spend(now)
            self._under_way += 1
            place.set_result(None)

    def _come_back(self, wait: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(wait, self._serve)

    def _now_left(self, now: float) -> float:
        """What the bucket holds. While answers come they say it; in a pause what flowed in is added."""
        if self._policy is None:
            return 0.0
        idle = now - self._at if self._under_way == 0 else 0.0
        return min(self._policy.capacity, self._level + self._policy.rate * max(0.0, idle))

    def _spend(self, now: float) -> None:
        if self._policy is None:
            return
        left = self._now_left(now)
        self._level, self._at = left - 1, now
        self._next = now + 1 / (self._policy.rate * max(left / self._aim(now), SLOWEST))

    def _aim(self, now: float) -> float:
        """The level at which one process sends exactly what flows in."""
        policy = self._policy or Policy(1, 1)
        if now > self._shrunk:
            self._reserve = max(self._reserve * SHRINK ** (now - self._shrunk), LEAST_RESERVE)
            self._shrunk = now
        return max(1.0, policy.capacity * self._reserve)


def _no_turn(wait: float) -> NovuNoTurn:
    return NovuNoTurn(
        "Novu's rate limit is used up by what was sent before: it waits its turn",
        retry_after=timedelta(seconds=round(max(wait, 0.1), 1)),
    )


class EnvironmentLimits:
    """The limiters of one Novu environment: an address and a key."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limiters: dict[Category, Limiter] = {
            "trigger": Limiter(monotonic),
            "global": Limiter(monotonic),
            "configuration": Limiter(monotonic),
        }

    @property
    def trigger(self) -> Limiter:
        return self._limiters["trigger"]

    def of(self, method: str, path: str) -> Limiter:
        """By Novu's categories: events are `trigger`, reads `global`, other writes `configuration`."""
        if path.startswith("/v1/events"):
            return self.trigger
        return self._limiters["global" if method == "GET" else "configuration"]
