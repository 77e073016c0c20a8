"""The fault proxies: what the caller sees and what the server has got, for each fault."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest
from aiohttp import web

from xnovu_dev.faults.http_proxy import Fault, HttpProxy, Kind
from xnovu_dev.faults.requests import is_trigger, of
from xnovu_dev.faults.tcp_proxy import Mode, TcpProxy

TENANT = "6f1c2a9e-4b7d-4c35-9a58-1d2e3f4a5b6c"
PATH = "/v1/events/trigger"


@asynccontextmanager
async def a_server() -> AsyncIterator[tuple[HttpProxy, list[bytes], aiohttp.ClientSession]]:
    """A proxy before a server that keeps what it gets."""
    got: list[bytes] = []

    async def take(request: web.Request) -> web.Response:
        got.append(await request.read())
        return web.json_response({"status": "processed"}, status=201)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    async with HttpProxy(f"http://127.0.0.1:{port}") as proxy, aiohttp.ClientSession() as session:
        yield proxy, got, session
    await runner.cleanup()


async def post(session: aiohttp.ClientSession, proxy: HttpProxy, text: str = "x") -> str:
    """The answer as status and text, or the name of what the caller met instead."""
    try:
        async with session.post(proxy.url + PATH, data=text) as answer:
            return f"{answer.status} {await answer.text()}"
    except aiohttp.ClientError as error:
        return type(error).__name__


async def test_what_matches_no_fault_passes() -> None:
    async with a_server() as (proxy, got, session):
        with proxy.armed(Fault(Kind.RESET, of(TENANT, is_trigger))):
            assert (await post(session, proxy)).startswith("201")
            assert (await post(session, proxy, f"for {TENANT}")).endswith("Error")
    assert got == [b"x"]


@pytest.mark.parametrize("passed_on", [False, True])
async def test_a_reset_hides_whether_the_server_got_it(passed_on: bool) -> None:
    async with a_server() as (proxy, got, session):
        with proxy.armed(Fault(Kind.RESET, is_trigger, passed_on=passed_on, count=1)) as armed:
            assert (await post(session, proxy)).endswith("Error")
            assert len(got) == int(passed_on)
            assert (await post(session, proxy)).startswith("201")
        assert armed.hits == 1


async def test_a_truncated_answer_was_worked_on() -> None:
    async with a_server() as (proxy, got, session):
        with proxy.armed(Fault(Kind.TRUNCATE, is_trigger)):
            assert await post(session, proxy) == "ClientPayloadError"
    assert len(got) == 1


@pytest.mark.parametrize("passed_on", [False, True])
async def test_an_answer_of_our_own(passed_on: bool) -> None:
    fault = Fault(Kind.ANSWER, is_trigger, passed_on=passed_on, status=429, body=b"slow down")
    async with a_server() as (proxy, got, session):
        with proxy.armed(fault):
            assert await post(session, proxy) == "429 slow down"
    assert len(got) == int(passed_on)


@pytest.mark.parametrize("passed_on", [False, True])
async def test_what_is_held_is_reset_when_the_fault_is_lifted(passed_on: bool) -> None:
    async with a_server() as (proxy, got, session):
        with proxy.armed(Fault(Kind.HOLD, is_trigger, passed_on=passed_on)) as armed:
            call = asyncio.create_task(post(session, proxy))
            await asyncio.wait_for(armed.met.wait(), 5)
            assert (len(got), call.done()) == (int(passed_on), False)
        assert (await call).endswith("Error")
        assert len(got) == int(passed_on)


@asynccontextmanager
async def an_echo() -> AsyncIterator[tuple[TcpProxy, list[bytes]]]:
    got: list[bytes] = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(100):
                got.append(data)
                writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with TcpProxy(f"127.0.0.1:{server.sockets[0].getsockname()[1]}") as proxy:
        yield proxy, got
        for _, writer in dialled:
            writer.transport.abort()
        dialled.clear()
    server.close()


Link = tuple[asyncio.StreamReader, asyncio.StreamWriter]
dialled: list[Link] = []


async def ask(link: Link, text: bytes, seconds: float = 5) -> bytes:
    """What comes back; empty when the connection ends, TimeoutError when nothing does."""
    link[1].write(text)
    return await asyncio.wait_for(link[0].read(100), seconds)


async def dial(proxy: TcpProxy) -> Link:
    dialled.append(await asyncio.open_connection("127.0.0.1", proxy.port))
    return dialled[-1]


async def test_refused_connections_are_taken_again_on_the_same_port() -> None:
    async with an_echo() as (proxy, _):
        link, port = await dial(proxy), proxy.port
        assert await ask(link, b"a") == b"a"
        await proxy.set(Mode.REFUSE)
        with pytest.raises(OSError):
            await dial(proxy)
        with pytest.raises(ConnectionResetError):
            await ask(link, b"b")
        await proxy.set(Mode.OPEN)
        assert proxy.port == port
        assert await ask(await dial(proxy), b"c") == b"c"


@pytest.mark.parametrize(("mode", "arrives"), [(Mode.BLACK_HOLE, False), (Mode.HALF_OPEN, True)])
async def test_swallowed_bytes_end_the_connection_when_all_is_well_again(
    mode: Mode, arrives: bool
) -> None:
    async with an_echo() as (proxy, got):
        link = await dial(proxy)
        assert await ask(link, b"a") == b"a"
        await proxy.set(mode)
        with pytest.raises(TimeoutError):
            await ask(link, b"b", 0.2)
        assert (b"b" in got) == arrives
        await proxy.set(Mode.OPEN)
        with pytest.raises(ConnectionResetError):
            await ask(link, b"c")
        assert await ask(await dial(proxy), b"d") == b"d"


async def test_a_stranded_connection_stays_silent_while_new_ones_work() -> None:
    async with an_echo() as (proxy, _):
        link = await dial(proxy)
        assert await ask(link, b"a") == b"a"
        proxy.strand()
        with pytest.raises(TimeoutError):
            await ask(link, b"b", 0.2)
        assert await ask(await dial(proxy), b"c") == b"c"
