"""The servers of the local stack for tests: started once a session, when the first test asks for one of them.

They end with the session, even when it is killed. Tests share them: each takes its own enterprise, namespace or queue.
"""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from xnovu_dev import environment, programs, stack
from xnovu_dev.progress import silent
from xnovu_dev.state import Stack, SupabasePart

T = TypeVar("T")


def eventually(probe: Callable[[], T], what: str, seconds: float = 15.0) -> T:
    """The first truthy answer of `probe`; fails, with the last answer, when the deadline has passed."""
    deadline = time.monotonic() + seconds
    while not (answer := probe()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s: {what}; last seen: {answer!r}")
        time.sleep(0.02)
    return answer


def family(home: Path) -> list[psutil.Process]:
    """Every process of the stack that is up in `home`, the supervisor and what its children started included."""
    found = stack.load(home)
    assert found is not None, "the stack is not up"
    supervisor = psutil.Process(found.pids["supervisor"])
    return [supervisor, *supervisor.children(recursive=True)]


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; a zombie only waits for whoever adopted it to look."""
    return [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def gone(processes: list[psutil.Process]) -> bool:
    try:
        return not alive(processes)
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """All servers, without operator and worker."""
    home = tmp_path_factory.mktemp("servers")
    yield stack.start(home, components=(), owner=os.getpid())
    stack.stop(home, forget=False)


@pytest.fixture(scope="session")
def full_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Servers of their own, with the operator and the worker as processes."""
    home = tmp_path_factory.mktemp("full-stack")
    yield stack.start(home, owner=os.getpid())
    stack.stop(home, forget=False)


@pytest.fixture(scope="session")
def supabase(servers: Stack) -> SupabasePart:
    """PostgREST behind `url`, with `service_role_key`, over the Postgres at `dsn`; migrations are applied."""
    return servers.supabase


@pytest.fixture(scope="session")
def postgres_dsn(servers: Stack) -> str:
    """A superuser's connection."""
    return servers.supabase.dsn


@pytest.fixture(scope="session")
def temporal_address(servers: Stack) -> str:
    """The frontend; the namespace `default` has our search attributes."""
    return servers.temporal.address


@pytest.fixture(scope="session")
def kubeconfig(servers: Stack) -> Path:
    """The administrator's; CRDs are applied."""
    return servers.kubeconfig


@pytest.fixture(scope="session")
def time_skipping_server() -> Path:
    """Temporal's test server that skips over waiting; for `start_time_skipping(test_server_existing_path=...)`.

    It has no Schedules.
    """
    environ = environment.inherited()
    program = programs.PROGRAMS["temporal-test-server"]
    return programs.find(program, environ, environment.cache(environ), silent).path
