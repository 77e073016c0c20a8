"""The baseline of the fault table runs: it delivers a row, and ends with 0 on SIGTERM. Its faults are not our concern."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from support.stack import eventually
from support.worker_process import free_port
from support.world import World

from xnovu_dev import environment
from xnovu_dev.state import Stack

pytestmark = pytest.mark.stack

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "plan_shape" / "worker.py"


@pytest.fixture
def world(servers: Stack) -> Iterator[World]:
    seen = World(servers)
    yield seen
    seen.close()


def started(stack: Stack, enterprise: str) -> subprocess.Popen[bytes]:
    mine = {
        "XNOVU_TEMPORAL__ADDRESS": stack.temporal.address,
        "XNOVU_TEMPORAL__NAMESPACE": stack.temporal.namespace,
        "XNOVU_TEMPORAL__TASK_QUEUE": f"plan-{uuid4()}",
        "XNOVU_SUPABASE__URL": stack.supabase.url,
        "XNOVU_SUPABASE__SERVICE_ROLE_KEY": stack.supabase.service_role_key,
        "XNOVU_NOVU__API_URL": stack.novu.url,
        "XNOVU_NOVU__SECRET_KEY": stack.novu.secret_key,
        "XNOVU_WORKER__HEALTH_PORT": str(free_port()),
        "XNOVU_BASELINE_ENTERPRISES": enterprise,
    }
    return subprocess.Popen([sys.executable, PROGRAM], env={**environment.inherited(), **mine})


def test_it_delivers_and_ends_with_0(servers: Stack, world: World) -> None:
    tenant = world.tenant()
    world.notifications(tenant, 3)
    process = started(servers, tenant.id)
    try:

        def sent() -> bool:
            assert process.poll() is None, "it ended by itself"
            return world.statuses(tenant) == {"SENT": 3}

        eventually(sent, "all three are SENT", 30)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
