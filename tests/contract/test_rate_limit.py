"""The smallest of Novu's token buckets, in the sandbox: used up, and hardly ever asked for too much."""

import asyncio
import time

import pytest
from support.sandbox import SandboxProcess

from xnovu.adapters.limits import EnvironmentLimits
from xnovu.adapters.novu import NovuClient, http_client
from xnovu.core.errors import NovuThrottled
from xnovu.core.records import TriggerRequest

ROWS = 900
BURST, RATE = 330, 60


def request(number: int, tries: int) -> TriggerRequest:
    return TriggerRequest(
        workflow_key="welcome",
        recipients=(f"p{number}",),
        topics=(),
        payload={"n": number},
        overrides={},
        transaction_id=f"xn-{number}",
        idempotency_key=f"xn-{number}#e{tries}",
    )


async def test_a_bucket_of_60_a_second_is_used_to_95_percent_with_1_percent_of_429(
    novu_sandbox: SandboxProcess, record_property: "pytest.RecordProperty"
) -> None:
    with novu_sandbox.client() as api:
        step = {"type": "in_app", "name": "In-app", "controlValues": {"body": "{{payload.n}}"}}
        workflow = {"workflowId": "welcome", "name": "welcome", "steps": [step]}
        api.put("/v2/workflows/welcome/sync", json=workflow)
        api.post("/v2/workflows", json=workflow)
        api.patch("/__sandbox/settings", json={"serviceLevel": "free"}).raise_for_status()
    refused = 0

    async def deliver(port: NovuClient, number: int) -> None:
        nonlocal refused
        for tries in range(100):
            try:
                await port.trigger(request(number, tries), patience=60)
            except NovuThrottled:
                refused += 1
            else:
                return

    async with http_client() as http:
        limits = EnvironmentLimits()
        ports = [
            NovuClient(
                http, novu_sandbox.url, novu_sandbox.secret_key, limits=limits, tenant=str(number)
            )
            for number in range(3)
        ]
        begun = time.monotonic()
        await asyncio.gather(*(deliver(ports[n % 3], n) for n in range(ROWS)))
        seconds = time.monotonic() - begun
    used = ROWS / (BURST + RATE * seconds)
    print(f"{used:.1%} of the bucket used in {seconds:.1f} s, {refused} of {ROWS} got a 429")  # noqa: T201
    record_property("bucket_used", f"{used:.3f}")
    assert used >= 0.95
    assert refused <= ROWS * 0.01
