"""The Novu port against the sandbox: the real client does what the activities count on."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from support.sandbox import SandboxProcess

from xnovu.adapters.novu import NovuClient, http_client
from xnovu.core import errors, ids
from xnovu.core.novu_workflow import Synced, dynamic_workflow
from xnovu.core.records import TriggerRequest

pytestmark = pytest.mark.stack

WORKFLOW = {
    "workflowId": "welcome",
    "name": "Welcome",
    "steps": [
        {
            "type": "in_app",
            "name": "In-app",
            "controlValues": {"subject": "s", "body": "Hi {{payload.n}}"},
        }
    ],
}


def request(
    transaction: str = "xn-1", *recipients: str, workflow: str = "welcome", errors_so_far: int = 0
) -> TriggerRequest:
    return TriggerRequest(
        workflow_key=workflow,
        recipients=recipients or ("ada",),
        topics=(),
        payload={"n": 1},
        overrides={},
        transaction_id=transaction,
        idempotency_key=ids.idempotency_key(transaction, errors_so_far),
    )


@pytest.fixture
async def port(novu_sandbox: SandboxProcess) -> AsyncIterator[NovuClient]:
    with novu_sandbox.client() as api:
        made = api.put("/v2/workflows/welcome/sync", json=WORKFLOW)
        if made.status_code >= 400:
            made = api.post("/v2/workflows", json=WORKFLOW)
        made.raise_for_status()
    async with http_client() as http:
        yield NovuClient(http, novu_sandbox.url, novu_sandbox.secret_key)


async def until(probe: Callable[[], Awaitable[bool]], what: str) -> None:
    deadline = time.monotonic() + 15
    while not await probe():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.02)


async def test_what_is_accepted_shows_up_in_the_feed(port: NovuClient) -> None:
    people = tuple(f"p{number}" for number in range(100))
    await port.trigger(request("xn-1", *people))

    async def all_there() -> bool:
        return await port.accepted("xn-1") == set(people)

    await until(all_there, "the feed shows all recipients")
    assert await port.accepted("xn-other") == frozenset()


async def test_an_unknown_workflow_is_told_from_other_refusals(port: NovuClient) -> None:
    with pytest.raises(errors.WorkflowNotFound, match="gone"):
        await port.trigger(request(workflow="gone"))


async def test_more_than_a_hundred_recipients_are_refused(port: NovuClient) -> None:
    with pytest.raises(errors.NovuRejected):
        await port.trigger(request("xn-1", *(f"p{number}" for number in range(101))))


async def test_a_wrong_key_is_rejected(novu_sandbox: SandboxProcess) -> None:
    async with http_client() as http:
        port = NovuClient(http, novu_sandbox.url, "wrong")
        with pytest.raises(errors.CredentialsRejected):
            await port.trigger(request())
        with pytest.raises(errors.CredentialsRejected):
            await port.accepted("xn-1")


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("401", errors.CredentialsRejected),
        ("429", errors.NovuThrottled),
        ("5xx", errors.NovuFailed),
        ("accept_then_drop", errors.OutcomeUnclear),
        ("garbage", errors.OutcomeUnclear),
    ],
)
async def test_each_way_to_fail_is_the_error_that_says_what_to_do(
    port: NovuClient,
    novu_sandbox: SandboxProcess,
    kind: str,
    error: type[errors.XNovuError],
) -> None:
    novu_sandbox.fault(kind, count=1)
    with pytest.raises(errors.XNovuError) as caught:
        await port.trigger(request())
    assert type(caught.value) is error
    if error is errors.NovuThrottled:
        assert caught.value.retry_after is not None


async def test_a_dropped_answer_is_found_in_the_feed(
    port: NovuClient, novu_sandbox: SandboxProcess
) -> None:
    novu_sandbox.fault("accept_then_drop", count=1)
    with pytest.raises(errors.OutcomeUnclear):
        await port.trigger(request())

    async def there() -> bool:
        return await port.accepted("xn-1") == {"ada"}

    await until(there, "the feed shows what was accepted")


async def test_the_feed_tells_what_became_of_each_step(
    port: NovuClient, novu_sandbox: SandboxProcess
) -> None:
    steps = [
        *WORKFLOW["steps"],
        {"type": "sms", "name": "Text", "controlValues": {"body": "b"}},
        {"type": "delay", "name": "Wait", "controlValues": {"amount": 1, "unit": "hours"}},
        {"type": "email", "name": "Mail", "controlValues": {"subject": "s", "body": "b"}},
    ]
    with novu_sandbox.client() as api:
        api.put("/v2/workflows/welcome", json={**WORKFLOW, "steps": steps}).raise_for_status()
    novu_sandbox.fault("provider", channel="sms")
    await port.trigger(request())
    await asyncio.to_thread(novu_sandbox.settled)

    async def states() -> list[tuple[str | None, str]]:
        (entry,) = await port.activity("xn-1")
        assert entry.subscriber_id == "ada"
        return [(job.channel, job.state) for job in entry.jobs]

    sent = [("IN_APP", "Delivered"), ("SMS", "Failed")]
    assert await states() == [*sent, (None, "UnderWay"), ("EMAIL", "UnderWay")]
    assert await port.cancel("xn-1") is True
    assert await states() == [*sent, (None, "Cancelled"), ("EMAIL", "Cancelled")]


async def test_a_refused_key_is_asked_about_once_and_not_a_thousand_times(
    port: NovuClient, novu_sandbox: SandboxProcess
) -> None:
    novu_sandbox.fault("401", method=None, path="/v1")
    for _ in range(1000):
        with pytest.raises(errors.CredentialsRejected) as caught:
            await port.trigger(request())
        assert caught.value.retry_after is not None
    asked = await asyncio.to_thread(novu_sandbox.admin, "GET", "/requests?path=/v1/events")
    assert 1 <= len(asked) <= 3


async def test_messages_are_deleted_once(port: NovuClient, novu_sandbox: SandboxProcess) -> None:
    await port.trigger(request())
    await asyncio.to_thread(novu_sandbox.settled)
    assert await port.delete_messages("xn-1") is True
    assert await port.delete_messages("xn-1") is False


async def test_there_is_nothing_to_cancel_in_what_is_delivered(
    port: NovuClient, novu_sandbox: SandboxProcess
) -> None:
    await port.trigger(request())
    await asyncio.to_thread(novu_sandbox.settled)
    assert await port.cancel("xn-1") is False
    assert await port.cancel("xn-unknown") is False


async def test_a_workflow_is_created_then_left_alone_then_mended(
    port: NovuClient, novu_sandbox: SandboxProcess
) -> None:
    with novu_sandbox.client() as api:
        api.delete("/v2/workflows/xnovu-dynamic").raise_for_status()
        assert await port.sync_workflow(dynamic_workflow()) is Synced.CREATED
        assert await port.sync_workflow(dynamic_workflow()) is Synced.UNCHANGED
        spoilt = {"name": "Mine", "steps": [{"type": "sms", "name": "sms"}]}
        api.put("/v2/workflows/xnovu-dynamic", json=spoilt).raise_for_status()
        assert await port.sync_workflow(dynamic_workflow()) is Synced.UPDATED
        assert await port.sync_workflow(dynamic_workflow()) is Synced.UNCHANGED
        found = api.get("/v2/workflows/xnovu-dynamic").json()["data"]
    assert [step["type"] for step in found["steps"]] == ["in_app", "email", "sms", "chat", "push"]


async def test_a_sync_that_fails_says_so_and_can_be_repeated(
    port: NovuClient, novu_sandbox: SandboxProcess
) -> None:
    novu_sandbox.fault("5xx", count=1, method="GET", path="/v2/workflows")
    with pytest.raises(errors.NovuUnavailable):
        await port.sync_workflow(dynamic_workflow())
    assert await port.sync_workflow(dynamic_workflow()) is Synced.UNCHANGED
