"""Starting, stopping and killing a home's stack: nothing is lost, nothing is left behind, nothing gets stuck."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from xnovu_dev import stack
from xnovu_dev.problems import StackError
from xnovu_dev.state import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


def eventually(probe: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not probe():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s: {what}")
        time.sleep(0.05)


def start(home: Path) -> Stack:
    return stack.start(home, lambda *_: None, components=())


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def of_home(home: Path) -> list[psutil.Process]:
    """Processes that name the home on their command line, and their children."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if str(home) in " ".join(process.info["cmdline"] or ()) and process.pid != os.getpid():
            found += [process, *process.children(recursive=True)]
    return found


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    stack.stop(tmp_path / "home", forget=True)


def test_what_was_written_is_there_after_a_restart_on_the_same_ports(home):
    first = start(home)
    with psycopg.connect(first.supabase.dsn) as connection:
        connection.execute("create table kept (n int)")
        connection.execute("insert into kept values (7)")
    assert stack.stop(home, forget=False)
    assert stack.load(home) is None
    assert of_home(home) == []
    began = time.monotonic()
    second = start(home)
    assert time.monotonic() - began < 15
    assert (second.supabase, second.temporal, second.novu) == (
        first.supabase,
        first.temporal,
        first.novu,
    )
    with psycopg.connect(second.supabase.dsn) as connection:
        assert connection.execute("select n from kept").fetchall() == [(7,)]
    assert stack.stop(home, forget=True)
    assert not (home / "data").exists()
    assert not (home / "keys.json").exists()


def test_a_start_that_finds_it_running_returns_at_once(home):
    first = start(home)
    began = time.monotonic()
    assert start(home) == first
    assert time.monotonic() - began < 1


def test_only_its_owner_reads_the_keys(home):
    start(home)
    for name in ("stack.json", "kubeconfig", "operator.kubeconfig"):
        assert stat.S_IMODE((home / name).stat().st_mode) == 0o600, name
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_killed_supervisor_leaves_nobody_and_the_next_start_works(home):
    first = start(home)
    with psycopg.connect(first.supabase.dsn) as connection:
        connection.execute("create table kept (n int)")
    os.kill(first.pids["supervisor"], signal.SIGKILL)
    for name, pid in first.pids.items():
        eventually(lambda pid=pid: gone(pid), f"{name} is gone")
    eventually(lambda: of_home(home) == [], "nothing of this home runs")
    assert stack.load(home) is None
    second = start(home)
    assert not set(second.pids.values()) & set(first.pids.values())
    with psycopg.connect(second.supabase.dsn) as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (0,)


@pytest.mark.parametrize("name", ["postgres", "kube-apiserver", "temporal", "supabase"])
def test_a_server_that_dies_is_started_again(home, name):
    first = start(home)
    os.kill(first.pids[name], signal.SIGKILL)

    def back() -> bool:
        now = stack.load(home)
        return now is not None and now.pids[name] != first.pids[name]

    eventually(back, f"{name} has a successor")
    eventually(lambda: stack.processes(home)[name].state == "ready", f"{name} answers")
    others = {n: p for n, p in first.pids.items() if n != name}
    now = stack.load(home)
    assert now is not None
    assert {n: p for n, p in now.pids.items() if n != name} == others


def test_two_homes_are_up_at_once(home, tmp_path):
    other = tmp_path / "other"
    try:
        first, second = start(home), start(other)
        assert first.temporal.address != second.temporal.address
        assert stack.stop(other, forget=False)
        assert stack.load(home) == first
    finally:
        stack.stop(other, forget=True)


def test_a_start_that_is_killed_leaves_a_stack_or_nothing(home):
    """Killed at a moment when servers come up: what is left is found or ended by the next start."""
    code = "import sys; from pathlib import Path; from xnovu_dev import stack; stack.start(Path(sys.argv[1]), lambda *a: print(*a, flush=True), components=())"
    starter = subprocess.Popen(
        [sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE, text=True
    )
    assert starter.stdout is not None
    for line in starter.stdout:
        if "starting" in line and "postgres" in line:
            break
    starter.kill()
    starter.wait()
    starter.stdout.close()
    assert start(home).pids


def test_a_broken_part_is_named_and_nothing_stays(home, monkeypatch):
    liar = home.parent / "etcd"
    liar.write_text("#!/bin/sh\necho 'no disk' >&2\nexit 7\n")
    liar.chmod(0o755)
    monkeypatch.setenv("XNOVU_PROGRAM_ETCD", str(liar))
    with pytest.raises(StackError, match="etcd"):
        start(home)
    assert stack.load(home) is None
    eventually(lambda: of_home(home) == [], "nothing of this home runs")
