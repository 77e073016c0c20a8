"""Whatever is killed, nothing stays behind and the next start works."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from support.stack import eventually, family, gone

from xnovu_dev import stack
from xnovu_dev.home import Home
from xnovu_dev.state import Stack

pytestmark = pytest.mark.stack


def test_a_killed_supervisor_takes_everything_along_and_the_next_start_works(own) -> None:
    first = own.start(("operator", "worker"))
    processes = family(own.home)
    os.kill(first.pids["supervisor"], signal.SIGKILL)
    eventually(lambda: gone(processes), "every process is gone")
    assert stack.load(own.home) is None, "a stack.json of the dead does not count"
    second = own.start(("operator", "worker"))
    assert not set(second.pids.values()) & set(first.pids.values())


@pytest.mark.parametrize("moment", ["postgres.half", "etcd", "temporal/temporal.db"])
def test_a_start_that_is_killed_in_the_middle_does_not_wedge_the_next(own, moment: str) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-m", "xnovu_dev", "--home", str(own.home), "up"],
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    home = Home(own.home)
    eventually((own.home / "data" / moment).exists, f"{moment} is there", 60)
    pid = eventually(home.supervisor_pid, "the supervisor says who it is")
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    os.kill(pid, signal.SIGKILL)
    os.killpg(starter.pid, signal.SIGKILL)
    starter.wait()
    eventually(lambda: gone(processes), "every process is gone")
    assert own.start().supabase.url


def test_a_starter_that_is_interrupted_leaves_nothing(own) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-m", "xnovu_dev", "--home", str(own.home), "up"],
        stdout=subprocess.DEVNULL,
    )
    pid = eventually(Home(own.home).supervisor_pid, "the supervisor is there", 60)
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    starter.send_signal(signal.SIGINT)
    assert starter.wait(60) == 130
    assert gone(processes)
    assert stack.load(own.home) is None


def test_a_stack_with_an_owner_ends_when_the_owner_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, sys, time, pathlib; from xnovu_dev import stack;"
        " stack.start(pathlib.Path(sys.argv[1]), components=(), owner=os.getpid());"
        " print('up', flush=True); time.sleep(600)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    with owner.stdout:
        assert owner.stdout.readline() == b"up\n"
    processes = family(tmp_path)
    owner.kill()
    owner.wait()
    eventually(lambda: gone(processes), "every process is gone", 30)


def test_a_stack_whose_home_is_removed_ends(own) -> None:
    own.start()
    processes = family(own.home)
    # The servers go on writing meanwhile; what they hold open stays theirs.
    shutil.rmtree(own.home, ignore_errors=True)
    eventually(lambda: gone(processes), "every process is gone", 30)


def test_a_killed_worker_comes_back_and_the_stack_says_so(full_stack: Stack) -> None:
    home = full_stack.kubeconfig.parent
    before = stack.processes(home)["worker"]
    os.kill(before.pid, signal.SIGKILL)

    def back() -> bool:
        now = stack.processes(home)["worker"]
        return now.pid != before.pid and now.state == "ready"

    eventually(back, "the worker is back", 30)
    after = stack.processes(home)["worker"]
    assert (after.restarts, after.last_exit) == (before.restarts + 1, "by SIGKILL")
    found = stack.load(home)
    assert found is not None
    assert found.pids["worker"] == after.pid


def test_restart_gives_a_new_process(full_stack: Stack) -> None:
    home = full_stack.kubeconfig.parent
    before = stack.processes(home)["worker"].pid
    assert stack.restart(home, "worker").pid != before
    with pytest.raises(stack.StackError, match="there is no wroker here: etcd"):
        stack.restart(home, "wroker")
