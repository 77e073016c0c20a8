"""A worker as a process that may be treated badly: killed, frozen, starved, and started again. Used by `site`.

It dies with us, however we end (`xnovu_dev.child`), and is only ever signalled by its own id.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Final

import aiohttp
import psutil

from xnovu_dev import child, environment
from xnovu_dev.ports import FIRST, HOST, LAST, is_free
from xnovu_dev.problems import StackError
from xnovu_dev.process import tail

READY_SECONDS: Final = 60.0
END_SECONDS: Final = 20.0
_next_port = iter(range(LAST - 1, FIRST, -1))


def free_port() -> int:
    """From the end of the stack's range, downwards, so that two of this process never meet."""
    return next(port for port in _next_port if is_free(port))


async def tied(
    command: Sequence[str], log: Path, settings: Mapping[str, str]
) -> asyncio.subprocess.Process:
    """Start a process that dies with us, with these variables and no other of XNovu's."""
    inherited = {k: v for k, v in environment.inherited().items() if not k.startswith("XNOVU_")}
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(Path(child.__file__).resolve())),
            *(str(os.getpid()), str(int(signal.SIGKILL)), "-", "--"),
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**inherited, **settings},
            start_new_session=True,
        )


class WorkerProcess:
    """One process at a time; `start` again after an end. `log` gets what it says."""

    def __init__(self, command: Sequence[str], settings: Mapping[str, str], log: Path) -> None:
        self._command = tuple(command)
        self.settings = dict(settings)
        self.log = log
        self.health_port, self.metrics_port = free_port(), free_port()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("it was not started")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self, *, to: Path | None = None) -> None:
        """Start it; does not wait. `to`: where it writes instead of its log."""
        ports = {
            "XNOVU_WORKER__HEALTH_PORT": str(self.health_port),
            "XNOVU_WORKER__METRICS_PORT": str(self.metrics_port),
        }
        self._process = await tied(self._command, to or self.log, {**self.settings, **ports})

    async def ready(self, seconds: float = READY_SECONDS) -> None:
        """Wait until it says that it works. Raises StackError with its last words."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not await self.answers("/readyz"):
            if not self.running:
                raise StackError(f"the worker ended at its start: {tail(self.log)}", self.log)
            if asyncio.get_running_loop().time() > deadline:
                raise StackError(f"the worker is not ready: {tail(self.log)}", self.log)
            await asyncio.sleep(0.05)

    async def answers(self, path: str) -> bool:
        """Whether its health endpoint says yes."""
        address = f"http://{HOST}:{self.health_port}{path}"
        timeout = aiohttp.ClientTimeout(total=2)
        with suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(address) as answer,
            ):
                return answer.status == HTTPStatus.OK
        return False

    def send(self, number: signal.Signals) -> None:
        """A signal to this process, while it is there."""
        if self._process is not None and self.running:
            self._process.send_signal(number)

    async def ended(self, seconds: float = END_SECONDS) -> int:
        """Its exit code, negative for a signal. Raises TimeoutError when it goes on."""
        if self._process is None:
            raise RuntimeError("it was not started")
        return await asyncio.wait_for(self._process.wait(), seconds)

    async def kill(self) -> None:
        """SIGKILL, and wait. Idempotent."""
        self.send(signal.SIGKILL)
        if self._process is not None:
            await self._process.wait()

    async def frozen(self, seconds: float) -> None:
        """Wait until it is stopped, by whomever."""
        deadline = asyncio.get_running_loop().time() + seconds
        while psutil.Process(self.pid).status() != psutil.STATUS_STOPPED:
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError("it did not freeze")
            await asyncio.sleep(0.05)

    def memory(self) -> int:
        """Resident bytes."""
        return int(psutil.Process(self.pid).memory_info().rss)
