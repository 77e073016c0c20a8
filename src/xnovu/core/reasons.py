"""The reasons of conditions: why an object is Ready, Reconciling, Stalled, Synced or Suspended, or is not.

Constants, documented and part of the API: people alert on them, so none is renamed. What an error says of itself is
its own `reason` (`core.errors`) and is used as it is; this enum has what is no error, or concerns the objects alone.
Used by the operator's conditions, and by `xnovu.reference`, which prints each with its meaning.
"""

from enum import StrEnum
from typing import Self


class _Meaning(StrEnum):
    """A constant with a sentence for a person."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member


class Reason(_Meaning):
    """Why a condition has its status, beside the reasons of the errors. `meaning` says it to a person."""

    READY = "Ready", "All is as the object wants it."
    RECONCILING = "Reconciling", "The operator is bringing about what the object wants. Wait."
    NO_PROBLEM = "NoProblem", "Nothing keeps the object from what it wants."
    IN_SYNC = "InSync", "What is in Temporal is what the object says."
    DRIFTED = (
        "Drifted",
        "Somebody changed the Schedule in Temporal, and `driftPolicy` is Report. Undo it there, or set Correct.",
    )
    DRIFT_IGNORED = (
        "DriftIgnored",
        "`driftPolicy` is Ignore: changes of the Schedule in Temporal are left alone.",
    )
    NOT_SUSPENDED = "NotSuspended", "Nothing is paused."
    SUSPENDED = (
        "Suspended",
        "`spec.suspend` is true, of the rule or of its Enterprise. Nothing starts until it is taken back.",
    )
    PAUSED_IN_TEMPORAL = (
        "PausedInTemporal",
        "Somebody paused the Schedule in Temporal, and `spec.suspend` is absent. Unpause it there, or set it to false.",
    )
    COMPLETED = "Completed", "A rule with `at` or `endAt` has had its last run."
    MONITOR_FAILING = (
        "MonitorFailing",
        "A subsystem's polls fail. Its part of the status has the newest error; it goes on trying.",
    )
    MONITOR_NOT_RUNNING = (
        "MonitorNotRunning",
        "A subsystem has not reported. Look whether a worker runs and serves the same task queue.",
    )
    ENTERPRISE_ID_TAKEN = (
        "EnterpriseIdTaken",
        "An older Enterprise of the cluster has the same `enterpriseId`. Delete one of the two.",
    )
    ENTERPRISE_NOT_FOUND = (
        "EnterpriseNotFound",
        "The rule names an Enterprise that its namespace does not have. Create it.",
    )
    SECRET_NOT_FOUND = (
        "SecretNotFound",
        "A secret that the Enterprise names is not in its namespace. Create it.",
    )
    SECRET_INVALID = (
        "SecretInvalid",
        "A secret that the Enterprise names lacks a key, or its address is none. Correct it.",
    )
    WORKER_AWAY = (
        "WorkerAway",
        "No worker has taken the configuration. Look whether one runs and serves the same task queue.",
    )
    KUBERNETES_UNAVAILABLE = (
        "KubernetesUnavailable",
        "The Kubernetes API did not answer, or refused the operator. Look at its rights and its log.",
    )
    SPEC_INVALID = (
        "SpecInvalid",
        "The stored object is older than the schema and breaks it. Apply a corrected one.",
    )
    DRAINING = (
        "Draining",
        "The object is being deleted; what is under way may finish, for a bounded time.",
    )
    DELETING = (
        "Deleting",
        "The object is being deleted. It goes on its own once Temporal has let go of what is there.",
    )


class DeliveryProblem(_Meaning):
    """Why a notification that Novu accepted did not arrive, as far as its activity feed tells."""

    NOBODY_RECEIVED = (
        "NobodyReceived",
        "Not one of the recipients got it on any channel. Look at the workflow's steps and integrations at Novu.",
    )
    NOT_ALL_RECEIVED = (
        "NotAllReceived",
        "For some recipients every channel failed, or the feed does not show them. Who wants none of it is not counted.",
    )
