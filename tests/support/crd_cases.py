"""What both kinds accept and refuse, as a table: read by the tests of the models and of the API server.

A case changes the smallest object of its kind. `says`: a part of the message that a person gets.
"""

from dataclasses import dataclass, field

from support.manifests import ABSENT, Manifest, changed, enterprise, rule
from typing_extensions import override


@dataclass(frozen=True)
class Case:
    """One object. `by_model`: the models refuse it as well, not only the API server."""

    name: str
    smallest: Manifest
    changes: dict[str, object]
    says: str = ""
    by_model: bool = field(default=True, kw_only=True)

    @property
    def manifest(self) -> Manifest:
        return changed(self.smallest, self.changes)

    @override
    def __str__(self) -> str:
        return self.name


E, R = enterprise(), rule()
UUID = "0b2f6f3e-8d2b-4f4e-9a39-1f6f5e0c7a11"
AT = "spec.schedule.at"
CRON = "spec.schedule.cron"
EVERY = "spec.schedule.every"
ONLY_EVERY = {CRON: ABSENT, EVERY: "1h"}
START, END = "spec.schedule.startAt", "spec.schedule.endAt"
RECIPIENTS, TOPICS = "spec.notification.recipients", "spec.notification.topics"

ACCEPTED = [
    Case("the smallest enterprise", E, {}),
    Case(
        "every field of an enterprise",
        E,
        {
            "spec.displayName": "Acme",
            "spec.timeZone": "America/Argentina/Buenos_Aires",
            "spec.suspend": True,
            "spec.realtime": {
                "mode": "Shadow",
                "events": ["INSERT"],
                "pollInterval": "5s",
                "batchSize": 1,
                "maxInFlight": 1,
            },
            "spec.cron": {"mode": "Off", "checkInterval": "24h"},
            "spec.scheduled": {"mode": "Active", "pollInterval": "1m30s", "batchSize": 1000},
            "spec.delivery": {
                "retry": {
                    "initialInterval": "100ms",
                    "backoffCoefficient": 1.5,
                    "maximumInterval": "1h",
                    "maximumAttempts": 1,
                },
                "ratePerSecond": 0.5,
                "expireAfter": "48h",
            },
            "spec.supabase": {"secretRef": {"name": "acme-db"}},
            "spec.novu": {"secretRef": {"name": "acme.novu"}},
            "spec.deletionPolicy": "Orphan",
        },
    ),
    Case("a maximum below the default maximum", E, {"spec.delivery.retry.maximumInterval": "1s"}),
    Case("the smallest rule", R, {}),
    Case(
        "every field of a rule",
        R,
        {
            "spec.suspend": False,
            "spec.schedule": {
                "cron": "*/5 8-18 1,15 JAN-DEC MON#2",
                "timeZone": "Europe/Berlin",
                "jitter": "30s",
                "startAt": "2026-01-01T00:00:00",
                "endAt": "2027-01-01T00:00:00",
                "skip": ["2026-12-25", "2026-12-26"],
                "dst": {"gap": "Skip", "overlap": "Twice"},
            },
            "spec.catchUp": {"policy": "All", "window": "720h"},
            "spec.notification": {
                "workflow": "shift.bell_2",
                "recipients": ["ada"],
                "topics": ["all-staff"],
                "channels": ["IN_APP", "PUSH"],
                "payload": {"title": "x", "deep": {"list": [1, None, "{{ occurrence.date }}"]}},
                "overrides": {"providers": {"sendgrid": {"from": "a@b.example"}}},
                "tags": ["bell"],
                "priority": "high",
            },
            "spec.condition": "occurrence.weekday < 5",
            "spec.driftPolicy": "Report",
            "spec.adoptionPolicy": "IfUnowned",
            "spec.deletionPolicy": "Suspend",
        },
    ),
    Case("a named schedule", R, {CRON: "@daily"}),
    Case("an interval with an offset", R, {**ONLY_EVERY, "spec.schedule.offset": "15m"}),
    Case("a local time", R, {CRON: ABSENT, AT: "2026-12-24T08:00:00"}),
    Case("an instant", R, {CRON: ABSENT, AT: "2026-12-24T08:00:00+01:00"}),
    Case("an instant in UTC", R, {CRON: ABSENT, AT: "2026-12-24T08:00:00Z"}),
    Case("a start alone", R, {START: "2026-01-01T00:00:00"}),
    Case(
        "instants of different offsets in order",
        R,
        {START: "2026-01-01T00:00:00+02:00", END: "2026-01-01T00:00:00+01:00"},
    ),
    Case("topics alone", R, {RECIPIENTS: ABSENT, TOPICS: ["all-staff"]}),
    Case("a thousand recipients", R, {RECIPIENTS: [f"subscriber-{n}" for n in range(1000)]}),
    Case(
        "a year without a run",
        R,
        {
            "spec.schedule.skip": [
                f"20{y}-{m:02}-{d:02}" for y in (26,) for m in range(1, 13) for d in range(1, 29)
            ]
        },
    ),
]
