"""What every contract between operator, workflows and activities shares. Values only; no behaviour.

Contracts are pydantic models: frozen, unknown fields refused, one input model per workflow and activity so that a
field can be added with a default and old histories still replay. Ids travel, bodies do not.
"""

from datetime import timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Contract(BaseModel):
    """Base of every value that enters a Temporal history."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Mode(StrEnum):
    """What a subsystem does: work, only record what it would have done, or nothing."""

    ACTIVE = "Active"
    SHADOW = "Shadow"
    OFF = "Off"


class CredentialSource(StrEnum):
    """Whose credentials an enterprise uses. Said explicitly, so that a missing secret never becomes a fallback."""

    INSTALLATION = "Installation"
    ENTERPRISE = "Enterprise"


class EnterpriseRef(Contract):
    """A tenant and whose credentials reach its systems. The id comes from the Enterprise object, never a rule."""

    id: str
    supabase: CredentialSource = CredentialSource.INSTALLATION
    novu: CredentialSource = CredentialSource.INSTALLATION


class RetryConfig(Contract):
    """Spec of the durable retry of delivery: initial 1 s, doubled up to 5 min, 3 attempts (the plan's numbers)."""

    initial_interval: timedelta = timedelta(seconds=1)
    backoff_coefficient: float = 2.0
    maximum_interval: timedelta = timedelta(minutes=5)
    maximum_attempts: int = 3


class DeliveryConfig(Contract):
    """How notifications of an enterprise are sent."""

    retry: RetryConfig = RetryConfig()
    rate_per_second: float | None = None
    expire_after: timedelta | None = None
