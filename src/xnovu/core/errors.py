"""The errors of XNovu: each a class with a reason and whether trying again can help.

    XNovuError
    ├── ConfigurationError                what an administrator or a tenant must mend; waits, loses nothing
    │   ├── CredentialsMissing            a named secret, or a key in it, is not there (retry: it may appear)
    │   ├── CredentialsRejected           the other side said 401 or its own 403 (retry slowly: it may be mended)
    │   ├── PayloadsUnreadable            what Temporal keeps is encrypted with a key that is not here
    │   └── SettingsInvalid               a setting of this process cannot be used
    ├── NotificationError                 this one notification can never be delivered as it is
    │   ├── NotificationNotFound
    │   ├── ValidationError               no recipients, payload against the workflow's schema, too large
    │   ├── WorkflowNotFound              no such workflow, not published, or Novu does not know its key
    │   ├── TemplateError                 missing, cyclic, undefined name, over a limit
    │   ├── NovuRejected                  Novu said that it will not (400, 413, 422, trigger_not_active …)
    │   └── Expired                       due for longer than `expireAfter`
    ├── RuleError                         this one rule can never run as it is
    │   ├── RuleNotFound
    │   ├── ScheduleInvalid               cron, zone, times
    │   └── RulePayloadInvalid
    ├── Unavailable                       an outside system did not answer or said so; try again
    │   ├── DatabaseUnavailable
    │   │   └── RowLocked                 somebody's open transaction holds this one row
    │   ├── NovuUnavailable               did not get the request (refused connection)
    │   │   └── NovuFailed                5xx of Novu's own: kept under the idempotency key, so another key
    │   ├── NovuThrottled                 429; carries when to come back
    │   │   └── NovuNoTurn                our own limiter: nothing was sent, so Novu keeps no answer
    │   └── TemporalUnavailable
    ├── OutcomeUnclear                    it may have been accepted: verify before any retry
    └── Conflict                          somebody else owns it; stays untouched
        └── ClaimedElsewhere

`reason` is CamelCase, documented and part of the API: it appears in conditions, in `error_details` and in metrics.
Converted at two borders only: `xnovu_activities.boundary` (to Temporal's ApplicationError) and
`xnovu_operator.handlers` (to a condition and a retry). A message says what is wrong, with which object, and what to
do next; it never holds a secret, a payload or more than `CLIP` characters of somebody else's text.
"""

from datetime import timedelta
from typing import ClassVar, Final

CLIP: Final = 256


def clip(text: str, limit: int = CLIP) -> str:
    """At most `limit` characters of foreign text, on one line: logs and statuses stay readable and unforgeable."""
    # What is cut off anyway is not looked at. Unprintable: escapes of terminals, zero bytes, marks that turn the reading.
    words = "".join(c if c.isprintable() or c.isspace() else "�" for c in text[: 8 * limit])
    line = " ".join(words.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


class XNovuError(Exception):
    """Base of everything that XNovu raises on purpose. Its own reason is for what nobody foresaw: a defect."""

    reason: ClassVar[str] = "InternalError"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        """`retry_after`: when the other side asked for a pause; None leaves it to the retry policy."""
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after


class ConfigurationError(XNovuError):
    """Something that people set up is wrong; work waits and nothing is lost."""

    reason = "ConfigurationError"
    retryable = True


class CredentialsMissing(ConfigurationError):
    """A secret that an enterprise or the installation names is not there, or lacks a key."""

    reason = "CredentialsMissing"


class CredentialsRejected(ConfigurationError):
    """The other side answered 401, or a 403 of its own: the key is wrong, revoked or lacks rights."""

    reason = "CredentialsRejected"


class PayloadsUnreadable(ConfigurationError):
    """What Temporal keeps is encrypted with a key that this process lacks, or that does not open it. The message names the key."""

    reason = "PayloadsUnreadable"


class SettingsInvalid(ConfigurationError):
    """A setting of this process cannot be used; only a restart with another value helps."""

    reason = "SettingsInvalid"
    retryable = False


class NotificationError(XNovuError):
    """This notification can never be delivered as it is; it ends FAILED with the reason."""

    reason = "NotificationError"


class NotificationNotFound(NotificationError):
    """No such row for this enterprise."""

    reason = "NotificationNotFound"


class ValidationError(NotificationError):
    """The notification itself is wrong: recipients, payload, size, channels."""

    reason = "ValidationError"


class WorkflowNotFound(NotificationError):
    """The workflow is missing, not published, or Novu does not know its key."""

    reason = "WorkflowNotFound"


class TemplateError(NotificationError):
    """A template is missing, cyclic, names what is undefined, or goes over a limit."""

    reason = "TemplateError"


class NovuRejected(NotificationError):
    """Novu answered that it will not send this, whatever we do."""

    reason = "NovuRejected"


class Expired(NotificationError):
    """Due for longer than the enterprise's `expireAfter`: too late to be of use."""

    reason = "Expired"


class RuleError(XNovuError):
    """This rule can never run as it is."""

    reason = "RuleError"


class RuleNotFound(RuleError):
    """No such rule for this enterprise."""

    reason = "RuleNotFound"


class ScheduleInvalid(RuleError):
    """A cron expression, time zone or time that Temporal would refuse or read differently."""

    reason = "ScheduleInvalid"


class RulePayloadInvalid(RuleError):
    """What the rule says about recipients and payload has no shape that we know."""

    reason = "RulePayloadInvalid"


class Unavailable(XNovuError):
    """An outside system did not answer, or answered that it cannot now."""

    reason = "Unavailable"
    retryable = True


class DatabaseUnavailable(Unavailable):
    """PostgREST or Postgres did not answer, or answered 5xx."""

    reason = "DatabaseUnavailable"


class RowLocked(DatabaseUnavailable):
    """A transaction that somebody left open holds this one row; nothing else waits for it."""

    reason = "RowLocked"


class NovuUnavailable(Unavailable):
    """Novu did not get the request, or did not answer about its feed."""

    reason = "NovuUnavailable"


class NovuFailed(NovuUnavailable):
    """Novu answered 5xx with a body of its own: it keeps that answer under the idempotency key for a day."""

    reason = "NovuFailed"


class NovuThrottled(Unavailable):
    """Novu answered 429: certainly not accepted, come back after `retry_after`."""

    reason = "NovuThrottled"


class NovuNoTurn(NovuThrottled):
    """Our own limiter had no turn for it in time: nothing was sent, so Novu keeps no answer under its key."""

    reason = "NovuNoTurn"


class TemporalUnavailable(Unavailable):
    """Temporal's frontend did not answer, or is not ready."""

    reason = "TemporalUnavailable"


class OutcomeUnclear(XNovuError):
    """The request may have been accepted (timeout, reset after send, unreadable 2xx): verify before retrying."""

    reason = "OutcomeUnclear"
    retryable = True


class Conflict(XNovuError):
    """Another owner holds it; it stays untouched."""

    reason = "Conflict"


class ClaimedElsewhere(Conflict):
    """Another Temporal namespace holds the row: two installations work on one database."""

    reason = "ClaimedElsewhere"
