"""The switches that make the sandbox fail, and the decision whether a request meets one.

Each switch belongs to one place on the way of a request (see `middleware`), so a request that is refused early uses
up nothing of a later one. Chance comes from the random source that is passed in. In memory: a restart clears them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Kind(StrEnum):
    """How a request goes wrong. What the caller sees, and what has happened by then, stands in sandbox.md."""

    UNAUTHORIZED = "401"
    THROTTLED = "429"
    SERVER_ERROR = "5xx"
    ERROR_BEFORE_ACCEPT = "error_before_accept"
    ACCEPT_THEN_DROP = "accept_then_drop"
    GARBAGE = "garbage"
    SLOW = "slow"
    PARTIAL = "partial"
    LOST = "lost"
    PROVIDER = "provider"
    LAG = "lag"


class Fault(BaseModel):
    """One switch. `seconds`: how long (slow, lag) or Retry-After (429). `count` None: until it is cleared.

    `channel`: the step type whose provider fails; None: of every channel.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    count: Annotated[int, Field(ge=1)] | None = None
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    seconds: Annotated[float, Field(ge=0, le=3600)] = 1.0
    status: Annotated[int, Field(ge=500, le=599)] = 500
    method: str | None = "POST"
    path: str = "/v1/events/trigger"
    channel: Literal["in_app", "email", "sms", "chat", "push"] | None = None

    def concerns(self, kind: Kind, method: str, path: str) -> bool:
        return self.kind == kind and self.method in (None, method) and path.startswith(self.path)


@dataclass(slots=True)
class _Armed:
    fault: Fault
    left: int | None


class Faults:
    """The switches that are on, in the order in which they were set."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._armed: list[_Armed] = []

    def add(self, fault: Fault) -> None:
        self._armed.append(_Armed(fault, fault.count))

    def clear(self) -> None:
        self._armed.clear()

    def armed(self) -> list[tuple[Fault, int | None]]:
        """The switches and how many requests each has left; None for no end."""
        return [(armed.fault, armed.left) for armed in self._armed]

    def take(self, kind: Kind, method: str, path: str) -> Fault | None:
        """The first switch of this kind that hits this request; uses up one of its count."""
        return self._take(lambda fault: fault.concerns(kind, method, path))

    def provider_fails(self, channel: str) -> bool:
        """Whether a provider refuses one message of this channel; uses up one of the switch's count."""
        found = self._take(lambda f: f.kind is Kind.PROVIDER and f.channel in (None, channel))
        return found is not None

    def _take(self, hits: Callable[[Fault], bool]) -> Fault | None:
        for armed in self._armed:
            if hits(armed.fault) and self._random.random() < armed.fault.probability:
                if armed.left is not None:
                    armed.left -= 1
                    if armed.left == 0:
                        self._armed.remove(armed)
                return armed.fault
        return None
