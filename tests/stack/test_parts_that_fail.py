"""One server that dies comes back alone; one that cannot start is named, and nothing of its stack stays."""

import os
import signal
from pathlib import Path

import psutil
import pytest
from support.stack import eventually

from xnovu_dev import stack
from xnovu_dev.problems import StackError

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]


def of_home(home: Path) -> list[psutil.Process]:
    """Whatever names the home on its command line."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(home) in " ".join(process.info["cmdline"] or ()) and process.pid != os.getpid()
    ]


def test_a_server_that_is_killed_comes_back_and_the_others_stay(own) -> None:
    before = own.start().pids
    for name in ("postgres", "kube-apiserver", "temporal", "supabase"):
        os.kill(before[name], signal.SIGKILL)

        def back(name: str = name, old: int = before[name]) -> bool:
            state = stack.processes(own.home).get(name)
            return state is not None and state.pid != old and state.state == "ready"

        eventually(back, f"{name} has a successor that answers", 60)
        found = stack.load(own.home)
        assert found is not None
        assert {n for n, pid in found.pids.items() if pid != before[n]} == {name}
        before = found.pids


def test_a_part_that_cannot_start_is_named_and_nothing_stays(
    own, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = own.home.parent / "etcd"
    broken.write_text("#!/bin/sh\necho 'no disk' >&2\nexit 7\n")
    broken.chmod(0o755)
    monkeypatch.setenv("XNOVU_PROGRAM_ETCD", str(broken))
    with pytest.raises(StackError, match=r"(?s)etcd.*7.*no disk"):
        own.start()
    assert stack.load(own.home) is None
    eventually(lambda: not of_home(own.home), "nothing of this home runs")
