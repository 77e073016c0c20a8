"""What the activities need from outside systems, as protocols. Implemented by `xnovu.adapters` and by test fakes.

Every call is of one enterprise: the implementation is made for it (`Tenants`) and refuses rows of any other. All
methods raise only `xnovu.core.errors`: Unavailable kinds when trying again can help, ConfigurationError kinds for
credentials, OutcomeUnclear when a request may have been accepted.
"""

from collections.abc import Sequence
from typing import Protocol

from xnovu.core.contracts.common import EnterpriseRef
from xnovu.core.errors import ConfigurationError
from xnovu.core.records import (
    Claim,
    Claimed,
    DueFeeds,
    FeedEntry,
    FeedRecord,
    Finish,
    Finished,
    JsonObject,
    NewNotification,
    Pace,
    PollAnswer,
    PollRequest,
    Release,
    Rule,
    Swept,
    Template,
    TriggerRequest,
)


class Database(Protocol):
    """The `notify` schema of one enterprise, over PostgREST."""

    async def poll(self, request: PollRequest) -> PollAnswer:
        """What is due and what is withdrawn. Read-only. May be multiplexed with other enterprises' polls."""

    async def claim(self, claims: Sequence[Claim]) -> tuple[Claimed, ...]:
        """Claim a batch in one round trip. Idempotent: the same owner gets RESUMED."""

    async def finish(self, items: Sequence[Finish]) -> tuple[Finished, ...]:
        """Write final statuses in one round trip. Idempotent: the same write again is ALREADY."""

    async def release(self, items: Sequence[Release]) -> frozenset[int]:
        """Let rows of a batch go; the ids of those that were still its own. Idempotent."""

    async def take_pace(self, wanted: int, rate: float, *, reserve: bool = False) -> Pace:
        """Take from the enterprise's rate (a second), over all workers. `reserve`: all of it, now or later."""

    async def fetch(self, notification_id: int, owner: str | None = None) -> Claimed:
        """The row as a claim by `owner` would see it (FOREIGN hides it), by nobody as its holder sees it; changes nothing."""

    async def note_round(self, notification_id: int, round_: int) -> None:
        """Remember that a send to the missing alone of this number is made. Idempotent; never goes down."""

    async def sweep(self, installation: str, most: int) -> Swept:
        """Rows whose lease is over. Says that this installation lives, and takes over from one that is gone."""

    async def extend_leases(self, notification_ids: Sequence[int]) -> None:
        """Their owner lives: they are not stale for another lease. Idempotent."""

    async def due_feeds(self, most: int) -> DueFeeds:
        """Notifications whose feed at Novu is to be looked at now. Read-only."""

    async def record_deliveries(self, record: FeedRecord) -> bool:
        """Record what the feed showed. False: another process was quicker, nothing is changed."""

    async def settle_retraction(self, notification_id: int, report: JsonObject) -> None:
        """Record what could and could not be undone. Idempotent."""

    async def record_shadow(self, notification_id: int, report: JsonObject) -> None:
        """Record what would have been sent. Idempotent per notification and generation."""

    async def templates(self, keys: Sequence[str]) -> dict[str, Template]:
        """Published templates by key: the enterprise's own, else the global one. Missing keys are absent."""

    async def rules(self) -> tuple[Rule, ...]:
        """All rules with a CRON or SCHEDULED trigger, inactive ones included, by id; pages are followed."""

    async def rule(self, rule_id: int) -> Rule | None:
        """One rule of this enterprise."""

    async def create(self, notification: NewNotification) -> tuple[int, bool]:
        """Insert once per dedupe key; answers the id, and whether this call made it.

        Raises WorkflowNotFound when the workflow's key or id is not one that this enterprise may use.
        """


class Novu(Protocol):
    """Novu's API with one enterprise's key."""

    def allowance(self) -> int:
        """How many triggers of this enterprise could begin within the next seconds, under Novu's rate limit."""

    async def trigger(self, request: TriggerRequest, *, patience: float = ...) -> None:
        """One HTTP attempt. Returns when Novu has accepted (201, processed).

        Waits at most `patience` seconds for its turn under Novu's rate limit, then raises NovuNoTurn: not sent.
        Raises NovuRejected, WorkflowNotFound, NovuThrottled, NovuUnavailable, NovuFailed, CredentialsRejected,
        OutcomeUnclear.
        """

    async def accepted(self, transaction_id: str) -> frozenset[str]:
        """The subscriber ids that Novu's activity feed shows for a transaction; pages are followed."""

    async def activity(self, transaction_id: str) -> tuple[FeedEntry, ...]:
        """What Novu's activity feed shows of a transaction, one entry a recipient; pages are followed."""

    async def cancel(self, transaction_id: str) -> bool:
        """Cancel what is still delayed or digested; False when there was nothing to cancel."""

    async def delete_messages(self, transaction_id: str) -> bool:
        """Delete the in-app messages of a transaction; False when there were none."""


class Tenants(Protocol):
    """Hands out clients that can reach one enterprise's systems and no other's."""

    def database(self, enterprise: EnterpriseRef) -> Database:
        """Raises CredentialsMissing."""

    def novu(self, enterprise: EnterpriseRef) -> Novu:
        """Raises CredentialsMissing."""

    def trouble(self, enterprise: EnterpriseRef) -> ConfigurationError | None:
        """Why Novu cannot be spoken to now: the key is missing, or was refused a moment ago. Asks nobody."""
