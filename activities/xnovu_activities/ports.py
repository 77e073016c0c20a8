"""What the activities need from outside systems, as protocols. Implemented by `xnovu.adapters` and by test fakes.

Every call is of one enterprise: the implementation is made for it (`Tenants`) and refuses rows of any other. All
methods raise only `xnovu.core.errors`: Unavailable kinds when trying again can help, ConfigurationError kinds for
credentials, OutcomeUnclear when a request may have been accepted.
"""

from collections.abc import Sequence
from typing import Protocol

from xnovu.core.contracts.common import EnterpriseRef
from xnovu.core.records import (
    Claim,
    Claimed,
    Finish,
    Finished,
    JsonObject,
    NewNotification,
    PollAnswer,
    PollRequest,
    Rule,
    Template,
    TriggerRequest,
)


class Database(Protocol):
    """The `notify` schema of one enterprise, over PostgREST."""

    async def poll(self, request: PollRequest) -> PollAnswer:
        """What is due, withdrawn, stale. Read-only. May be multiplexed with other enterprises' polls."""

    async def claim(self, claims: Sequence[Claim]) -> tuple[Claimed, ...]:
        """Claim a batch in one round trip. Idempotent: the same owner gets RESUMED."""

    async def finish(self, items: Sequence[Finish]) -> tuple[Finished, ...]:
        """Write final statuses in one round trip. Idempotent: the same write again is ALREADY."""

    async def fetch(self, notification_id: int) -> Claimed:
        """The row as a claim by nobody would see it; changes nothing."""

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

    async def trigger(self, request: TriggerRequest) -> None:
        """One HTTP attempt. Returns when Novu has accepted (201, processed).

        Raises NovuRejected, WorkflowNotFound, NovuThrottled, NovuUnavailable, NovuFailed, CredentialsRejected,
        OutcomeUnclear.
        """

    async def accepted(self, transaction_id: str) -> frozenset[str]:
        """The subscriber ids that Novu's activity feed shows for a transaction; pages are followed."""

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
