"""A Novu sandbox of one fault's own, for what cannot be done to a shared one: its keys, its idempotency, its restart.

Used by `site`. It dies with us, as the worker does.
"""

import asyncio
import json
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from xnovu_dev.faults.novu_ledger import NovuLedger
from xnovu_dev.faults.worker_process import tied
from xnovu_dev.problems import StackError
from xnovu_dev.process import tail

START_SECONDS: Final = 30.0


class NovuProcess:
    """Use as an async context manager. `secret_key`: the one that it takes now."""

    def __init__(self, folder: Path, secret_key: str) -> None:
        self.folder = folder
        self.secret_key = secret_key
        self.url = ""
        self.ledger = NovuLedger("", secret_key)
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        await self._start(0)
        await self._open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()
        await self.ledger.__aexit__()

    async def change_key(self, secret_key: str) -> None:
        """As when somebody rolls the key in Novu's dashboard: the old one is refused at once. All data stays."""
        await self._stop()
        self.secret_key = secret_key
        await self._start(urlsplit(self.url).port or 0)
        await self.ledger.__aexit__()
        await self._open()

    async def _open(self) -> None:
        self.ledger = await NovuLedger(self.url, self.secret_key).__aenter__()

    async def _start(self, port: int) -> None:
        ready, log = self.folder / "ready.json", self.folder / "novu.log"
        ready.unlink(missing_ok=True)
        command = (
            *(sys.executable, "-m", "xnovu_dev.sandbox", "--port", str(port)),
            *("--secret-key", self.secret_key, "--state-dir", str(self.folder)),
            *("--ready-file", str(ready)),
        )
        self._process = await tied(command, log, {})
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while not ready.exists():
            late = asyncio.get_running_loop().time() > deadline
            if late or self._process.returncode is not None:
                raise StackError(f"the sandbox did not start: {tail(log)}", log)
            await asyncio.sleep(0.05)
        self.url = str(json.loads(ready.read_text())["url"])

    async def _stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
            await self._process.wait()
