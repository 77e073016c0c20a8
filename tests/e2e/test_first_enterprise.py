"""The example from end to end, as `make up` shows it: everything arrives once, what is broken fails with its reason."""

from datetime import UTC, datetime

import pytest
from support.world import World, eventually

from xnovu_dev import assets
from xnovu_dev.demo import Demo
from xnovu_dev.example import read
from xnovu_dev.judge import State

pytestmark = [pytest.mark.e2e, pytest.mark.stack, pytest.mark.timeout(240)]


def test_everything_of_the_example_is_seen_exactly_once(world: World) -> None:
    now = datetime.now(UTC)
    with Demo(world.stack) as demo:
        seeded = demo.seed(read(assets.path("examples/01-first-enterprise"), now), now)
        verdicts = eventually(
            lambda: (
                demo.look(seeded)
                if all(v.state is not State.WAITING for v in demo.look(seeded))
                else None
            ),
            "every notification of the example has ended",
            within=150,
            every=1,
        )
    assert [
        (v.expectation.label, v.state, v.note) for v in verdicts if v.state is not State.DONE
    ] == []
    assert len(verdicts) == 6


def test_kubectl_get_tells_what_is_going_on(world: World) -> None:
    tenant = world.tenant(timeZone="Europe/Berlin")
    world.rule(tenant, "drill", {"cron": "0 9 * * 1"})
    world.until_ready(tenant.rule_path("drill"))
    world.until_ready(tenant.path)

    columns, cells = _table(world, f"{tenant.path.rsplit('/', 1)[0]}")
    assert columns[:8] == ["Name", "READY", "STATUS", "MODE", "PENDING", "FAILED", "RULES", "AGE"]
    assert cells[:4] == [tenant.name, "True", "Ready", "Active"]
    columns, cells = _table(world, f"{tenant.rule_path('drill').rsplit('/', 1)[0]}")
    assert columns[:9] == [
        "Name", "ENTERPRISE", "SCHEDULE", "TIMEZONE", "NEXT", "LAST", "READY", "STATUS", "AGE",
    ]  # fmt: skip
    assert cells[:4] == ["drill", tenant.name, "0 9 * * 1", "Europe/Berlin"]
    assert "T09:00:00+0" in cells[4]
    assert cells[6:8] == ["True", "Ready"]


def _table(world: World, path: str) -> tuple[list[str], list[str]]:
    """What kubectl prints: names of the columns and the first row."""
    table = world.table(path)
    names = [c["name"] for c in table["columnDefinitions"] if c["priority"] == 0]
    return names, [str(c) for c in table["rows"][0]["cells"][: len(names)]]
