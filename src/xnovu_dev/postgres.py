"""Postgres for the stack: a cluster of its own in the home, TCP on loopback with passwords, Supabase's roles.

Postgres refuses to be root; then it runs as `nobody`, who owns its files and nothing else here (see `xnovu_dev.child`
for how it gets into a home that only root may enter). Called by the supervisor.
"""

import asyncio
import os
import pwd
import shutil
import signal
import sys
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg
from psycopg import sql

from xnovu_dev import child
from xnovu_dev.context import Context
from xnovu_dev.home import private_folder, write_private
from xnovu_dev.ports import HOST
from xnovu_dev.problems import StackError
from xnovu_dev.process import Probe, Spec, tail

PORTS: Final = ("postgres",)
DATABASE: Final = "postgres"
SUPERUSER: Final = "postgres"
AUTHENTICATOR: Final = "authenticator"
INIT_SECONDS: Final = 60
_API_ROLES: Final = ("anon", "authenticated", "service_role")


def dsn(context: Context, user: str = SUPERUSER) -> str:
    """A connection URL with the password in it."""
    keys = context.keys
    password = keys.postgres_password if user == SUPERUSER else keys.authenticator_password
    return f"postgresql://{user}:{quote(password)}@{context.address('postgres')}/{DATABASE}"


def other_user() -> str | None:
    """Who runs Postgres when we are root."""
    return "nobody" if os.geteuid() == 0 else None


async def prepare(context: Context) -> None:
    """Make the data folder when there is none. A killed attempt is begun anew: it counts once it has its name."""
    data = context.home.data("postgres")
    if data.exists():
        return
    parent = private_folder(data.parent)
    half = parent / "postgres.half"
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(mode=0o700)
    password = half.with_suffix(".password")
    write_private(password, context.keys.postgres_password)
    _give(half)
    _give(password)
    try:
        await _initdb(context, half, password)
    finally:
        password.unlink()
    half.rename(data)


def spec(context: Context) -> Spec:
    data = context.home.data("postgres")
    settings = {
        "port": str(context.ports["postgres"]),
        "listen_addresses": HOST,
        "unix_socket_directories": "",
        "log_min_messages": "warning",
        "log_statement": "none",
        # A dead supervisor must not leave its clients' locks behind for long.
        "client_connection_check_interval": "10s",
    }
    options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
    return Spec(
        name="postgres",
        command=(str(context.programs["postgres"]), "-D", str(data), *options),
        log=context.home.log("postgres"),
        probe=_probe(dsn(context)),
        environ=context.environ,
        cwd=data,
        user=other_user(),
        # SIGINT is its fast shutdown: open connections are closed, the data is left clean.
        stop=signal.SIGINT,
        death=signal.SIGINT,
    )


async def make_roles(context: Context) -> None:
    """The roles of a Supabase project. Idempotent; passwords are set at each start."""
    async with await psycopg.AsyncConnection.connect(dsn(context)) as connection:
        for role in _API_ROLES:
            await _make_role(connection, role, sql.SQL("nologin noinherit"))
        await connection.execute("alter role service_role bypassrls")
        await _make_role(connection, AUTHENTICATOR, sql.SQL("login noinherit"))
        await connection.execute(
            sql.SQL("alter role {} password {}").format(
                sql.Identifier(AUTHENTICATOR), sql.Literal(context.keys.authenticator_password)
            )
        )
        await connection.execute(
            sql.SQL("grant {} to {}").format(
                sql.SQL(", ").join(map(sql.Identifier, _API_ROLES)), sql.Identifier(AUTHENTICATOR)
            )
        )


async def _make_role(
    connection: psycopg.AsyncConnection[tuple[object, ...]], role: str, options: sql.SQL
) -> None:
    found = await connection.execute("select 1 from pg_roles where rolname = %s", [role])
    if await found.fetchone() is None:
        await connection.execute(sql.SQL("create role {} {}").format(sql.Identifier(role), options))


async def _initdb(context: Context, folder: Path, password: Path) -> None:
    program = context.programs["postgres"].with_name("initdb")
    if not program.exists():
        raise StackError(f"there is no initdb beside {context.programs['postgres']}")
    log = context.home.log("initdb")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(Path(child.__file__).resolve())),
            *(str(os.getpid()), str(int(signal.SIGKILL)), other_user() or "-", "--"),
            *(str(program), "-D", str(folder), "-U", SUPERUSER, "--pwfile", str(password)),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            env=dict(context.environ),
        )
    try:
        code = await asyncio.wait_for(process.wait(), INIT_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
    if code:
        raise StackError(f"initdb failed: {tail(log)}", log)


def _give(path: Path) -> None:
    if (name := other_user()) is not None:
        user = pwd.getpwnam(name)
        os.chown(path, user.pw_uid, user.pw_gid)


def _probe(address: str) -> Probe:
    async def probe() -> None:
        async with await psycopg.AsyncConnection.connect(address, connect_timeout=3) as connection:
            await connection.execute("select 1")

    return probe
