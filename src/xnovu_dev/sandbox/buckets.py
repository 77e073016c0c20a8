"""Novu's rate limits: one token bucket a category, by service level (temporal-and-novu.md §2.1).

A bucket refills at the level's requests a second and holds a window of 5 s plus 10 %; bulk and broadcast cost 100
tokens. Decides only; `middleware` puts the headers on. The default level is the highest, so that nobody meets a limit
by accident.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Final

WINDOW_SECONDS: Final = 5
BURST: Final = 1.1
BULK_COST: Final = 100


class Category(StrEnum):
    TRIGGER = "trigger"
    CONFIGURATION = "configuration"
    GLOBAL = "global"


class ServiceLevel(StrEnum):
    FREE = "free"
    PRO = "pro"
    TEAM = "team"
    ENTERPRISE = "enterprise"


_PER_SECOND: Final = {
    Category.TRIGGER: (60, 240, 600, 6000),
    Category.CONFIGURATION: (20, 80, 200, 2000),
    Category.GLOBAL: (30, 120, 300, 3000),
}


@dataclass(frozen=True, slots=True)
class Draw:
    """The outcome of one request. `retry_after`: whole seconds until it would fit, 0 when it was allowed."""

    allowed: bool
    retry_after: int
    headers: dict[str, str]


class Buckets:
    """The buckets of one environment. `monotonic` in seconds."""

    def __init__(self, monotonic: Callable[[], float], level: ServiceLevel) -> None:
        self._monotonic = monotonic
        self.level = level
        self._filled: dict[Category, tuple[float, float]] = {}

    def set_level(self, level: ServiceLevel) -> None:
        """Another service level, all buckets full."""
        self.level = level
        self._filled.clear()

    def draw(self, category: Category, *, bulk: bool) -> Draw:
        """Take the tokens of one request, or none where there are too few."""
        rate = _PER_SECOND[category][list(ServiceLevel).index(self.level)]
        capacity = rate * WINDOW_SECONDS * BURST
        cost = BULK_COST if bulk else 1
        now = self._monotonic()
        tokens, since = self._filled.get(category, (capacity, now))
        tokens = min(capacity, tokens + (now - since) * rate)
        allowed = tokens >= cost
        left = tokens - cost if allowed else tokens
        self._filled[category] = (left, now)
        wait = 0 if allowed else max(1, ceil((cost - tokens) / rate))
        policy = (
            f'{rate};w={WINDOW_SECONDS};burst={int(rate * BURST)};comment="token bucket";'
            f'category="{category}";cost="{"bulk" if bulk else "single"}";'
            f'serviceLevel="{self.level}"'
        )
        headers = {
            "RateLimit-Limit": str(rate),
            "RateLimit-Remaining": str(int(left)),
            "RateLimit-Reset": str(wait),
            "RateLimit-Policy": policy,
        }
        return Draw(allowed, wait, headers)
