"""The Novu sandbox as a process of its own, for tests: started on a free port, reset between tests, stopped by its id."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

SECRET_KEY = "sandbox-test-key"
DEADLINE_SECONDS = 15.0
T = TypeVar("T")


def eventually(probe: Callable[[], T], what: str, seconds: float = DEADLINE_SECONDS) -> T:
    """The first truthy answer of `probe`; fails, with the last answer, when the deadline has passed."""
    deadline = time.monotonic() + seconds
    while not (answer := probe()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s: {what}; last seen: {answer!r}")
        time.sleep(0.01)
    return answer


@dataclass
class SandboxProcess:
    """A running sandbox. `url` is its base, `admin_url` that of its switches, `secret_key` the key of its API."""

    state_dir: Path
    secret_key: str = SECRET_KEY
    url: str = ""
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def admin_url(self) -> str:
        return f"{self.url}/__sandbox"

    def start(self, port: int = 0) -> None:
        ready = self.state_dir / "ready.json"
        ready.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "xnovu_dev.sandbox"),
                *("--port", str(port), "--secret-key", self.secret_key),
                *("--state-dir", str(self.state_dir), "--ready-file", str(ready)),
            ],
            stdin=subprocess.DEVNULL,
        )
        eventually(
            lambda: ready.exists() or self.process.poll() is not None, "the sandbox is ready"
        )
        assert ready.exists(), f"the sandbox ended with {self.process.returncode}"
        self.url = json.loads(ready.read_text())["url"]

    def kill(self) -> None:
        """As kill -9 does."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; the exit code. Fails when it takes longer than 5 seconds."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=5)

    def client(self, key: str | None = None) -> httpx.Client:
        return httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"ApiKey {key or self.secret_key}"},
            timeout=10,
        )

    def admin(self, method: str, path: str, **options: Any) -> Any:
        """Call a switch or the oracle; the parsed answer, None when it has no body."""
        answer = httpx.request(method, f"{self.admin_url}{path}", **options)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def fault(self, kind: str, **options: Any) -> None:
        self.admin("POST", "/faults", json={"kind": kind, **options})

    def deliveries(self, **filters: str) -> list[dict[str, Any]]:
        return self.admin("GET", "/deliveries", params=filters)

    def settled(self) -> dict[str, Any]:
        """Wait until nothing accepted is queued any more; the status then."""

        def probe() -> dict[str, Any] | None:
            status = self.admin("GET", "/status")
            return status if status["queued"] == 0 else None

        return eventually(probe, "everything accepted was worked on")


@pytest.fixture(scope="session")
def novu_sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """One process for the session; tests take `novu_sandbox`, which is empty."""
    sandbox = SandboxProcess(tmp_path_factory.mktemp("novu-sandbox"))
    sandbox.start()
    yield sandbox
    assert sandbox.stop() == 0


@pytest.fixture
def novu_sandbox(novu_sandbox_process: SandboxProcess) -> SandboxProcess:
    """The sandbox as on its first start."""
    novu_sandbox_process.admin("POST", "/reset")
    return novu_sandbox_process
