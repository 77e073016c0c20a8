"""Enterprises that the API server refuses; a table for tests."""

from support.crd_cases import UUID, Case, E
from support.manifests import ABSENT

REFUSED = [
    Case("no id", E, {"spec.enterpriseId": ABSENT}, "Required value"),
    Case("no spec", E, {"spec": ABSENT}, "Required value"),
    Case("an id that is none", E, {"spec.enterpriseId": "acme"}, "at least 36 chars long"),
    Case(
        "an id in upper case",
        E,
        {"spec.enterpriseId": UUID.upper()},
        "write the tenant's UUID in lower case",
    ),
    Case(
        "an id without dashes",
        E,
        {"spec.enterpriseId": UUID.replace("-", "0")},
        "write the tenant's UUID",
    ),
    Case(
        "an unknown field", E, {"spec.colour": "red"}, 'unknown field "spec.colour"', by_model=False
    ),
    Case(
        "an unknown mode",
        E,
        {"spec.realtime.mode": "On"},
        'supported values: "Active", "Shadow", "Off"',
    ),
    Case("a mode in lower case", E, {"spec.cron.mode": "active"}, "supported values"),
    # What YAML makes of a bare Off.
    Case("a mode without quotes", E, {"spec.realtime.mode": False}, "must be of type string"),
    Case("no event", E, {"spec.realtime.events": []}, "at least 1 item"),
    Case(
        "an unknown event",
        E,
        {"spec.realtime.events": ["DELETE"]},
        'supported values: "INSERT", "UPDATE"',
    ),
    Case("an event twice", E, {"spec.realtime.events": ["INSERT", "INSERT"]}, "Duplicate value"),
    Case(
        "an interval without a unit",
        E,
        {"spec.realtime.pollInterval": "500"},
        "write a duration such as 500ms",
    ),
    Case("an interval as a number", E, {"spec.realtime.pollInterval": 5}, "must be of type string"),
    Case(
        "an interval with a fraction",
        E,
        {"spec.realtime.pollInterval": "0.5s"},
        "write a duration such as",
    ),
    Case(
        "a negative interval", E, {"spec.scheduled.pollInterval": "-1s"}, "write a duration such as"
    ),
    Case(
        "units in the wrong order",
        E,
        {"spec.scheduled.pollInterval": "1s1h"},
        "write a duration such as",
    ),
    Case(
        "a poll that is too frequent",
        E,
        {"spec.realtime.pollInterval": "99ms"},
        "write a duration from 100ms to 1h",
    ),
    Case(
        "a poll that is too rare",
        E,
        {"spec.realtime.pollInterval": "61m"},
        "write a duration from 100ms to 1h",
    ),
    Case(
        "a check that is too frequent",
        E,
        {"spec.cron.checkInterval": "500ms"},
        "write a duration from 1s to 24h",
    ),
    Case("an empty batch", E, {"spec.realtime.batchSize": 0}, "greater than or equal to 1"),
    Case(
        "a batch that is too large",
        E,
        {"spec.scheduled.batchSize": 1001},
        "less than or equal to 1000",
    ),
    Case("nothing in flight", E, {"spec.realtime.maxInFlight": 0}, "greater than or equal to 1"),
    Case("a rate of nothing", E, {"spec.delivery.ratePerSecond": 0}, "greater than 0"),
    Case("no attempt", E, {"spec.delivery.retry.maximumAttempts": 0}, "greater than or equal to 1"),
    Case(
        "a shrinking backoff",
        E,
        {"spec.delivery.retry.backoffCoefficient": 0.5},
        "greater than or equal to 1",
    ),
    Case(
        "a first wait above the longest",
        E,
        {"spec.delivery.retry": {"initialInterval": "1m", "maximumInterval": "30s"}},
        "initialInterval must not be longer than maximumInterval",
        by_model=False,
    ),
    Case(
        "a first wait above the default longest",
        E,
        {"spec.delivery.retry.initialInterval": "6m"},
        "which is 5m unless you set it",
        by_model=False,
    ),
    Case(
        "an offset for a zone",
        E,
        {"spec.timeZone": "+02:00"},
        "an offset such as +02:00 is not a zone",
    ),
    Case("a path for a zone", E, {"spec.timeZone": "../etc/passwd"}, "write an IANA time zone"),
    Case("no zone", E, {"spec.timeZone": ""}, "at least 1 char"),
    Case(
        "a secret of another namespace",
        E,
        {"spec.novu.secretRef.name": "other/keys"},
        "of the same namespace",
    ),
    Case("no secret's name", E, {"spec.supabase": {"secretRef": {}}}, "Required value"),
    Case(
        "an unknown deletion policy",
        E,
        {"spec.deletionPolicy": "Delete"},
        'supported values: "Drain"',
    ),
    Case("a name that is too long for people", E, {"spec.displayName": "x" * 256}, "more than 255"),
]
