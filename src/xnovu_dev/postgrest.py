"""PostgREST over the schema `notify`, and the gateway in front of it that gives Supabase's path `/rest/v1`.

Started after the migrations: PostgREST reads the schema once, at its start.
"""

import sys
from typing import Final

from xnovu_dev.context import Context
from xnovu_dev.home import private_folder, write_private
from xnovu_dev.ports import HOST
from xnovu_dev.postgres import AUTHENTICATOR, dsn
from xnovu_dev.probes import http_ok
from xnovu_dev.process import Spec

PORTS: Final = ("postgrest", "supabase")
SCHEMA: Final = "notify"
POOL: Final = 20
"""Connections to Postgres: more than the worker's deliveries at once would wait for each other otherwise."""


def spec(context: Context) -> Spec:
    folder = private_folder(context.home.data("postgrest"))
    config = folder / "postgrest.conf"
    settings: dict[str, str | int] = {
        "db-uri": dsn(context, AUTHENTICATOR),
        "db-schemas": SCHEMA,
        "db-anon-role": "anon",
        "db-pool": POOL,
        "jwt-secret": context.keys.jwt_secret,
        "server-host": HOST,
        "server-port": context.ports["postgrest"],
        "log-level": "warn",
    }
    # In a file that only we can read: a command line and an environment are shown to others.
    lines = (f'{k} = "{v}"' if isinstance(v, str) else f"{k} = {v}" for k, v in settings.items())
    write_private(config, "\n".join(lines) + "\n")
    return Spec(
        name="postgrest",
        command=(str(context.programs["postgrest"]), str(config)),
        log=context.home.log("postgrest"),
        probe=http_ok(f"{context.url('postgrest')}/", headers=_headers(context)),
        environ=context.environ,
        cwd=folder,
        stop_seconds=3.0,
    )


def gateway_spec(context: Context) -> Spec:
    return Spec(
        name="supabase",
        command=(
            *(sys.executable, "-m", "xnovu_dev.gateway"),
            *(str(context.ports["supabase"]), context.url("postgrest")),
        ),
        log=context.home.log("supabase"),
        probe=http_ok(f"{context.url('supabase')}/rest/v1/", headers=_headers(context)),
        environ=context.environ,
        cwd=context.home.root,
        stop_seconds=3.0,
    )


def _headers(context: Context) -> dict[str, str]:
    key = context.keys.service_role_key
    return {"apikey": key, "Authorization": f"Bearer {key}"}
