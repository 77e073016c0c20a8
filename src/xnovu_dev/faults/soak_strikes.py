"""What the faults of a soak do to its site. Each mends what it broke before it returns. Called by `soak`."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import Final

from xnovu_dev import stack
from xnovu_dev.faults.http_proxy import Fault, HttpProxy, Kind
from xnovu_dev.faults.requests import anything
from xnovu_dev.faults.site import Site
from xnovu_dev.faults.tcp_proxy import Mode

Do = Callable[[Site, float], Awaitable[None]]
END_SECONDS: Final = 15.0


async def _kill(site: Site, _: float) -> None:
    await site.worker.kill()
    await site.worker.start()
    await site.worker.ready()


async def _term(site: Site, _: float) -> None:
    site.worker.send(signal.SIGTERM)
    code = await site.worker.ended(END_SECONDS)
    if code:
        site.notes.append(f"the worker ended with {code} after SIGTERM")
    await site.worker.start()
    await site.worker.ready()


async def _freeze(site: Site, seconds: float) -> None:
    site.worker.send(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    site.worker.send(signal.SIGCONT)


def _temporal(mode: Mode) -> Do:
    async def strike(site: Site, seconds: float) -> None:
        await site.temporal.set(mode)
        await asyncio.sleep(seconds)
        await site.temporal.set(Mode.OPEN)

    return strike


async def _cut(site: Site, seconds: float) -> None:
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        site.temporal.reset_all()
        await asyncio.sleep(0.7)


def _restart(name: str) -> Do:
    async def strike(site: Site, _: float) -> None:
        await asyncio.to_thread(stack.restart, site.world.home, name)

    return strike


async def _backends(site: Site, seconds: float) -> None:
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        await site.world.sql.run(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'authenticator'"
        )
        await asyncio.sleep(0.5)


def _http(pick: Callable[[Site], HttpProxy], fault: Fault) -> Do:
    async def strike(site: Site, seconds: float) -> None:
        with pick(site).armed(fault):
            await asyncio.sleep(seconds)

    return strike


def _database(site: Site) -> HttpProxy:
    return site.database


def _novu(site: Site) -> HttpProxy:
    return site.novu


_BROKEN: Final = b'{"statusCode": 500, "message": "Internal server error", "errorId": "a-fault"}'
DO: Final[dict[str, Do]] = {
    "kill": _kill,
    "term": _term,
    "freeze": _freeze,
    "temporal-refuses": _temporal(Mode.REFUSE),
    "temporal-swallows": _temporal(Mode.BLACK_HOLE),
    "temporal-half-open": _temporal(Mode.HALF_OPEN),
    "temporal-cut": _cut,
    "temporal-restart": _restart("temporal"),
    "postgres-restart": _restart("postgres"),
    "postgres-backends": _backends,
    "database-503": _http(_database, Fault(Kind.ANSWER, anything, status=503, body=b"<html>")),
    "database-answers-lost": _http(_database, Fault(Kind.RESET, anything, passed_on=True)),
    "database-truncated": _http(_database, Fault(Kind.TRUNCATE, anything)),
    "database-silent": _http(_database, Fault(Kind.HOLD, anything)),
    "novu-429": _http(_novu, Fault(Kind.ANSWER, anything, status=429, headers={"Retry-After": "1"})),
    "novu-500": _http(_novu, Fault(Kind.ANSWER, anything, status=500, body=_BROKEN)),
    "novu-unreached": _http(_novu, Fault(Kind.RESET, anything)),
    "novu-answers-lost": _http(_novu, Fault(Kind.RESET, anything, passed_on=True)),
    "novu-silent": _http(_novu, Fault(Kind.HOLD, anything)),
    "novu-garbage": _http(_novu, Fault(Kind.ANSWER, anything, passed_on=True, status=201, body=b"<")),
}  # fmt: skip
