"""The example as `make up` reads it."""

from datetime import UTC, datetime

from xnovu_dev import assets
from xnovu_dev.example import ONE_OFF_DELAY, of_row, of_rule, one_off, read

NOW = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)


def test_the_one_off_rule_is_moved_and_nothing_else() -> None:
    example = read(assets.path("examples/01-first-enterprise"), NOW)
    moved = [at for m in example.manifests if (at := one_off(m))]
    assert moved == [f"{NOW + ONE_OFF_DELAY:%Y-%m-%dT%H:%M:%SZ}"]
    bell = next(m for m in example.manifests if m["metadata"]["name"] == "shift-bell")
    assert bell["spec"]["schedule"] == {"cron": "* * * * *"}


def test_each_notification_says_what_must_be_seen_of_it() -> None:
    example = read(assets.path("examples/01-first-enterprise"), NOW)
    wanted = [of_row(planned, number) for number, planned in enumerate(example.notifications)]
    assert [e.deliveries for e in wanted] == [2, 6, 1, 0]
    assert [e.fails for e in wanted] == [None, None, None, "TemplateError"]
    rule = next(m for m in example.manifests if m["metadata"]["name"] == "doors-open")
    found = of_rule(rule, "u-1", one_off(rule))
    assert found.deliveries == 2
    assert found.rule_key.startswith("nrule:u-1@2026-11-01T12:00:0")
