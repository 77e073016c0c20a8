"""The local stack as its users see it: `start`, `stop`, `restart`, `load`. Used by the command line and by the tests.

`start` finds or makes the programs in this process, where a person watches, then starts a supervisor that stays when
this process ends. All of it may be interrupted or killed at any moment: locks are the kernel's, files are replaced
whole, and what is half made is made again.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

import psutil

from xnovu_dev import environment
from xnovu_dev.home import Home, lock, private_folder
from xnovu_dev.problems import StackError, SupervisorEnded
from xnovu_dev.process import tail
from xnovu_dev.programs import SERVERS, find_all
from xnovu_dev.progress import FAILED, STARTING, ProgressReader, Report, silent
from xnovu_dev.state import ProcessState, Stack, read_processes, read_stack
from xnovu_dev.supervisor import OURS, STACK, end_leftovers

POLL_SECONDS: Final = 0.05
STOP_SECONDS: Final = 60.0
RESTART_SECONDS: Final = 90.0
GONE_SECONDS: Final = 5.0
T = TypeVar("T")
_SIGNALS: Final = {"postgres": signal.SIGINT}


def start(
    home: Path,
    report: Report = silent,
    *,
    components: tuple[str, ...] = OURS,
    owner: int | None = None,
) -> Stack:
    """Start the stack of this home, or find it running; returns when every part works.

    `components`: which of the operator and the worker to run. `owner`: a process whose end, however it ends, stops a
    stack that is started by this call; without one the stack stays. Idempotent. Raises StackError with the log to read.
    """
    place = Home(home.resolve())
    private_folder(place.root)
    with lock(place.start_lock, wait=False) as free:
        if free:
            return _start(place, report, components, owner)
    report(STACK, STARTING, "another start is at work here, waiting for it")
    with lock(place.start_lock, wait=True):
        return _start(place, report, components, owner)


def load(home: Path) -> Stack | None:
    """The running stack of this home, None when none is up."""
    place = Home(home.resolve())
    return read_stack(place) if place.supervised() else None


def processes(home: Path) -> dict[str, ProcessState]:
    """What each process of this home's stack is doing; empty when none is up."""
    place = Home(home.resolve())
    return read_processes(place) if place.supervised() else {}


def stop(home: Path, forget: bool, report: Report = silent) -> bool:  # noqa: FBT001 - said by name
    """Stop the stack of this home, with `forget` remove its data too; whether one was up. Idempotent, bounded."""
    place = Home(home.resolve())
    was_up = _stop_supervisor(place, report)
    if not place.root.exists():
        return was_up
    with lock(place.start_lock, wait=False) as free:
        if not free:
            raise StackError("a start is at work here: end it first")
        end_leftovers(place)
        place.stack_file.unlink(missing_ok=True)
        if forget:
            _forget(place)
    return was_up


def restart(home: Path, name: str) -> ProcessState:
    """End one process and wait until its successor works. Raises StackError when there is no such process."""
    known = processes(home)
    if name not in known:
        raise StackError(f"there is no {name} here: " + (", ".join(known) or "the stack is not up"))
    old = known[name]
    with suppress(ProcessLookupError):
        os.kill(old.pid, _SIGNALS.get(name, signal.SIGTERM))

    def successor() -> ProcessState | None:
        state = processes(home).get(name)
        return state if state and state.pid != old.pid and state.state == "ready" else None

    log = Home(home.resolve()).log(name)
    return _until(successor, RESTART_SECONDS, StackError(f"{name} did not come back", log))


def _start(place: Home, report: Report, components: tuple[str, ...], owner: int | None) -> Stack:
    found = _joined(place, report) if place.supervised() else None
    if found is not None:
        lacking = [name for name in components if getattr(found, name) is None]
        if lacking:
            raise StackError(f"the stack is up without {', '.join(lacking)}: stop it first")
        return found
    environ = environment.inherited()
    programs = find_all(SERVERS, environ, report)
    place.stack_file.unlink(missing_ok=True)
    end_leftovers(place)
    _spawn(place, components, {name: str(path) for name, path in programs.items()}, owner)
    try:
        return _follow(place, report)
    except BaseException:
        # Ctrl-C included: nothing half started stays.
        _stop_supervisor(place, silent)
        raise


def _joined(place: Home, report: Report) -> Stack | None:
    """The stack that another start has begun; None when it was on its way out, as after a start that was killed."""
    try:
        return read_stack(place) or _follow(place, report)
    except SupervisorEnded:
        return None


def _spawn(
    place: Home, components: tuple[str, ...], programs: dict[str, str], owner: int | None
) -> None:
    log = place.log("supervisor")
    private_folder(log.parent)
    place.progress_file.write_text("")
    with log.open("ab") as output:
        # It leaves a child that is nobody's when it returns; a failure before that is in its exit code.
        launched = subprocess.run(
            [
                *(sys.executable, "-m", "xnovu_dev", "supervise", "--home", str(place.root)),
                *("--components", ",".join(components), "--programs", json.dumps(programs)),
                *(() if owner is None else ("--owner", str(owner))),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=place.root,
            start_new_session=True,
            check=False,
        )
    if launched.returncode:
        raise StackError(f"the supervisor did not start: {tail(log)}", log)


def _follow(place: Home, report: Report) -> Stack:
    """Tell the progress until the stack is up. Every step of the supervisor is bounded, so this ends."""
    reader = ProgressReader(place.progress_file)
    while True:
        alive = place.supervised()
        failures: list[str] = []
        for component, state, detail in reader.news():
            if component == STACK and state == FAILED:
                failures.append(detail)
            else:
                report(component, state, detail)
        if failures:
            raise StackError(failures[0])
        if not alive:
            log = place.log("supervisor")
            raise SupervisorEnded(f"the supervisor ended: {tail(log)}", log)
        stack = read_stack(place)
        if stack is not None:
            return stack
        time.sleep(POLL_SECONDS)


def _stop_supervisor(place: Home, report: Report) -> bool:
    if not place.supervised():
        return False
    pid = _until(place.supervisor_pid, 5.0, StackError("the supervisor does not say who it is"))
    reader = ProgressReader(place.progress_file)
    reader.news()
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while place.supervised():
        for news in reader.news():
            report(*news)
        if time.monotonic() > deadline:
            # Everything it started goes with it.
            os.kill(pid, signal.SIGKILL)
            _until(lambda: not place.supervised(), 5.0, StackError("the supervisor does not end"))
        time.sleep(POLL_SECONDS)
    for news in reader.news():
        report(*news)
    # The lock is free a moment before the process is gone.
    with suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
        psutil.Process(pid).wait(GONE_SECONDS)
    return True


def _forget(place: Home) -> None:
    for path in place.forgotten():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _until(probe: Callable[[], T | None], seconds: float, error: StackError) -> T:
    deadline = time.monotonic() + seconds
    while not (answer := probe()):
        if time.monotonic() > deadline:
            raise error
        time.sleep(POLL_SECONDS)
    return answer
