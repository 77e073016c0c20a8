"""Novu in memory: a ports.Novu that drops a transaction id's second use as Novu does, and fails as a script says.

Not a proof of the HTTP client (tests/unit/test_novu_client and tests/contract are that).
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from fakes.database import FakeDatabase

from xnovu.core.contracts.common import EnterpriseRef
from xnovu.core.contracts.notifications import Channel
from xnovu.core.errors import ConfigurationError, OutcomeUnclear, XNovuError
from xnovu.core.records import FeedEntry, FeedJob, JobState, TriggerRequest


@dataclass(frozen=True)
class Fault:
    """What one trigger call does. `accepted`: Novu takes it all the same; `only`: but only for these."""

    error: XNovuError
    accepted: bool = False
    only: tuple[str, ...] | None = None


def lost_answer(*, accepted: bool, only: tuple[str, ...] | None = None) -> Fault:
    return Fault(OutcomeUnclear("no readable answer of Novu"), accepted=accepted, only=only)


@dataclass
class FakeNovu:
    """`delivered`: every (transaction, recipient) that reached somebody, in order, so a repetition shows."""

    script: list[Fault | None] = field(default_factory=list)
    requests: list[TriggerRequest] = field(default_factory=list)
    feed: dict[str, list[str]] = field(default_factory=dict)
    delivered: list[tuple[str, str]] = field(default_factory=list)
    lookups: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    looks: Counter[str] = field(default_factory=Counter)
    late_by_looks: int = 0
    jobs: dict[str, tuple[FeedJob, ...]] = field(default_factory=dict)
    read_faults: list[XNovuError | None] = field(default_factory=list)
    before_trigger: Callable[[TriggerRequest], None] | None = None
    hold: asyncio.Event | None = None
    room: int = 1000

    @property
    def people(self) -> list[str]:
        return [who for _, who in self.delivered]

    def allowance(self) -> int:
        return self.room

    async def trigger(self, request: TriggerRequest, *, patience: float = 3.0) -> None:
        del patience
        self.requests.append(request)
        if self.before_trigger is not None:
            self.before_trigger(request)
        if self.hold is not None:
            await self.hold.wait()
        fault = self.script.pop(0) if self.script else None
        if fault is None:
            self._accept(request, None)
            return
        if fault.accepted:
            self._accept(request, fault.only)
        raise fault.error

    def _accept(self, request: TriggerRequest, only: tuple[str, ...] | None) -> None:
        if request.transaction_id in self.feed:
            return
        reached = [r for r in request.recipients if only is None or r in only]
        self.feed[request.transaction_id] = reached
        self.delivered += [(request.transaction_id, r) for r in reached]

    async def accepted(self, transaction_id: str) -> frozenset[str]:
        self.lookups.append(transaction_id)
        self._read()
        self.looks[transaction_id] += 1
        return frozenset(self._shown(transaction_id))

    def _read(self) -> None:
        fault = self.read_faults.pop(0) if self.read_faults else None
        if fault is not None:
            raise fault

    def _shown(self, transaction_id: str) -> list[str]:
        """Novu makes jobs and messages some time after it has accepted: after so many looks."""
        late = self.looks[transaction_id] <= self.late_by_looks
        return [] if late else self.feed.get(transaction_id, [])

    async def activity(self, transaction_id: str) -> tuple[FeedEntry, ...]:
        """Everybody of the feed, with the jobs of `jobs` or one in-app message that arrived."""
        people = await self.accepted(transaction_id)
        plain = (FeedJob(Channel.IN_APP, JobState.DELIVERED, "Message sent"),)
        return tuple(FeedEntry(who, self.jobs.get(who, plain)) for who in sorted(people))

    async def cancel(self, transaction_id: str) -> bool:
        self._read()
        self.cancelled.append(transaction_id)
        return False

    async def delete_messages(self, transaction_id: str) -> bool:
        self.deleted.append(transaction_id)
        return bool(self._shown(transaction_id))


@dataclass
class FakeTenants:
    """ports.Tenants of one enterprise. `missing`: raised instead of a client of Novu while it is set."""

    databases: dict[str, FakeDatabase]
    novus: dict[str, FakeNovu]
    missing: XNovuError | None = None

    def database(self, enterprise: EnterpriseRef) -> FakeDatabase:
        return self.databases[enterprise.id]

    def novu(self, enterprise: EnterpriseRef) -> FakeNovu:
        if self.missing is not None:
            raise self.missing
        return self.novus[enterprise.id]

    def trouble(self, enterprise: EnterpriseRef) -> ConfigurationError | None:
        del enterprise
        return self.missing if isinstance(self.missing, ConfigurationError) else None
