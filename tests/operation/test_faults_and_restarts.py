"""The operator when Temporal is away, when it starts again, and when it is told to stop."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from support.operation import Site
from support.operator_process import eventually, free_port
from support.tcp_door import Door

pytestmark = pytest.mark.stack


def versions(site: Site, *rules: str) -> list[Any]:
    found = [site.get("enterprises", "acme"), *(site.get("notificationrules", r) for r in rules)]
    return [o["metadata"]["resourceVersion"] for o in found if o is not None]


def settled(site: Site, *rules: str) -> list[Any]:
    """The versions, once two looks a moment apart are the same."""
    seen: list[Any] = []

    def same() -> bool:
        seen.append(versions(site, *rules))
        return len(seen) > 20 and seen[-1] == seen[-20]

    eventually(same, "nothing is written any more", 30)
    return versions(site, *rules)


def test_a_restart_writes_nothing_and_stops_in_time(sites: Callable[[], Site]) -> None:
    site = sites()
    site.start("worker")
    operator = site.start("operator")
    site.secret("database", url="http://127.0.0.1:1", serviceRoleKey="k")
    site.put(
        site.enterprise(spec__supabase__secretRef__name="database"), site.rule("a"), site.rule("b")
    )
    site.ready("enterprises", "acme")
    for name in ("a", "b"):
        site.ready("notificationrules", name)
    before = settled(site, "a", "b")
    assert operator.resident_megabytes() < 150
    assert operator.stop() == 0
    assert "Traceback" not in operator.text
    second = site.start("operator")
    # A rule that comes afterwards is proof that the second one has looked at everything.
    site.put(site.rule("c"))
    site.ready("notificationrules", "c")
    after = settled(site, "a", "b")
    # The enterprise counts one rule more; the rules are as they were.
    assert after[1:] == before[1:]
    # Idle, it has nothing to wait for.
    assert second.stop(4) == 0


async def test_temporal_away_is_said_and_mended_by_itself(
    sites: Callable[[], Site], temporal_address: str
) -> None:
    site = sites()
    door = Door(temporal_address, free_port())
    site.start("worker")
    operator = site.start("operator", f"127.0.0.1:{door.port}")
    site.put(site.enterprise(), site.rule("bell"))
    await _until(site, "TemporalUnavailable")
    await door.open()
    await _until(site, "Ready")
    await door.shut()
    site.put(site.rule("bell", spec__schedule__cron="1 8 1 1 *"))
    await _until(site, "TemporalUnavailable", 40)
    await door.open()
    await _until(site, "Ready", 40)
    assert operator.process.poll() is None
    assert operator.stop() == 0
    await door.shut()


async def test_an_object_can_be_forced_to_go_without_temporal(sites: Callable[[], Site]) -> None:
    site = sites()
    site.start("operator", f"127.0.0.1:{free_port()}")
    manifest = site.rule("stuck")
    manifest["metadata"]["finalizers"] = ["xnovu.io/finalizer"]
    site.put(manifest)
    site.condition("notificationrules", "stuck", "Ready", "TemporalUnavailable")
    site.delete("notificationrules", "stuck")
    site.condition("notificationrules", "stuck", "Ready", "TemporalUnavailable")
    manifest["metadata"]["annotations"] = {"xnovu.io/force-finalize": "true"}
    site.put(manifest)
    site.gone("notificationrules", "stuck")


async def _until(site: Site, reason: str, seconds: float = 20) -> None:
    """In a thread: the door is served by this test's event loop."""
    await asyncio.to_thread(site.condition, "notificationrules", "bell", "Ready", reason, seconds)
