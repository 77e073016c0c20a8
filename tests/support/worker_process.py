"""The worker as a process, as a pod runs it: `python -m xnovu worker`, ended by its own id."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class WorkerProcess:
    """Use as a context manager. `temporal` is its address, which need not answer."""

    temporal: str
    queue: str
    log: Path
    health_port: int = field(default_factory=free_port)
    metrics_port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes] | None" = None
    _out: "IO[bytes] | None" = None

    def __enter__(self) -> Self:
        self._out = self.log.open("wb")
        mine = {
            "XNOVU_TEMPORAL__ADDRESS": self.temporal,
            "XNOVU_TEMPORAL__TASK_QUEUE": self.queue,
            "XNOVU_WORKER__HEALTH_PORT": str(self.health_port),
            "XNOVU_WORKER__METRICS_PORT": str(self.metrics_port),
            "XNOVU_SUPABASE__URL": "http://127.0.0.1:9",
            "XNOVU_SUPABASE__SERVICE_ROLE_KEY": "a-test-key",
        }
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("XNOVU_")}  # noqa: TID251  # a process needs PATH
        self.process = subprocess.Popen(
            [sys.executable, "-m", "xnovu", "worker"],
            env={**inherited, **mine},
            stdin=subprocess.DEVNULL,
            stderr=self._out,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self._out is not None:
            self._out.close()

    def get(self, path: str, port: int | None = None) -> tuple[int, str]:
        """Status and body; 0 while nothing answers."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{port or self.health_port}{path}", timeout=2
            ) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    async def is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        return self.get("/readyz")[0] == 200

    def terminate(self, seconds: float) -> int:
        """The exit code after SIGTERM; fails when it takes longer."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def memory_mb(self) -> float:
        assert self.process is not None
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise AssertionError("no VmRSS")
