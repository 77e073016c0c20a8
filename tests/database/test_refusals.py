"""A database that refuses or does not answer: the error says what to mend, and never shows the key."""

import socket

import httpx
import pytest
from support.rows import Reachable, Rows, databases

from xnovu.adapters.supabase import PostgrestGateway
from xnovu.core.errors import CredentialsRejected, DatabaseUnavailable, XNovuError

pytestmark = pytest.mark.stack


async def refused(url: str, key: str, rows: Rows) -> XNovuError:
    async with databases(url, key) as of:
        with pytest.raises(XNovuError) as raised:
            await of(rows).poll(rows.ask())
    assert key not in f"{raised.value!r} {raised.value}"
    assert raised.value.__cause__ is None
    return raised.value


@pytest.mark.parametrize("change", ["another signature", "no token"])
async def test_a_wrong_key_is_told_and_not_shown(
    supabase: Reachable, rows: Rows, change: str
) -> None:
    key = supabase.service_role_key
    key = f"{key[:-6]}AAAAAA" if change == "another signature" else "sb_secret_0123456789"
    error = await refused(supabase.url, key, rows)
    assert isinstance(error, CredentialsRejected)
    assert error.retryable


async def test_a_server_that_is_down(rows: Rows) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take the port
        port = bound.getsockname()[1]
        error = await refused(f"http://127.0.0.1:{port}", "some-key", rows)
    assert isinstance(error, DatabaseUnavailable)


async def test_a_function_or_table_that_is_not_there_asks_for_the_migrations(
    supabase: Reachable,
) -> None:
    async with httpx.AsyncClient() as http:
        gateway = PostgrestGateway(http, supabase.url, supabase.service_role_key)
        with pytest.raises(DatabaseUnavailable, match="apply supabase/migrations"):
            await gateway.rpc("no_such_function", {})
        with pytest.raises(DatabaseUnavailable, match="apply supabase/migrations"):
            await gateway.select("no_such_table", {})
