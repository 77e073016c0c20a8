"""Failpoints by name around everything the worker asks of others: die, freeze or break just before or after a call.

They are wrapped around the ports from outside (`faults.worker`), so production code has none. A point is written
`call.when=action`, such as `claim.after=kill`: the calls are the methods of `ports.Database` and `ports.Novu`, and `start`
for starting a delivery's workflow. Each acts once, over restarts too: the marker file that it leaves says that it did.
"""

import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Final, Literal, cast

from temporalio.client import (
    Interceptor,
    OutboundInterceptor,
    StartWorkflowInput,
    WorkflowHandle,
)
from typing_extensions import override

from xnovu.core.contracts.common import EnterpriseRef
from xnovu.core.errors import ConfigurationError
from xnovu.core.ids import parse_notification_workflow_id
from xnovu_activities.ports import Database, Novu, Tenants

When = Literal["before", "after"]
ARMED: Final = "armed"


class Action(StrEnum):
    """What a point does to its process."""

    KILL = "kill"
    """SIGKILL: nothing is cleaned up."""
    STOP = "stop"
    """SIGSTOP, until somebody sends SIGCONT: a process that others think is dead."""
    RAISE = "raise"
    """An exception that nobody foresaw."""


class Broken(RuntimeError):
    """What a point with `raise` raises: a defect, for the worker."""


@dataclass(frozen=True, slots=True)
class Point:
    """Where, and what."""

    call: str
    when: When
    action: Action

    @classmethod
    def parse(cls, text: str) -> "Point":
        """Raises ValueError for what is no `call.when=action`."""
        place, _, action = text.partition("=")
        call, _, when = place.partition(".")
        if not call.isidentifier() or when not in {"before", "after"}:
            raise ValueError(f"{text!r} is no failpoint: write call.before=kill or call.after=stop")
        return cls(call, "before" if when == "before" else "after", Action(action))


@dataclass(frozen=True, slots=True)
class Failpoints:
    """The points of a process, asleep until somebody makes the file `ARMED` in the folder `marks`.

    `enterprise`: the only one whose calls count, when given.
    """

    points: tuple[Point, ...]
    marks: Path
    enterprise: str | None = None

    def reach(self, call: str, when: When, enterprise: str) -> None:
        """Act where a point is. Does not return from `kill`."""
        for point in self.points:
            here = (point.call, point.when) == (call, when)
            if here and self.enterprise in {None, enterprise} and self._first(point):
                _act(point)

    def mark(self, point: Point) -> Path:
        """The file that says that it has acted."""
        return self.marks / f"{point.call}.{point.when}.{point.action}"

    def _first(self, point: Point) -> bool:
        if not (self.marks / ARMED).exists():
            return False
        try:
            self.mark(point).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True


def _act(point: Point) -> None:
    match point.action:
        case Action.KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        case Action.STOP:
            os.kill(os.getpid(), signal.SIGSTOP)
        case Action.RAISE:
            raise Broken(f"failpoint {point.call}.{point.when}")


class _Wrapped:
    """Any object, with the points around each of its async methods."""

    def __init__(self, inner: object, points: Failpoints, enterprise: str) -> None:
        self._inner = inner
        self._points = points
        self._enterprise = enterprise

    def __getattr__(self, name: str) -> object:
        found: object = getattr(self._inner, name)
        if not iscoroutinefunction(found):
            return found
        method: Callable[..., Awaitable[object]] = found

        async def call(*args: object, **kwargs: object) -> object:
            self._points.reach(name, "before", self._enterprise)
            answer = await method(*args, **kwargs)
            self._points.reach(name, "after", self._enterprise)
            return answer

        return call


@dataclass(frozen=True, slots=True)
class FaultyTenants:
    """Implements `ports.Tenants` around another."""

    inner: Tenants
    points: Failpoints

    def database(self, enterprise: EnterpriseRef) -> Database:
        wrapped = _Wrapped(self.inner.database(enterprise), self.points, enterprise.id)
        return cast("Database", wrapped)

    def novu(self, enterprise: EnterpriseRef) -> Novu:
        return cast("Novu", _Wrapped(self.inner.novu(enterprise), self.points, enterprise.id))

    def trouble(self, enterprise: EnterpriseRef) -> ConfigurationError | None:
        return self.inner.trouble(enterprise)


class StartInterceptor(Interceptor):
    """The point `start`: around starting the workflow of a notification."""

    def __init__(self, points: Failpoints) -> None:
        self._points = points

    @override
    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _Outbound(next, self._points)


class _Outbound(OutboundInterceptor):
    def __init__(self, following: OutboundInterceptor, points: Failpoints) -> None:
        super().__init__(following)
        self._points = points

    @override
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[object, object]:
        found = parse_notification_workflow_id(input.id)
        if found is None:
            return await super().start_workflow(input)
        self._points.reach("start", "before", found[0])
        handle = await super().start_workflow(input)
        self._points.reach("start", "after", found[0])
        return handle
