"""Faults of Postgres and of PostgREST in front of it: F15, F16 and F17 of the matrix."""

import asyncio
from typing import Final

import psycopg
from psycopg.types.json import Jsonb

from xnovu_dev import stack
from xnovu_dev.faults import rows
from xnovu_dev.faults.case import Case, Inject
from xnovu_dev.faults.http_proxy import Fault, Kind
from xnovu_dev.faults.requests import anything, is_claim, is_finish
from xnovu_dev.faults.rows import Wanted
from xnovu_dev.faults.site import Site

BOUND: Final = 30.0
LATE: Final = 10.0
ROWS: Final = 10
BULK: Final = 1000
MEMORY: Final = 256 * 1024 * 1024
"""The worker's memory limit in the matrix (F28)."""


async def restarted(site: Site) -> None:
    """Postgres ends and comes back, in the middle of deliveries."""
    await site.plant_everywhere(ROWS)
    await asyncio.to_thread(stack.restart, site.world.home, "postgres")
    site.mended()
    await site.plant_everywhere(ROWS)


async def backends_killed(site: Site) -> None:
    """PostgREST's connections to Postgres are ended, again and again."""
    loop = asyncio.get_running_loop()
    end = loop.time() + site.world.outage
    while loop.time() < end:
        await site.plant_everywhere(2)
        await site.world.sql.run(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'authenticator'"
        )
        await asyncio.sleep(0.3)
    site.mended()


async def locked(site: Site) -> None:
    """Somebody holds locks on the victim's rows in a transaction that is left open."""
    planted = await site.plant(site.victim, ROWS)
    async with await psycopg.AsyncConnection.connect(site.world.stack.supabase.dsn) as other:
        await other.execute(
            "select 1 from notify.ent_notification where id = any(%s) for update",
            [[row.id for row in planted]],
        )
        for neighbour in site.neighbours:
            await site.plant(neighbour, ROWS)
        await asyncio.sleep(site.world.outage)
    site.mended()


def answers(status: int, code: str | None, reason: str) -> Inject:
    """PostgREST, or what is in front of it, gives this answer to everything; the reason must be seen meanwhile."""
    text = f'{{"code": "{code}", "message": "a fault", "details": null, "hint": null}}'
    plain = {"Content-Type": "text/html"}
    body, headers = (text.encode(), {}) if code else (b"<html>no upstream</html>", plain)
    return outage(Fault(Kind.ANSWER, anything, status=status, headers=headers, body=body), reason)


def outage(fault: Fault, reason: str | None, at_least: float = 0.0) -> Inject:
    """Rows before and while the fault lasts."""

    async def inject(site: Site) -> None:
        await site.plant_everywhere(ROWS)
        with site.database.armed(fault):
            await site.plant_everywhere(ROWS)
            lasts = asyncio.create_task(asyncio.sleep(max(site.world.outage, at_least)))
            if reason is not None:
                await site.shows(reason)
            await lasts
        site.mended()

    return inject


async def answers_lost(site: Site) -> None:
    """Claims and final statuses are written, and every first answer to them is lost."""
    faults = [
        Fault(Kind.RESET, site.mine(match), passed_on=True, count=ROWS)
        for match in (is_claim, is_finish)
    ]
    armed = [site.database.arm(fault) for fault in faults]
    await site.plant(site.victim, ROWS)
    for neighbour in site.neighbours:
        await site.plant(neighbour, ROWS)
    site.mended()
    await site.ends(BOUND)
    for one in armed:
        if not one.hits:
            site.notes.append("the fault met nothing")
        site.database.lift(one)


async def bulk(site: Site) -> None:
    """A thousand rows in one statement: one transaction, one created_at."""
    await site.plant(site.victim, BULK)
    await site.plant(site.neighbours[0], ROWS)
    site.mended()
    await site.ends(BOUND)
    used = site.worker.memory()
    if used > MEMORY:
        site.notes.append(f"the worker uses {used // 2**20} MiB")


async def committed_late(site: Site) -> None:
    """Rows with lower ids become visible after rows with higher ids were sent."""
    early = rows.batch([(site.victim, Wanted())] * ROWS, site.world.workflow_id)
    async with await psycopg.AsyncConnection.connect(site.world.stack.supabase.dsn) as late:
        await late.execute(rows.INSERT, [Jsonb(list(early.rows))])
        later = await site.plant(site.victim, ROWS)
        if not await site.ends(BOUND, later):
            site.notes.append("rows beside an open transaction are not sent")
        await site.plant(site.neighbours[0], ROWS)
    site.mended()
    site.planted += await rows.planted(site.world.sql, early)


async def skewed(site: Site) -> None:
    """Producers whose clocks are a day ahead or behind."""
    day = 86_400.0
    skews = (-day, -1.0, day, 60.0)
    await site.plant_all(site.victim, [Wanted(skew=skew) for skew in skews for _ in range(5)])
    await site.plant(site.neighbours[0], ROWS)
    site.mended()


CASES: Final = (
    Case("F15", "restart", "Postgres restarts in the middle of deliveries", BOUND, restarted, alone=True),
    Case("F15", "backends", "PostgREST's connections to Postgres are killed every 0.3 s", BOUND, backends_killed, alone=True),
    Case("F15", "read-only", "Postgres is read-only (25006)", BOUND, answers(405, "25006", "DatabaseUnavailable")),
    Case("F15", "pool", "PostgREST's pool is exhausted (504 PGRST003)", BOUND, answers(504, "PGRST003", "DatabaseUnavailable")),
    Case("F15", "statement-timeout", "statements time out (57014)", BOUND, answers(500, "57014", "DatabaseUnavailable")),
    Case("F15", "locks", "an open transaction holds locks on the victim's rows", BOUND, locked, group="tenants", quick_neighbours=10.0),
    Case("F16", "gateway", "503 of a gateway, no JSON", BOUND, answers(503, None, "DatabaseUnavailable")),
    Case("F16", "expired", "401: the token has expired (PGRST301)", BOUND, answers(401, "PGRST301", "CredentialsRejected")),
    Case("F16", "schema-cache", "404: the schema cache is stale (PGRST202)", BOUND, answers(404, "PGRST202", "DatabaseUnavailable")),
    Case("F16", "column", "400: a column is missing (42703)", BOUND, answers(400, "42703", "DatabaseUnavailable")),
    Case("F16", "black-hole", "PostgREST takes requests and answers nothing", BOUND, outage(Fault(Kind.HOLD, anything), "DatabaseUnavailable", 12.0)),
    Case("F16", "truncated", "every answer ends in its middle", BOUND, outage(Fault(Kind.TRUNCATE, anything), "DatabaseUnavailable")),
    Case("F16", "slow", "every answer takes 2 s", BOUND, outage(Fault(Kind.DELAY, anything, seconds=2.0), None)),
    Case("F16", "lost-answers", "claims and statuses are written, the answers lost", BOUND, answers_lost, group="tenants", quick_neighbours=10.0),
    Case("F17", "bulk", "1,000 rows in one statement", BOUND, bulk),
    Case("F17", "late", "rows with lower ids are committed after higher ones were sent", LATE, committed_late, group="tenants"),
    Case("F17", "skew", "producers' clocks are a day ahead or behind", LATE, skewed, group="tenants"),
)  # fmt: skip
