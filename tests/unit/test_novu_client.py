"""What each answer of Novu, and each way of not answering, means to us: against a server that speaks raw HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from xnovu.adapters import novu
from xnovu.adapters.circuit import FIRST, Circuit
from xnovu.core import errors
from xnovu.core.records import TriggerRequest

KEY = "nv-hunter2-key"
REQUEST = TriggerRequest(
    workflow_key="welcome",
    recipients=("ada", "ben"),
    topics=("all",),
    payload={"secret": "hunter2-payload"},
    overrides={"email": {"from": "x"}, "fcm": {"kept": True}},
    transaction_id="xn-1",
    idempotency_key="xn-1#e0",
)
PROCESSED = b'{"data":{"acknowledged":true,"status":"processed","transactionId":"xn-1"}}'


def answer(status: int, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def error(status: int, message: str = "no", **more: object) -> bytes:
    return json.dumps({"statusCode": status, "path": "/v1", "message": message, **more}).encode()


@dataclass
class Server:
    """Answers each connection with the next of `answers` (the last again), and keeps the requests."""

    answers: list[bytes]
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        originals = dict(line.split(": ", 1) for line in lines)
        self.requests.append((first, originals, body))
        writer.write(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def client(
    *answers: bytes, circuit: Circuit | None = None
) -> AsyncIterator[tuple[novu.NovuClient, Server]]:
    server = Server(list(answers))
    async with (
        await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening,
        novu.http_client() as http,
    ):
        port = listening.sockets[0].getsockname()[1]
        yield novu.NovuClient(http, f"http://127.0.0.1:{port}/", KEY, circuit=circuit), server


async def raised(
    call: Callable[[novu.NovuClient], Awaitable[object]], *answers: bytes
) -> errors.XNovuError:
    async with client(*answers) as (made, _):
        with pytest.raises(errors.XNovuError) as caught:
            await call(made)
    seen: BaseException | None = caught.value
    while seen is not None:
        assert "hunter2" not in f"{seen!r}"
        assert seen.__cause__ is None
        seen = None if seen.__suppress_context__ else seen.__context__
    return caught.value


def trigger(made: novu.NovuClient) -> Awaitable[None]:
    return made.trigger(REQUEST)


async def test_a_trigger_says_everything_once() -> None:
    async with client(answer(201, PROCESSED)) as (made, server):
        await made.trigger(REQUEST)
    [(first, headers, body)] = server.requests
    assert first == "POST /v1/events/trigger HTTP/1.1"
    assert headers["Authorization"] == f"ApiKey {KEY}"
    assert headers["Idempotency-Key"] == "xn-1#e0"
    assert headers["Accept-Encoding"] == "identity"
    assert json.loads(body) == {
        "name": "welcome",
        "to": ["ada", "ben", {"type": "Topic", "topicKey": "all"}],
        "payload": {"secret": "hunter2-payload"},
        "overrides": {"email": {"from": "x"}, "fcm": {"kept": True}},
        "transactionId": "xn-1",
    }


WITHOUT_STATUS = b'{"data":{"acknowledged":true}}'
NOT_ACTIVE = b'{"data":{"acknowledged":true,"status":"trigger_not_active"}}'
NOT_ACKNOWLEDGED = b'{"data":{"acknowledged":false,"status":"processed"}}'
NEW_STATUS = b'{"data":{"acknowledged":true,"status":"brand_new"}}'
GARBAGE = b"<html>hunter2</html>"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer(201, NOT_ACTIVE), errors.NovuRejected),
        (answer(201, NOT_ACKNOWLEDGED), errors.OutcomeUnclear),
        (answer(201, NEW_STATUS), errors.OutcomeUnclear),
        (answer(201, WITHOUT_STATUS), errors.OutcomeUnclear),
        (answer(201, GARBAGE), errors.OutcomeUnclear),
        (answer(201, b"[" * 100_000), errors.OutcomeUnclear),
        (answer(201, PROCESSED, "Content-Encoding: gzip"), errors.OutcomeUnclear),
        (answer(201, PROCESSED + b" " * 5_000_000), errors.OutcomeUnclear),
        (answer(200, PROCESSED), errors.OutcomeUnclear),
        (answer(204), errors.OutcomeUnclear),
        (answer(301, b"", "Location: http://127.0.0.1:9/"), errors.ConfigurationError),
        (answer(400, error(400)), errors.NovuRejected),
        (answer(401, error(401)), errors.CredentialsRejected),
        (answer(403, error(403)), errors.CredentialsRejected),
        (answer(403, GARBAGE), errors.NovuRejected),
        (answer(404, error(404)), errors.NovuRejected),
        (answer(408, error(408)), errors.OutcomeUnclear),
        (answer(409, error(409), "Retry-After: 1"), errors.OutcomeUnclear),
        (answer(413, error(413)), errors.NovuRejected),
        (answer(422, error(422)), errors.NovuRejected),
        (answer(422, error(422, "workflow_not_found")), errors.WorkflowNotFound),
        (
            answer(422, error(422, "Request with key x is being reused for a different body")),
            errors.OutcomeUnclear,
        ),
        (answer(429, error(429), "Retry-After: 7"), errors.NovuThrottled),
        (answer(500, error(500, errorId="e")), errors.NovuFailed),
        (answer(503, error(503)), errors.NovuFailed),
        (answer(500, GARBAGE), errors.OutcomeUnclear),
        (answer(502, error(502)), errors.OutcomeUnclear),
        (answer(503, GARBAGE), errors.OutcomeUnclear),
        (answer(504, error(504)), errors.OutcomeUnclear),
        (b"", errors.OutcomeUnclear),
        (b"nonsense hunter2\r\n\r\n", errors.OutcomeUnclear),
        (answer(201, PROCESSED)[:-10], errors.OutcomeUnclear),
    ],
)
async def test_an_answer_to_a_trigger_means(reply: bytes, kind: type[errors.XNovuError]) -> None:
    found = await raised(trigger, reply)
    assert type(found) is kind


async def test_a_firewall_before_novu_refuses_one_request_and_not_the_key() -> None:
    async with client(answer(403, GARBAGE), answer(201, PROCESSED)) as (made, _):
        with pytest.raises(errors.NovuRejected, match="something in front of Novu refused it"):
            await made.trigger(REQUEST)
        await made.trigger(REQUEST)


@pytest.mark.parametrize("reply", [answer(401, GARBAGE), answer(403, error(403))])
async def test_a_refused_key_is_not_tried_again_at_once(reply: bytes) -> None:
    async with client(reply) as (made, server):
        for _ in range(2):
            with pytest.raises(errors.CredentialsRejected):
                await made.trigger(REQUEST)
    assert len(server.requests) == 1


async def test_a_firewall_says_nothing_of_a_key_that_was_refused() -> None:
    times = iter([0.0, *[FIRST] * 9])
    circuit = Circuit(lambda: next(times))
    circuit.heard("refused")
    async with client(answer(403, GARBAGE), circuit=circuit) as (made, _):
        with pytest.raises(errors.NovuRejected):
            await made.trigger(REQUEST)
    assert circuit.trouble() is not None


async def test_when_to_come_back_is_kept_and_bounded() -> None:
    seconds = {
        "7": timedelta(seconds=7),
        "9" * 30: timedelta(hours=1),
        "Wed, 21 Oct 2026 07:28:00 GMT": None,
        "-1": None,
    }
    for text, wanted in seconds.items():
        found = await raised(trigger, answer(429, b"", f"Retry-After: {text}"))
        assert found.retry_after == wanted


async def test_a_refusal_names_fields_and_codes_but_no_value() -> None:
    details = [
        {"field": "user.name", "message": "hunter2", "value": "hunter2"},
        {"field": "a b hunter2"},
    ]
    found = await raised(trigger, answer(400, error(400, "hunter2 is bad", errors=details)))
    assert found.message == (
        "Novu refused the trigger of workflow 'welcome': 400 (user.name);"
        " correct what it names, then replay it"
    )
    found = await raised(
        trigger,
        answer(422, error(422, "payload_too_odd", errors={"to": {"messages": ["hunter2"]}})),
    )
    assert "422 (payload_too_odd, to);" in found.message


async def test_a_refused_connection_is_certainly_not_accepted() -> None:
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
    async with novu.http_client() as http:
        with pytest.raises(errors.NovuUnavailable, match="cannot be reached"):
            await novu.NovuClient(http, f"http://127.0.0.1:{port}", KEY).trigger(REQUEST)


async def test_a_dripping_answer_ends_at_the_deadline_and_is_unclear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(novu, "CALL_SECONDS", 0.2)
    held = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 201 X\r\nContent-Length: 100\r\n\r\n{")
        await held.wait()
        writer.close()
        await writer.wait_closed()

    async with (
        await asyncio.start_server(drip, "127.0.0.1", 0) as listening,
        novu.http_client() as http,
    ):
        port = listening.sockets[0].getsockname()[1]
        with pytest.raises(errors.OutcomeUnclear, match="TimeoutError"):
            await novu.NovuClient(http, f"http://127.0.0.1:{port}", KEY).trigger(REQUEST)
        held.set()


@pytest.mark.parametrize(
    "url", ["", "api.novu.co", "ftp://x", "file:///etc/passwd", "http://user:pw@x", "http://"]
)
async def test_an_address_that_is_none_is_a_configuration_error(url: str) -> None:
    async with novu.http_client() as http:
        with pytest.raises(errors.ConfigurationError) as caught:
            novu.NovuClient(http, url, KEY)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "a\nb", "a b", "ä", "a\x00"])
async def test_a_key_that_no_header_can_hold_is_refused_without_showing_it(key: str) -> None:
    async with novu.http_client() as http:
        with pytest.raises(errors.CredentialsRejected) as caught:
            novu.NovuClient(http, "http://127.0.0.1", key)
    assert not key or key not in str(caught.value)


def feed(*names: str, more: bool = False) -> bytes:
    items = [{"_subscriberId": "internal", "subscriber": {"subscriberId": name}} for name in names]
    return answer(
        200, json.dumps({"data": items, "hasMore": more, "page": 0, "pageSize": 50}).encode()
    )


async def test_the_feed_is_read_to_its_last_page() -> None:
    async with client(feed("a", "b", more=True), feed("b", "c")) as (made, server):
        assert await made.accepted("xn-1") == {"a", "b", "c"}
    targets = [first.split()[1] for first, _, _ in server.requests]
    assert targets == [
        f"/v1/notifications?transactionId=xn-1&page={page}&limit=50" for page in (0, 1)
    ]


async def test_an_item_of_the_feed_without_our_id_counts_for_nobody() -> None:
    body = json.dumps(
        {
            "data": [{"_subscriberId": "internal"}, 3, {"to": {"subscriberId": "a"}}],
            "hasMore": False,
        }
    )
    async with client(answer(200, body.encode())) as (made, _):
        assert await made.accepted("xn-1") == {"a"}


@pytest.mark.parametrize(
    "reply",
    [
        answer(200, GARBAGE),
        answer(403, GARBAGE),
        answer(500, GARBAGE),
        answer(502),
        b"",
        answer(200, b"{}"),
        answer(408),
    ],
)
async def test_reading_that_fails_can_be_repeated(reply: bytes) -> None:
    assert type(await raised(lambda made: made.accepted("xn-1"), reply)) is errors.NovuUnavailable


async def test_reading_with_a_bad_key_or_a_refusal_says_so() -> None:
    assert (
        type(await raised(lambda made: made.accepted("xn-1"), answer(401)))
        is errors.CredentialsRejected
    )
    assert type(await raised(lambda made: made.cancel("xn-1"), answer(400))) is errors.NovuRejected
    assert (
        type(await raised(lambda made: made.delete_messages("xn-1"), answer(429)))
        is errors.NovuThrottled
    )


async def test_cancelling_and_deleting_tell_whether_there_was_anything() -> None:
    async with client(
        answer(200, b'{"data":true}'), answer(200, b'{"data":false}'), answer(404)
    ) as (made, server):
        assert [await made.cancel("xn/1") for _ in range(3)] == [True, False, False]
    assert server.requests[0][0] == "DELETE /v1/events/trigger/xn%2F1 HTTP/1.1"
    async with client(answer(204), answer(404, error(404))) as (made, server):
        assert [await made.delete_messages("xn-1") for _ in range(2)] == [True, False]
    assert server.requests[0][0] == "DELETE /v1/messages/transaction/xn-1?channel=in_app HTTP/1.1"


async def test_a_workflow_that_novu_names_otherwise_is_not_taken_for_ours() -> None:
    missing = answer(404, error(404, "Workflow cannot be found"))
    named = answer(201, b'{"data":{"workflowId":"xnovu-dynamic-x1"}}')
    async with client(missing, named) as (made, server):
        with pytest.raises(errors.NovuRejected, match="xnovu-dynamic"):
            await made.sync_workflow({"workflowId": "xnovu-dynamic", "steps": []})
    assert [first for first, _, _ in server.requests] == [
        "GET /v2/workflows/xnovu-dynamic HTTP/1.1",
        "POST /v2/workflows HTTP/1.1",
    ]
