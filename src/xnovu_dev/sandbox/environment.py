"""Everything that one sandbox is made of, put together: the state behind the handlers, without HTTP.

Made once by `__main__` (and by nothing else); the handlers find it in the application. Time, ids and chance are passed
in here and handed down.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Final

from xnovu_dev.sandbox.buckets import Buckets, ServiceLevel
from xnovu_dev.sandbox.catalogue import Catalogue
from xnovu_dev.sandbox.faults import Faults
from xnovu_dev.sandbox.idempotency import Idempotency
from xnovu_dev.sandbox.json_types import JsonObject
from xnovu_dev.sandbox.ledger import Ledger
from xnovu_dev.sandbox.people import People
from xnovu_dev.sandbox.store import Store
from xnovu_dev.sandbox.worker import DEFAULT_LAG_SECONDS, Worker

REQUESTS_KEPT: Final = 5000


class Changes:
    """Wakes the pages that watch.

    `version` goes up with every change, so that none is missed between looking and waiting; `revision` when what was
    shown before may be wrong.
    """

    def __init__(self) -> None:
        self._waiting = asyncio.Event()
        self.version = 0
        self.revision = 0
        self._closed = False

    def added(self) -> None:
        """Something new was delivered."""
        self.version += 1
        self._waiting.set()
        self._waiting = asyncio.Event()

    def rewritten(self) -> None:
        """Something was withdrawn, renamed or forgotten."""
        self.revision += 1
        self.added()

    def close(self) -> None:
        self._closed = True
        self.added()

    def closed(self) -> bool:
        """Whether the server is going: who watches must end."""
        return self._closed

    async def wait(self, version: int, seconds: float) -> None:
        """Until there is a change after `version`, at most `seconds`."""
        if self.version != version:
            return
        try:
            await asyncio.wait_for(self._waiting.wait(), seconds)
        except TimeoutError:
            return


@dataclass(frozen=True, slots=True)
class Environment:
    """One Novu environment, with its one secret key."""

    secret_key: str
    store: Store
    people: People
    catalogue: Catalogue
    ledger: Ledger
    worker: Worker
    faults: Faults
    buckets: Buckets
    idempotency: Idempotency
    requests: deque[JsonObject]
    changes: Changes
    now: Callable[[], datetime]
    new_id: Callable[[], str]

    async def reset(self) -> None:
        """As on the first start: nobody known, nothing delivered, only the generic workflow, no switch on."""
        await self.worker.stop()
        self.store.forget()
        self.catalogue.load()
        self.faults.clear()
        self.idempotency.clear()
        self.idempotency.enabled = False
        self.buckets.set_level(ServiceLevel.ENTERPRISE)
        self.worker.lag_seconds = DEFAULT_LAG_SECONDS
        self.requests.clear()
        self.changes.rewritten()


def open_environment(
    state_dir: Path, secret_key: str, now: Callable[[], datetime], random: Random
) -> Environment:
    """Open what the folder holds. Needs a running event loop. Raises OSError, sqlite3.Error."""

    def new_id() -> str:
        return random.randbytes(12).hex()  # the form of Novu's internal ids

    store = Store(state_dir)
    people = People(store, now, new_id)
    catalogue = Catalogue(store, now, new_id)
    changes = Changes()
    faults = Faults(random)
    worker = Worker(
        store,
        people,
        catalogue,
        now=now,
        new_id=new_id,
        delivered=changes.added,
        provider_fails=faults.provider_fails,
    )
    return Environment(
        secret_key=secret_key,
        store=store,
        people=people,
        catalogue=catalogue,
        ledger=Ledger(store),
        worker=worker,
        faults=faults,
        buckets=Buckets(time.monotonic, ServiceLevel.ENTERPRISE),
        idempotency=Idempotency(time.monotonic),
        requests=deque(maxlen=REQUESTS_KEPT),
        changes=changes,
        now=now,
        new_id=new_id,
    )
