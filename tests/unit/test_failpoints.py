"""Failpoints: where they are, when they act, and that they act once, whatever dies."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.database import FakeDatabase
from fakes.novu import FakeNovu, FakeTenants

from xnovu.core.contracts.common import EnterpriseRef
from xnovu.core.records import Claim
from xnovu_dev.faults.failpoints import (
    ARMED,
    Action,
    Broken,
    Failpoints,
    FaultyTenants,
    Point,
)

MINE, OTHER = "6f1c2a9e-4b7d-4c35-9a58-1d2e3f4a5b6c", "0b2f6f3e-8d2b-4f4e-9a39-1f6f5e0c7a11"


def points(marks: Path, text: str) -> Failpoints:
    return Failpoints((Point.parse(text),), marks, MINE)


def tenants(found: Failpoints) -> FaultyTenants:
    databases = {e: FakeDatabase(e) for e in (MINE, OTHER)}
    for database in databases.values():
        database.add(1)
    return FaultyTenants(FakeTenants(databases, {e: FakeNovu() for e in databases}), found)


async def claim(given: FaultyTenants, enterprise: str) -> None:
    database = given.database(EnterpriseRef(id=enterprise))
    await database.claim([Claim(enterprise, 1, "somebody")])


@pytest.mark.parametrize("text", ["", "claim", "claim.during=kill", "claim.after", "a b.after=kill", "claim.after=jump"])  # fmt: skip
def test_what_is_no_failpoint_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Point.parse(text)


async def test_it_sleeps_until_it_is_armed_and_acts_once_for_its_enterprise(tmp_path: Path) -> None:
    given = tenants(points(tmp_path, "claim.after=raise"))
    await claim(given, MINE)
    (tmp_path / ARMED).touch()
    await claim(given, OTHER)
    with pytest.raises(Broken):
        await claim(given, MINE)
    await claim(given, MINE)


async def test_another_process_sees_that_it_has_acted(tmp_path: Path) -> None:
    (tmp_path / ARMED).touch()
    with pytest.raises(Broken):
        await claim(tenants(points(tmp_path, "claim.after=raise")), MINE)
    await claim(tenants(points(tmp_path, "claim.after=raise")), MINE)


async def test_before_means_that_the_call_was_not_made(tmp_path: Path) -> None:
    (tmp_path / ARMED).touch()
    given = tenants(points(tmp_path, "claim.before=raise"))
    with pytest.raises(Broken):
        await claim(given, MINE)
    inner = given.inner.database(EnterpriseRef(id=MINE))
    assert isinstance(inner, FakeDatabase)
    assert inner.calls == []


async def test_what_is_no_call_stays_as_it_is(tmp_path: Path) -> None:
    given = tenants(points(tmp_path, "claim.before=raise"))
    database = given.database(EnterpriseRef(id=MINE))
    assert database.enterprise_id == MINE  # type: ignore[attr-defined]  # the fake's own


@pytest.mark.parametrize(("action", "number"), [(Action.KILL, signal.SIGKILL), (Action.STOP, signal.SIGSTOP)])  # fmt: skip
def test_a_process_does_to_itself_what_its_point_says(
    tmp_path: Path, action: Action, number: signal.Signals
) -> None:
    (tmp_path / ARMED).touch()
    program = (
        "import sys; from pathlib import Path\n"
        "from xnovu_dev.faults.failpoints import Failpoints, Point\n"
        "points = (Point.parse('claim.after=' + sys.argv[2]),)\n"
        "Failpoints(points, Path(sys.argv[1])).reach('claim', 'after', 'anybody')\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path), action.value])
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    if action is Action.STOP:
        assert (os.WIFSTOPPED(status), os.WSTOPSIG(status)) == (True, number)
        process.kill()
        process.wait()
    else:
        assert (os.WIFSIGNALED(status), os.WTERMSIG(status)) == (True, number)
        process.returncode = -number


def test_what_is_no_call_of_another_system_passes_through(tmp_path: Path) -> None:
    given = tenants(points(tmp_path, "allowance.before=raise"))
    assert given.novu(EnterpriseRef(id=MINE)).allowance() == 1000
