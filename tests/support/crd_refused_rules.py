"""NotificationRules that the API server refuses; a table for tests."""

from support.crd_cases import AT, CRON, END, EVERY, ONLY_EVERY, RECIPIENTS, START, Case, R
from support.manifests import ABSENT

REFUSED = [
    Case("no enterprise", R, {"spec.enterpriseRef": ABSENT}, "Required value"),
    Case(
        "an enterprise of another namespace",
        R,
        {"spec.enterpriseRef": {"name": "acme", "namespace": "other"}},
        'unknown field "spec.enterpriseRef.namespace"',
        by_model=False,
    ),
    Case(
        "no schedule",
        R,
        {"spec.schedule": {}},
        "set exactly one of cron, every and at",
        by_model=False,
    ),
    Case(
        "two schedules", R, {EVERY: "1h"}, "set exactly one of cron, every and at", by_model=False
    ),
    Case(
        "three schedules",
        R,
        {EVERY: "1h", AT: "2026-12-24T08:00:00"},
        "set exactly one of",
        by_model=False,
    ),
    Case("a cron of six fields", R, {CRON: "0 0 8 * * 1"}, "write five fields"),
    Case("a cron of four fields", R, {CRON: "0 8 * *"}, "write five fields"),
    Case(
        "a cron with a zone", R, {CRON: "CRON_TZ=UTC 0 8 * * *"}, "a time zone goes into timeZone"
    ),
    Case("a cron with an interval", R, {CRON: "@every 5m"}, "an interval into every"),
    Case(
        "an interval of nothing",
        R,
        {CRON: ABSENT, EVERY: "0s"},
        "write a duration from 1s to 8760h",
    ),
    Case(
        "an interval with milliseconds", R, {CRON: ABSENT, EVERY: "1s500ms"}, "write whole seconds"
    ),
    Case(
        "an offset without an interval",
        R,
        {"spec.schedule.offset": "1m"},
        "use it with every only",
        by_model=False,
    ),
    Case(
        "an offset as long as the interval",
        R,
        {**ONLY_EVERY, "spec.schedule.offset": "60m"},
        "offset must be shorter than every",
        by_model=False,
    ),
    Case(
        "a jitter above the interval",
        R,
        {**ONLY_EVERY, "spec.schedule.jitter": "2h"},
        "jitter must not be longer than every",
        by_model=False,
    ),
    Case("a date without a time", R, {CRON: ABSENT, AT: "2026-12-24"}, "at least 19 chars"),
    Case(
        "a time with a blank", R, {CRON: ABSENT, AT: "2026-12-24 08:00:00"}, "write a time such as"
    ),
    Case(
        "a month that is none", R, {CRON: ABSENT, AT: "2026-13-24T08:00:00"}, "write a time such as"
    ),
    Case(
        "a single run with a start",
        R,
        {CRON: ABSENT, AT: "2026-12-24T08:00:00", START: "2026-01-01T00:00:00"},
        "at is a single time",
        by_model=False,
    ),
    Case(
        "an end before the start",
        R,
        {START: "2026-02-01T00:00:00", END: "2026-01-01T00:00:00"},
        "endAt must be after startAt",
        by_model=False,
    ),
    Case(
        "an end at the start",
        R,
        {START: "2026-01-01T01:00:00+01:00", END: "2026-01-01T00:00:00Z"},
        "endAt must be after startAt",
        by_model=False,
    ),
    Case(
        "an offset at one end only",
        R,
        {START: "2026-01-01T00:00:00Z", END: "2026-02-01T00:00:00"},
        "both with an offset, or both without",
        by_model=False,
    ),
    Case("a skipped time", R, {"spec.schedule.skip": ["2026-12-25T00"]}, "may not be more than 10"),
    Case(
        "a skipped date in words", R, {"spec.schedule.skip": ["25.12.2026"]}, "write a date such as"
    ),
    Case(
        "a date skipped twice",
        R,
        {"spec.schedule.skip": ["2026-12-25", "2026-12-25"]},
        "Duplicate value",
    ),
    Case(
        "an unknown gap",
        R,
        {"spec.schedule.dst.gap": "Guess"},
        'supported values: "RunAfter", "Skip"',
    ),
    Case(
        "a window that is too short",
        R,
        {"spec.catchUp.window": "5s"},
        "write a duration from 10s to 720h",
    ),
    Case(
        "an unknown catch-up",
        R,
        {"spec.catchUp.policy": "Some"},
        'supported values: "Skip", "Latest", "All"',
    ),
    Case("no workflow", R, {"spec.notification.workflow": ABSENT}, "Required value"),
    Case(
        "a workflow with a path",
        R,
        {"spec.notification.workflow": "../admin"},
        "write the key of a notification workflow",
    ),
    Case(
        "nobody to notify",
        R,
        {RECIPIENTS: []},
        "name at least one recipient or topic",
        by_model=False,
    ),
    Case(
        "nobody named",
        R,
        {RECIPIENTS: ABSENT},
        "name at least one recipient or topic",
        by_model=False,
    ),
    Case("a recipient twice", R, {RECIPIENTS: ["ada", "ada"]}, "Duplicate value"),
    Case("an empty recipient", R, {RECIPIENTS: [""]}, "at least 1 char"),
    Case(
        "too many recipients",
        R,
        {RECIPIENTS: [f"subscriber-{n}" for n in range(1001)]},
        "at most 1000 items",
    ),
    Case(
        "an unknown channel",
        R,
        {"spec.notification.channels": ["FAX"]},
        'supported values: "IN_APP"',
    ),
    Case(
        "a payload that is no object",
        R,
        {"spec.notification.payload": ["x"]},
        "must be of type object",
    ),
    Case("an empty condition", R, {"spec.condition": ""}, "at least 1 char"),
    Case(
        "an unknown adoption", R, {"spec.adoptionPolicy": "Sometimes"}, 'supported values: "Never"'
    ),
]
