"""Novu's token bucket, kept from our side: against the sandbox's own bucket, in a time that the test moves."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import timedelta

import pytest

from xnovu.adapters.limits import AT_ONCE, UNLIMITED, EnvironmentLimits, Limiter, Policy, policy_of
from xnovu.core.errors import NovuNoTurn
from xnovu_dev.sandbox.buckets import Buckets, Category, ServiceLevel


class VirtualTime(asyncio.SelectorEventLoop):
    """A loop whose clock jumps to the next timer when nothing else is to do."""

    now = 1000.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        whens = [handle._when for handle in self._scheduled if not handle._cancelled]
        if not self._ready and whens:
            self.now = max(self.now, min(whens))
        super()._run_once()


def run(work: Callable[[VirtualTime], Coroutine[None, None, None]]) -> None:
    loop = VirtualTime()
    try:
        loop.run_until_complete(work(loop))
    finally:
        loop.close()


class Novu:
    """The environment's bucket and what it answered. `latency`: seconds there, and as many back."""

    def __init__(self, loop: VirtualTime, level: ServiceLevel, latency: float = 0.05) -> None:
        self._loop = loop
        self._buckets = Buckets(loop.time, level)
        self._latency = latency
        self.answers: Counter[int] = Counter()
        self.accepted: list[tuple[float, str]] = []

    async def send(self, limiter: Limiter, tenant: str) -> int:
        async with limiter.turn(tenant, 600):
            await asyncio.sleep(self._latency)
            draw = self._buckets.draw(Category.TRIGGER, bulk=False)
            status = 201 if draw.allowed else 429
            self.answers[status] += 1
            if draw.allowed:
                self.accepted.append((self._loop.time(), tenant))
            await asyncio.sleep(self._latency)
            after = timedelta(seconds=draw.retry_after) if not draw.allowed else None
            limiter.heard(status, draw.headers, after)
            return status

    async def send_all(self, limiter: Limiter, tenant: str, count: int) -> None:
        async def one() -> None:
            while await self.send(limiter, tenant) != 201:
                pass

        await asyncio.gather(*(one() for _ in range(count)))


@pytest.mark.parametrize("processes", [1, 3])
@pytest.mark.parametrize("latency", [0.005, 0.05, 0.1])
def test_a_free_bucket_is_used_up_and_hardly_ever_asked_for_too_much(
    processes: int, latency: float
) -> None:
    async def work(loop: VirtualTime) -> None:
        novu = Novu(loop, ServiceLevel.FREE, latency)
        limiters = [Limiter(loop.time) for _ in range(processes)]
        begun, rows = loop.time(), 1800
        await asyncio.gather(*(novu.send_all(one, "a", rows // processes) for one in limiters))
        seconds = loop.time() - begun
        # The bucket is full at first: 60 a second over 5 s and a tenth.
        used = rows / (330 + 60 * seconds)
        refused = novu.answers[429] / sum(novu.answers.values())
        assert used >= 0.95, (used, refused)
        assert refused <= 0.01, (used, refused)

    run(work)


def test_who_sends_little_waits_no_longer_because_another_floods() -> None:
    async def work(loop: VirtualTime) -> None:
        novu, limiter = Novu(loop, ServiceLevel.FREE, 0.02), Limiter(loop.time)
        flood = asyncio.create_task(novu.send_all(limiter, "loud", 2000))
        await asyncio.sleep(10)
        waits = []
        for _ in range(10):
            begun = loop.time()
            assert await novu.send(limiter, "quiet") == 201
            waits.append(loop.time() - begun)
            await asyncio.sleep(1)
        flood.cancel()
        await asyncio.gather(flood, return_exceptions=True)
        # Its own 40 ms, and one turn of the flood before it.
        assert max(waits) < 0.15, waits

    run(work)


def test_a_429_stops_everybody_until_it_says() -> None:
    async def work(loop: VirtualTime) -> None:
        limiter = Limiter(loop.time)
        async with limiter.turn("a", 1):
            limiter.heard(429, {}, timedelta(seconds=7))
        begun = loop.time()
        assert limiter.allowance("b") == 0
        with pytest.raises(NovuNoTurn) as caught:
            async with limiter.turn("b", 3):
                pass
        assert loop.time() == begun
        assert caught.value.retry_after == timedelta(seconds=7)
        async with limiter.turn("b", 10):
            assert loop.time() - begun == pytest.approx(7)

    run(work)


def test_who_has_no_turn_in_time_is_told_so_and_blocks_nobody() -> None:
    async def work(loop: VirtualTime) -> None:
        limiter = Limiter(loop.time)
        limiter.heard(201, {}, None)
        held = [limiter.turn("a", 1) for _ in range(AT_ONCE)]
        for one in held:
            await one.__aenter__()
        with pytest.raises(NovuNoTurn):
            async with limiter.turn("b", 2):
                pass
        for one in held:
            await one.__aexit__(None, None, None)
        async with limiter.turn("b", 2):
            pass

    run(work)


def test_the_allowance_is_shared_and_shrinks_with_what_waits() -> None:
    async def work(loop: VirtualTime) -> None:
        novu, limiter = Novu(loop, ServiceLevel.FREE), Limiter(loop.time)
        assert limiter.allowance("a") == UNLIMITED
        await novu.send(limiter, "a")
        alone = limiter.allowance("a")
        assert 330 < alone < 460
        await novu.send(limiter, "b")
        assert limiter.allowance("a") == pytest.approx(alone / 2, rel=0.05)
        flood = asyncio.create_task(novu.send_all(limiter, "a", 1000))
        await asyncio.sleep(8)
        assert limiter.allowance("a") == 1
        assert limiter.allowance("b") > 20
        flood.cancel()
        await asyncio.gather(flood, return_exceptions=True)

    run(work)


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ('60;w=5;burst=66;comment="token bucket";category="trigger"', Policy(60, 330)),
        ("100", Policy(100, 100)),
        ("100;w=60", Policy(100, 6000)),
        ("0;w=5", None),
        ("", None),
        ("many", None),
        ("-1", None),
        ("9" * 40, None),
    ],
)
def test_the_policy_header_is_read_or_ignored(text: str, policy: Policy | None) -> None:
    assert policy_of({"RateLimit-Policy": text}) == policy


def test_every_call_has_the_limiter_of_its_category() -> None:
    limits = EnvironmentLimits()
    assert limits.of("POST", "/v1/events/trigger") is limits.trigger
    assert limits.of("DELETE", "/v1/events/trigger/x") is limits.trigger
    assert limits.of("GET", "/v1/notifications") is not limits.trigger
    assert limits.of("DELETE", "/v1/messages/x") is not limits.of("GET", "/v1/notifications")
