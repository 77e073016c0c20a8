"""Credentials that change while work is under way: F27 of the matrix. The victim has a secret and a Novu of its own."""

import asyncio
from typing import Final
from uuid import uuid4

from xnovu_dev.faults.case import Case
from xnovu_dev.faults.opening import Needs
from xnovu_dev.faults.site import Site

BOUND: Final = 10.0
ROWS: Final = 5
OWN: Final = Needs(own_novu=True, own_credentials=True)


async def rotated(site: Site) -> None:
    """The key is rolled at Novu, and reaches the worker an outage later."""
    if site.own_novu is None:
        raise RuntimeError("it needs a Novu of its own")
    await site.plant_everywhere(ROWS)
    await site.own_novu.change_key(f"rolled-{uuid4().hex}")
    await site.plant_everywhere(ROWS)
    await site.shows("CredentialsRejected")
    await asyncio.sleep(site.world.outage)
    site.give_credentials()
    site.mended()


async def deleted(site: Site) -> None:
    """The secret disappears, and comes back."""
    await site.plant_everywhere(ROWS)
    site.credential("secretKey").unlink()
    await site.plant_everywhere(ROWS)
    await site.shows("CredentialsMissing")
    await asyncio.sleep(site.world.outage)
    site.give_credentials()
    site.mended()


async def malformed(site: Site) -> None:
    """Somebody writes what no key looks like."""
    await site.plant_everywhere(ROWS)
    site.give_credentials("a key\r\nwith: a header")
    await site.plant_everywhere(ROWS)
    await site.shows("Credentials")
    await asyncio.sleep(site.world.outage)
    site.give_credentials()
    site.mended()


CASES: Final = (
    Case("F27", "rotated", "the victim's key is revoked, the new one comes later", BOUND, rotated, OWN, quick_neighbours=BOUND, ours_only=True),
    Case("F27", "deleted", "the victim's secret disappears and comes back", BOUND, deleted, OWN, quick_neighbours=BOUND, ours_only=True),
    Case("F27", "malformed", "the victim's secret holds line breaks, then the key", BOUND, malformed, OWN, quick_neighbours=BOUND, ours_only=True),
)  # fmt: skip
