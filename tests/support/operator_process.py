"""The operator and the worker as processes of their own, for tests: real ones, with settings from the environment."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

DEADLINE = 20.0
_T = TypeVar("_T")


def eventually(look: Callable[[], _T | None], what: str, seconds: float = DEADLINE) -> _T:
    """What `look` finds, once it finds something true. Fails with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}; last: {found!r}")
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@dataclass
class Program:
    """One running process of ours."""

    process: subprocess.Popen[bytes]
    log: Path
    health_port: int

    @classmethod
    def start(cls, name: str, log: Path, temporal: str, more: Mapping[str, str]) -> "Program":
        """`name`: operator or worker."""
        health = free_port()
        group = name.upper()
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("XNOVU_")},  # noqa: TID251 - handed to a process
            "XNOVU_TEMPORAL__ADDRESS": temporal,
            f"XNOVU_{group}__METRICS_PORT": str(free_port()),
            f"XNOVU_{group}__HEALTH_PORT": str(health),
            "XNOVU_LOG__FORMAT": "text",
            **more,
        }
        with log.open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "xnovu", name],
                env=environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=log.parent,
            )
        return cls(process, log, health)

    def stop(self, seconds: float = 10.0) -> int:
        """SIGTERM; answers the exit code. Raises TimeoutExpired when it does not leave in time."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    @property
    def text(self) -> str:
        return self.log.read_text()

    def resident_megabytes(self) -> float:
        """Resident memory now (proc(5), VmRSS)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(row for row in status.splitlines() if row.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024
