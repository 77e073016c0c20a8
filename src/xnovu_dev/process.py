"""One process of the stack: what to run, how to see that it works, how it ends. Kept alive by the supervisor.

A process that dies is started again with growing pauses, and what it died of is kept for `processes.json`. Ends in a
bounded time: asked first, killed then. Its life is tied to the supervisor's by `xnovu_dev.child`.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psutil

from xnovu_dev import child
from xnovu_dev.problems import StackError
from xnovu_dev.state import ProcessState

Probe = Callable[[], Awaitable[None]]
"""Returns when the process works; raises anything while it does not yet."""

PROBE_EVERY_SECONDS: Final = 0.1
PROBE_SECONDS: Final = 5.0
PAUSES_SECONDS: Final = (0.2, 1.0, 2.0, 5.0, 10.0)
"""Before each start after an end; the last one stays. A process that worked for `STEADY_SECONDS` begins anew."""

STEADY_SECONDS: Final = 30.0
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Spec:
    """What to run. `probe` is asked until it returns, for at most `ready_seconds`.

    `user`: another user to run as, for programs that refuse to be root. `stop`: the signal that asks it to end.
    `death`: what it gets when the supervisor dies.
    """

    name: str
    command: tuple[str, ...]
    log: Path
    probe: Probe
    environ: Mapping[str, str]
    cwd: Path
    user: str | None = None
    stop: signal.Signals = signal.SIGTERM
    death: signal.Signals = signal.SIGKILL
    ready_seconds: float = 60.0
    stop_seconds: float = 10.0


@dataclass(slots=True)
class Process:
    """A running `Spec`. `changed` is called when its pid or its state changes."""

    spec: Spec
    changed: Callable[[], None]
    state: ProcessState | None = None
    _process: asyncio.subprocess.Process | None = None
    _keeper: asyncio.Task[None] | None = None
    _ending: bool = field(default=False)

    async def start(self) -> None:
        """Start and wait until it works. Raises StackError with the log's end when it does not."""
        await self._spawn(restarts=0)
        await self._ready()
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.spec.name}")

    async def stop(self) -> None:
        """Ask it to end, and end it. Idempotent."""
        self._ending = True
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
        await self._end()

    async def _spawn(self, restarts: int, last: ProcessState | None = None) -> None:
        spec = self.spec
        spec.log.parent.mkdir(parents=True, exist_ok=True)
        with spec.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(Path(child.__file__).resolve())),
                *(str(os.getpid()), str(int(spec.death)), spec.user or "-", "--"),
                *spec.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=spec.cwd,
                env=dict(spec.environ),
                start_new_session=True,
            )
        pid = self._process.pid
        with suppress(psutil.NoSuchProcess):
            self.state = ProcessState(
                pid=pid,
                state="starting",
                started=psutil.Process(pid).create_time(),
                restarts=restarts,
                last_exit=last.last_exit if last else None,
                last_exit_at=last.last_exit_at if last else None,
            )
        self.changed()

    async def _ready(self) -> None:
        process, spec = self._process, self.spec
        if process is None:
            return
        deadline = asyncio.get_running_loop().time() + spec.ready_seconds
        problem = "no answer"
        while True:
            if process.returncode is not None:
                raise StackError(
                    f"{spec.name} ended {_how(process.returncode)} at its start: {tail(spec.log)}",
                    spec.log,
                )
            try:
                await asyncio.wait_for(spec.probe(), PROBE_SECONDS)
            except Exception as error:  # noqa: BLE001 - whatever a probe meets means: not yet
                problem = f"{type(error).__name__}: {error}"
            else:
                break
            if asyncio.get_running_loop().time() > deadline:
                raise StackError(
                    f"{spec.name} did not come up in {spec.ready_seconds:.0f} s ({problem})",
                    spec.log,
                )
            await asyncio.sleep(PROBE_EVERY_SECONDS)
        self._set("ready")

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while self._process is not None:
            began = loop.time()
            code = await self._process.wait()
            if loop.time() - began > STEADY_SECONDS:
                failures = 0
            _log.warning("%s ended %s, starting it again", self.spec.name, _how(code))
            if self.state is not None:
                self.state = self.state.model_copy(
                    update={
                        "state": "dead",
                        "last_exit": _how(code),
                        "last_exit_at": datetime.now(UTC),
                    }
                )
                self.changed()
            await asyncio.sleep(PAUSES_SECONDS[min(failures, len(PAUSES_SECONDS) - 1)])
            failures += 1
            last = self.state
            await self._spawn((last.restarts if last else 0) + 1, last)
            try:
                await self._ready()
            except StackError as error:
                _log.warning("%s", error)
                await self._end()

    async def _end(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(self.spec.stop)
        try:
            await asyncio.wait_for(process.wait(), self.spec.stop_seconds)
        except TimeoutError:
            _log.warning(
                "%s did not end in %.0f s, killing it", self.spec.name, self.spec.stop_seconds
            )
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def _set(self, state: str) -> None:
        if self.state is not None:
            self.state = self.state.model_copy(update={"state": state})
            self.changed()


def _how(code: int) -> str:
    return f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"


def tail(log: Path, lines: int = 3) -> str:
    """The last lines of a log as one, for a message."""
    with suppress(OSError):
        return (
            " / ".join(log.read_text(errors="replace").splitlines()[-lines:]) or "it said nothing"
        )
    return "it said nothing"
