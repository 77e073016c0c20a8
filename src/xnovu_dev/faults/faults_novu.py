"""Faults of Novu: F18 and F19 of the matrix. Each is one tenant's; the others share its worker and must not notice."""

import asyncio
import json
from collections.abc import Mapping
from typing import Final

from xnovu_dev.faults.case import Case, Inject
from xnovu_dev.faults.http_proxy import Fault, Kind
from xnovu_dev.faults.opening import Needs
from xnovu_dev.faults.requests import anything, is_trigger, of
from xnovu_dev.faults.rows import Wanted
from xnovu_dev.faults.site import Site

BOUND: Final = 30.0
NEIGHBOURS: Final = 10.0
ROWS: Final = 3
STORM: Final = 10
"""Calls per second of outage above which a refused key is a storm: five rows, five seconds apart, and the quick tries."""

_OURS: Final = json.dumps(
    {"statusCode": 500, "message": "Internal server error", "errorId": "a-fault"}
).encode()


def while_away(reason: str, status: int, headers: Mapping[str, str], body: bytes) -> Inject:
    """Novu answers this to everything of the victim's, for an outage."""
    return _while(Fault(Kind.ANSWER, anything, status=status, headers=headers, body=body), reason)


def swallows() -> Inject:
    return _while(Fault(Kind.HOLD, anything), None)


def _while(fault: Fault, reason: str | None) -> Inject:
    async def inject(site: Site) -> None:
        with site.novu.armed(_of(site, fault)) as armed:
            await site.plant_everywhere(ROWS)
            lasts = asyncio.create_task(asyncio.sleep(site.world.outage))
            if reason is not None:
                await site.shows(reason)
            await lasts
            calls = armed.hits
        site.mended()
        if site.world.subject.ours and calls > STORM * site.world.outage:
            site.notes.append(f"{calls} calls in {site.world.outage:.0f} s")
        if not calls:
            site.notes.append("the fault met nothing")

    return inject


def once_each(fault: Fault) -> Inject:
    """The first call for each row meets the fault, if chance does not give one row two."""

    async def inject(site: Site) -> None:
        with site.novu.armed(_of(site, fault)) as armed:
            await site.plant_everywhere(ROWS)
            site.mended()
            await site.until(lambda: armed.hits >= (fault.count or 0), BOUND)
            if not armed.hits:
                site.notes.append("the fault met nothing")
            # What is held or delayed goes on; the switch is off when all is over.
            await site.ends(2 * BOUND)

    return inject


async def refused(site: Site) -> None:
    """Novu says 413 to the victim's rows: they end at once, with the reason."""
    fault = Fault(Kind.ANSWER, is_trigger, status=413, body=b'{"statusCode": 413}')
    with site.novu.armed(_of(site, fault)) as armed:
        await site.plant(site.victim, ROWS, Wanted(ends="FAILED", reason="NovuRejected"))
        for neighbour in site.neighbours:
            await site.plant(neighbour, ROWS)
        site.mended()
        await site.ends(BOUND)
        if armed.hits > ROWS:
            site.notes.append(f"{armed.hits} calls for {ROWS} rows that can never be sent")


async def revoked(site: Site) -> None:
    """Novu refuses the victim's key for an outage: one look now and then, no storm, and nothing ends FAILED."""
    if site.own_novu is None:
        raise RuntimeError("it needs a Novu of its own")
    ledger = site.own_novu.ledger
    await ledger.change("POST", "/faults", {"kind": "401", "path": "/v1/events/trigger"})
    await site.plant_everywhere(ROWS)
    lasts = asyncio.create_task(asyncio.sleep(site.world.outage))
    await site.shows("CredentialsRejected")
    await lasts
    await ledger.change("DELETE", "/faults")
    site.mended()


async def cached_error(site: Site) -> None:
    """Novu keeps its 500 under the idempotency key for a day: the same key would get it again and again."""
    if site.own_novu is None:
        raise RuntimeError("it needs a Novu of its own")
    ledger = site.own_novu.ledger
    await ledger.change("PATCH", "/settings", {"idempotency": True})
    await ledger.change("POST", "/faults", {"kind": "5xx", "count": ROWS})
    await site.plant(site.victim, ROWS)
    site.mended()
    await site.ends(BOUND)
    for neighbour in site.neighbours:
        await site.plant(neighbour, ROWS)


def _of(site: Site, fault: Fault) -> Fault:
    return Fault(
        kind=fault.kind,
        match=of(site.victim, fault.match),
        passed_on=fault.passed_on,
        count=fault.count,
        seconds=fault.seconds,
        status=fault.status,
        headers=fault.headers,
        body=fault.body,
    )


def _novu(slug: str, what: str, inject: Inject) -> Case:
    return Case("F18", slug, what, BOUND, inject, group="tenants", quick_neighbours=NEIGHBOURS)


_HTML: Final = {"Content-Type": "text/html"}

CASES: Final = (
    _novu("429-asks", "429 with Retry-After: 2", while_away("NovuThrottled", 429, {"Retry-After": "2"}, b"{}")),
    _novu("429-plain", "429 without Retry-After", while_away("NovuThrottled", 429, {}, b"{}")),
    _novu("500", "500 of Novu's own", while_away("NovuFailed", 500, {}, _OURS)),
    _novu("503", "503 of a gateway", while_away("OutcomeUnclear", 503, _HTML, b"<html>")),
    Case("F18", "401", "401: the victim's key is revoked for a while", BOUND, revoked, Needs(own_novu=True, own_credentials=True), quick_neighbours=NEIGHBOURS, ours_only=True),
    _novu("black-hole", "requests are taken, nothing is answered", swallows()),
    _novu("408", "408 once for each row", once_each(Fault(Kind.ANSWER, is_trigger, count=ROWS, status=408))),
    _novu("502-after", "502 after Novu accepted", once_each(Fault(Kind.ANSWER, is_trigger, count=ROWS, status=502, passed_on=True, headers=_HTML, body=b"<html>"))),
    _novu("slow", "the answer takes 20 s", once_each(Fault(Kind.DELAY, is_trigger, count=2, seconds=20.0))),
    _novu("reset-before", "reset before Novu got the request", once_each(Fault(Kind.RESET, is_trigger, count=ROWS))),
    _novu("reset-after", "reset after Novu accepted", once_each(Fault(Kind.RESET, is_trigger, count=ROWS, passed_on=True))),
    _novu("garbage", "201 and a body that is no JSON, accepted", once_each(Fault(Kind.ANSWER, is_trigger, count=ROWS, status=201, passed_on=True, body=b"<html"))),
    _novu("truncated", "201 that ends in its middle, accepted", once_each(Fault(Kind.TRUNCATE, is_trigger, count=ROWS))),
    _novu("413", "413: too large for Novu", refused),
    Case("F19", "cached-error", "Novu keeps its 500 under the key for 24 h", BOUND, cached_error, Needs(own_novu=True)),
    Case("F19", "in-progress", "409: the first try of this key is under way", BOUND, once_each(Fault(Kind.ANSWER, is_trigger, count=ROWS, status=409, passed_on=True, headers={"Retry-After": "1"})), group="tenants", quick_neighbours=NEIGHBOURS),
)  # fmt: skip
