"""Tenants are served in turn, and who gives up costs nobody a place."""

import asyncio

from xnovu.adapters.turns import FairGate


async def entered(gate: FairGate, tenants: str) -> str:
    """The order in which these get in, one at a time."""
    order: list[str] = []

    async def one(tenant: str) -> None:
        async with gate.turn(tenant):
            order.append(tenant)
            await asyncio.sleep(0)

    await asyncio.gather(*(one(t) for t in tenants))
    return "".join(order)


async def test_who_has_one_waiting_is_not_behind_who_has_many() -> None:
    assert await entered(FairGate(1), "aaaaabc") == "aabcaaa"


async def test_one_tenant_alone_is_served_in_order() -> None:
    assert await entered(FairGate(2), "aaaa") == "aaaa"


async def test_who_gives_up_leaves_the_place_to_others() -> None:
    gate = FairGate(1)
    release = asyncio.Event()

    async def hold() -> None:
        async with gate.turn("a"):
            await release.wait()

    async def want() -> bool:
        async with gate.turn("b"):
            return True

    holding = asyncio.create_task(hold())
    await asyncio.sleep(0)
    gone, staying = asyncio.create_task(want()), asyncio.create_task(want())
    await asyncio.sleep(0)
    gone.cancel()
    release.set()
    assert await staying
    await holding
    assert await want()
