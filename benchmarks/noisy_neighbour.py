"""How long a quiet tenant waits, alone and beside a tenant that floods: insert to Novu's acceptance, on the local stack.

    python benchmarks/noisy_neighbour.py --flood 5000 --seconds 30

The quiet one inserts a row a second. Percentiles and their ratio; the ratio is what to compare.
"""

import argparse
import asyncio
import math
import random
import tempfile
import time
import uuid
from datetime import datetime
from pathlib import Path

import httpx
import psycopg
from throughput import apply, insert, until_in_ledger, until_sent, workflow

from xnovu.adapters.temporal import connect
from xnovu.core.ids import parse_transaction_id
from xnovu.settings import TemporalSettings
from xnovu_dev import stack
from xnovu_dev.state import Stack


def waits(connection: psycopg.Connection, novu: httpx.Client, enterprise: str) -> list[float]:
    rows = connection.execute(
        "select id, created_at from notify.ent_notification where enterprise_id = %s", (enterprise,)
    ).fetchall()
    accepted = {}
    for entry in novu.get("/__sandbox/deliveries").json():
        found = parse_transaction_id(entry["transactionId"])
        if found is not None and found.enterprise_id == enterprise:
            accepted[found.notification_id] = datetime.fromisoformat(entry["acceptedAt"])
    return sorted((accepted[number] - created).total_seconds() for number, created in rows)


def percentile(values: list[float], part: float) -> float:
    return values[min(len(values) - 1, math.ceil(part * len(values)) - 1)]


async def one_a_second(
    connection: psycopg.Connection, enterprise: str, kind: int, count: int
) -> None:
    # Anywhere within each second: polls come at fixed moments, and a row must not always hit the same one.
    chance = random.Random(12)
    begun = time.monotonic()
    for number in range(count):
        await asyncio.sleep(max(0, begun + number + chance.random() - time.monotonic()))
        insert(connection, enterprise, kind, 1)


async def measure(up: Stack, flood: int, seconds: int) -> None:
    client = await connect(TemporalSettings(address=up.temporal.address))
    alone, beside, loud = (str(uuid.uuid4()) for _ in range(3))
    key = {"Authorization": f"ApiKey {up.novu.secret_key}"}
    with (
        psycopg.connect(up.supabase.dsn, autocommit=True) as connection,
        httpx.Client(base_url=up.novu.url, headers=key, timeout=60) as novu,
    ):
        kind = workflow(connection, novu)
        for tenant in (alone, beside, loud):
            await apply(client, tenant)
        insert(connection, loud, kind, 5)
        await until_sent(connection, [loud], seconds=60)
        await one_a_second(connection, alone, kind, seconds)
        insert(connection, loud, kind, flood)
        await one_a_second(connection, beside, kind, seconds)
        row = connection.execute(
            "select count(*) from notify.ent_notification where enterprise_id = %s"
            " and notification_status <> 'SENT'",
            (loud,),
        ).fetchone()
        print(f"{row[0] if row else '?'} of the flood's {flood} rows are left at the end of it")
        await until_sent(connection, [alone, beside, loud], seconds=280)
        await until_in_ledger(novu, [alone, beside, loud], flood + 5 + 2 * seconds)
        quiet, noisy = waits(connection, novu, alone), waits(connection, novu, beside)
    for part in (0.5, 0.99):
        one, other = percentile(quiet, part), percentile(noisy, part)
        print(f"p{part * 100:.0f}: alone {one:.3f} s, beside {other:.3f} s, {other / one:.2f}x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--flood", type=int, default=5000)
    parser.add_argument("--seconds", type=int, default=30)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        up = stack.start(home, components=("worker",))
        try:
            asyncio.run(measure(up, given.flood, given.seconds))
        finally:
            stack.stop(home, forget=False)


if __name__ == "__main__":
    main()
