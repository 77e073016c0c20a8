"""`python -m xnovu_dev.sandbox`: the sandbox as a process on loopback, until SIGTERM or SIGINT, then exit 0.

Started by the local stack and by the tests; the ready file appears when requests are answered.
"""

import argparse
import asyncio
import json
import logging
import signal
import sqlite3
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom
from typing import Final

from aiohttp import web

from xnovu_dev.sandbox import (
    activity_api,
    admin,
    events_api,
    inbox,
    middleware,
    subscribers_api,
    workflows_api,
)
from xnovu_dev.sandbox.environment import Environment, open_environment
from xnovu_dev.sandbox.web_support import ENVIRONMENT

HOST: Final = "127.0.0.1"
LARGEST_BODY: Final = 100 * 512 * 1024 + 1024 * 1024
"""A bulk of 100 events at the limit of each, and what is around them."""

SHUTDOWN_SECONDS: Final = 1.0


def application(env: Environment) -> web.Application:
    app = web.Application(middlewares=middleware.ALL, client_max_size=LARGEST_BODY)
    app[ENVIRONMENT] = env
    for module in (events_api, activity_api, subscribers_api, workflows_api, admin, inbox):
        app.add_routes(module.routes())
    return app


def _write_ready(ready_file: Path, url: str) -> None:
    """At once or not at all: who waits for the file may read it as soon as it is there."""
    ready_file.parent.mkdir(parents=True, exist_ok=True)
    half = ready_file.with_suffix(".tmp")
    half.write_text(json.dumps({"url": url}) + "\n")
    half.replace(ready_file)


async def serve(port: int, secret_key: str, state_dir: Path, ready_file: Path | None) -> None:
    """Serve until a signal. Raises OSError when the port is taken or the folder cannot be used."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    env = open_environment(state_dir, secret_key, lambda: datetime.now(UTC), SystemRandom())
    runner = web.AppRunner(application(env), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
        env.worker.resume()
        url = f"http://{HOST}:{runner.addresses[0][1]}"
        if ready_file:
            _write_ready(ready_file, url)
        logging.getLogger(__name__).info("Novu sandbox at %s, inbox at %s/inbox", url, url)
        await stop.wait()
    finally:
        env.changes.close()
        await runner.cleanup()
        await env.worker.stop()
        env.store.close()


def main(arguments: Sequence[str]) -> int:
    """Exit codes: 0 stopped by a signal, 1 could not serve, 2 wrong arguments."""
    parser = argparse.ArgumentParser(prog="xnovu_dev.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--secret-key", required=True, help="the key that the API asks for")
    parser.add_argument("--state-dir", type=Path, required=True, help="where the ledger is kept")
    parser.add_argument(
        "--ready-file", type=Path, help="gets {'url': …} when requests are answered"
    )
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        asyncio.run(serve(given.port, given.secret_key, given.state_dir, given.ready_file))
    except (OSError, sqlite3.Error) as error:
        logging.getLogger(__name__).error("cannot serve: %s", error)  # noqa: TRY400 - a message for people
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
