"""Novu's REST API with one enterprise's key: what happened to a request, told as one of our errors.

One attempt a call, never a retry: the caller decides after `OutcomeUnclear` whether to ask the feed first. Each call waits
for its turn under Novu's rate limit (`xnovu.adapters.limits`), shared by all who use the same environment. Answers are
classified by status code, because Novu's bodies differ between versions; nothing of a request and no key ever enters
an error. Not in here: ids, chunks and content (`xnovu.core`). Called by the activities through `ports.Novu`.

Endpoints and statuses: https://docs.novu.co/api-reference (v1 events, notifications, messages).
"""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Final, Literal
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
from pydantic import JsonValue
from yarl import URL

from xnovu.adapters import novu_feed
from xnovu.adapters.circuit import Circuit
from xnovu.adapters.limits import EnvironmentLimits
from xnovu.core.errors import (
    ConfigurationError,
    CredentialsRejected,
    NovuFailed,
    NovuRejected,
    NovuThrottled,
    NovuUnavailable,
    OutcomeUnclear,
    WorkflowNotFound,
    XNovuError,
)
from xnovu.core.novu_workflow import Synced, update_of
from xnovu.core.records import FeedEntry, JsonObject, TriggerRequest

CALL_SECONDS: Final = 15.0
"""A whole call, however slowly the other side drips. A batch's lease is longer than its last call (`batch.LEASE`)."""

PATIENCE: Final = 3.0
"""How long a call waits for its turn: with the call it must fit into the quick try (`policies.QUICK`)."""

MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024
FEED_PAGE: Final = 50
MAX_FEED_PAGES: Final = 2000
MAX_RETRY_AFTER: Final = timedelta(hours=1)

_REFUSED: Final = {
    "error": "look at its activity feed",
    "trigger_not_active": "activate the workflow there",
    "no_workflow_active_steps_defined": "activate a step of the workflow there",
    "no_workflow_steps_defined": "give the workflow a step there",
    "no_tenant_found": "take the tenant out of the overrides, or create it there",
    "invalid_recipients": "correct the recipients",
}
"""What a 201 may say when nothing is sent (`TriggerEventStatusEnum`), and what to do about it."""

_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.\[\]]{0,99}")
_REUSED_KEY: Final = re.compile(r"idempoten|being reused|different body", re.IGNORECASE)
_GATEWAY: Final = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})
_NOT_SENT: Final = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


def http_client() -> aiohttp.ClientSession:
    """A client for all enterprises: HTTP/1.1, no redirects, no cookies, nothing from the environment (no proxy, no netrc).

    Make it while the event loop runs; close it. Why aiohttp and not httpx: docs/adr/0002-dependencies.md.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=100, keepalive_timeout=5),
        timeout=aiohttp.ClientTimeout(
            total=None, connect=10, sock_connect=5, sock_read=CALL_SECONDS
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        headers={
            "User-Agent": "xnovu",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        },
    )


@dataclass(frozen=True, slots=True)
class _Answer:
    """`body` is None when it is no JSON, too long or compressed."""

    status: int
    headers: Mapping[str, str]
    body: JsonValue

    @property
    def fields(self) -> JsonObject:
        return self.body if isinstance(self.body, Mapping) else {}

    @property
    def ours(self) -> bool:
        """Whether Novu itself wrote this error, not something in between (its error body names the path)."""
        return "statusCode" in self.fields or "errorId" in self.fields


class NovuClient:
    """Implements `ports.Novu`. Cheap to make; the `http` client is shared and closed by its owner."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        api_url: str,
        secret_key: str,
        *,
        circuit: Circuit | None = None,
        limits: EnvironmentLimits | None = None,
        tenant: str = "",
    ) -> None:
        """`circuit`, `limits`: shared by all clients of this address and key; `tenant` stands in its own line there.

        Raises ConfigurationError for an address, CredentialsRejected for a key that can never work.
        """
        parts = urlsplit(api_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
            raise ConfigurationError(
                "Novu's apiUrl is no address: write https://api.novu.co or https://host:port"
            )
        # An illegal header value would be quoted in the exception of the HTTP library.
        if (
            not secret_key
            or not secret_key.isascii()
            or not secret_key.isprintable()
            or " " in secret_key
        ):
            raise CredentialsRejected(
                "Novu's secretKey is empty or holds spaces or control characters: copy it again"
            )
        self._http = http
        self._base = api_url.rstrip("/").removesuffix("/v1")
        self._authorization = f"ApiKey {secret_key}"
        self._circuit = circuit or Circuit()
        self._limits = limits or EnvironmentLimits()
        self._tenant = tenant

    def allowance(self) -> int:
        """How many triggers of this tenant could begin within the next seconds."""
        return self._limits.trigger.allowance(self._tenant)

    async def trigger(self, request: TriggerRequest, *, patience: float = PATIENCE) -> None:
        """POST /v1/events/trigger, once. Returns when Novu has accepted: 201, acknowledged, `processed`.

        Idempotency key: `request.idempotency_key`, honoured by Novu only where that is switched on. Raises what
        `ports.Novu` names, and ConfigurationError for a redirect.
        """
        headers = {"Idempotency-Key": request.idempotency_key}
        answer = await self._call(
            "POST",
            "/v1/events/trigger",
            OutcomeUnclear,
            headers=headers,
            body=_event(request),
            patience=patience,
        )
        if answer.status == HTTPStatus.CREATED:
            _check_accepted(answer, request.workflow_key)
            return
        raise _trigger_error(answer, request.workflow_key)

    async def accepted(self, transaction_id: str) -> frozenset[str]:
        """The subscriber ids that `activity` shows. Safe to repeat."""
        return frozenset(e.subscriber_id for e in await self.activity(transaction_id))

    async def activity(self, transaction_id: str) -> tuple[FeedEntry, ...]:
        """GET /v1/notifications?transactionId=: the entries of all pages. Safe to repeat."""
        found: list[FeedEntry] = []
        for page in range(MAX_FEED_PAGES):
            params = {"transactionId": transaction_id, "page": str(page), "limit": str(FEED_PAGE)}
            answer = await self._read("GET", "/v1/notifications", params=params)
            items = answer.fields.get("data")
            if not isinstance(items, list):
                raise NovuUnavailable("Novu's activity feed answered something that is no list")
            found += [entry for item in items if (entry := novu_feed.entry(item)) is not None]
            if answer.fields.get("hasMore") is not True:
                return tuple(found)
        raise NovuUnavailable(
            f"Novu's activity feed has more than {MAX_FEED_PAGES} pages of one transaction"
        )

    async def cancel(self, transaction_id: str) -> bool:
        """DELETE /v1/events/trigger/{id}: stops what is delayed or digested only. Safe to repeat."""
        path = f"/v1/events/trigger/{quote(transaction_id, safe='')}"
        answer = await self._read("DELETE", path, absent=True)
        return answer.fields.get("data") is True

    async def delete_messages(self, transaction_id: str) -> bool:
        """DELETE /v1/messages/transaction/{id}?channel=in_app; 404 means that there are none. Safe to repeat."""
        path = f"/v1/messages/transaction/{quote(transaction_id, safe='')}"
        answer = await self._read("DELETE", path, params={"channel": "in_app"}, absent=True)
        return answer.status != HTTPStatus.NOT_FOUND

    async def sync_workflow(self, definition: JsonObject) -> Synced:
        """Make Novu's workflow of `definition["workflowId"]` what the definition says; writes only a difference.

        GET /v2/workflows/{id}, then POST or PUT. Safe to repeat. Raises what `_read` raises, and NovuRejected when
        Novu gives a new workflow another id.
        """
        key = str(definition["workflowId"])
        path = f"/v2/workflows/{quote(key, safe='')}"
        found = await self._read("GET", path, absent=True)
        if found.status == HTTPStatus.NOT_FOUND:
            made = await self._read("POST", "/v2/workflows", body=definition)
            if _data(made).get("workflowId") != key:
                raise NovuRejected(
                    f"Novu did not name the new workflow {key!r}: rename or delete the one that has this name"
                )
            return Synced.CREATED
        update = update_of(definition, _data(found))
        if update is None:
            return Synced.UNCHANGED
        await self._read("PUT", path, body=update)
        return Synced.UPDATED

    async def _read(
        self,
        method: Literal["GET", "DELETE", "POST", "PUT"],
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: JsonObject | None = None,
        absent: bool = False,
    ) -> _Answer:
        """A call that may be repeated: whatever goes wrong on the way is plain unavailability."""
        answer = await self._call(method, path, NovuUnavailable, params=params, body=body)
        if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES or (
            absent and answer.status == HTTPStatus.NOT_FOUND
        ):
            return answer
        if _in_front(answer):
            raise NovuUnavailable(f"something in front of Novu refused {method} (403)")
        raise _common_error(answer) or (
            NovuUnavailable(f"Novu answered {answer.status} to {method}")
            if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            or answer.status == HTTPStatus.REQUEST_TIMEOUT
            else NovuRejected(f"Novu answered {answer.status} to {method}{_said(answer)}")
        )

    async def _call(
        self,
        method: str,
        path: str,
        unclear: type[OutcomeUnclear | NovuUnavailable],
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        body: JsonObject | None = None,
        patience: float = PATIENCE,
    ) -> _Answer:
        """`unclear` is raised where the request may have been received.

        CredentialsRejected while the key is refused, NovuNoTurn where there was no turn for it: nothing was sent.
        """
        self._circuit.check()
        limiter = self._limits.of(method, path)
        async with limiter.turn(self._tenant, patience):
            answer = await self._request(
                method, path, unclear, headers=headers, params=params, body=body
            )
            limiter.heard(answer.status, answer.headers, _retry_after(answer))
        self._tell_circuit(answer)
        return answer

    def _tell_circuit(self, answer: _Answer) -> None:
        """Raises CredentialsRejected where Novu refused the key, and holds back all who use it.

        A 403 that is not Novu's own is about this one request: it says nothing of the key, neither good nor bad.
        """
        if _in_front(answer):
            return
        said = None
        if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            said = f"Novu answered {answer.status}: check the secretKey of its environment"
        pause = self._circuit.heard(said)
        if said is not None:
            raise CredentialsRejected(said, retry_after=pause)

    async def _request(
        self,
        method: str,
        path: str,
        unclear: type[OutcomeUnclear | NovuUnavailable],
        *,
        headers: Mapping[str, str] | None,
        params: Mapping[str, str] | None,
        body: JsonObject | None,
    ) -> _Answer:
        # Never `from error`: the library's exceptions hold the request, and with it key and payload.
        failed: XNovuError
        try:
            url = URL(self._base + path + ("?" + urlencode(params) if params else ""), encoded=True)
        except ValueError:
            raise ConfigurationError("Novu's apiUrl is no address that can be called") from None
        sent = None if body is None else json.dumps(body, allow_nan=False).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        try:
            async with (
                asyncio.timeout(CALL_SECONDS),
                self._http.request(
                    method,
                    url,
                    headers={"Authorization": self._authorization, **kind, **(headers or {})},
                    data=sent,
                    allow_redirects=False,
                ) as response,
            ):
                return _Answer(response.status, response.headers, await _json(response))
        except _NOT_SENT as error:
            failed = NovuUnavailable(f"Novu cannot be reached: {type(error).__name__}")
        except aiohttp.InvalidURL:
            failed = ConfigurationError("Novu's apiUrl is no address that can be called")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            failed = unclear(f"no readable answer of Novu: {type(error).__name__}")
        raise failed


def _data(answer: _Answer) -> JsonObject:
    """What is wrapped in `data`. Raises NovuUnavailable when it is no object."""
    data = answer.fields.get("data")
    if not isinstance(data, Mapping):
        raise NovuUnavailable("Novu answered something that is no workflow")
    return data


async def _json(response: aiohttp.ClientResponse) -> JsonValue:
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        return None
    text = bytearray()
    async for part in response.content.iter_any():
        text += part
        if len(text) > MAX_ANSWER_BYTES:
            return None
    try:
        parsed: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return parsed


def _event(request: TriggerRequest) -> JsonObject:
    to: list[JsonValue] = [*request.recipients]
    to += [{"type": "Topic", "topicKey": topic} for topic in request.topics]
    event: dict[str, JsonValue] = {
        "name": request.workflow_key,
        "to": to,
        "payload": dict(request.payload),
        "transactionId": request.transaction_id,
    }
    if request.overrides:
        event["overrides"] = dict(request.overrides)
    return event


def _check_accepted(answer: _Answer, workflow_key: str) -> None:
    data = answer.fields.get("data")
    status = data.get("status") if isinstance(data, Mapping) else None
    acknowledged = data.get("acknowledged") if isinstance(data, Mapping) else None
    if status == "processed" and acknowledged is True:
        return
    if isinstance(status, str) and status in _REFUSED:
        raise NovuRejected(
            f"Novu does not send workflow {workflow_key!r}: {status}; {_REFUSED[status]}, then replay it"
        )
    raise OutcomeUnclear("Novu answered 201 with a body that does not say what happened")


def _trigger_error(answer: _Answer, workflow_key: str) -> XNovuError:
    """Which error a status other than 201 is. Facts: TriggerEvent's documented answers, and NestJS' filters."""
    common = _common_error(answer)
    if common is not None:
        return common
    status = answer.status
    message = answer.fields.get("message")
    if status in {HTTPStatus.CONFLICT, HTTPStatus.REQUEST_TIMEOUT} or (
        isinstance(message, str)
        and status == HTTPStatus.UNPROCESSABLE_ENTITY
        and _REUSED_KEY.search(message)
    ):
        return OutcomeUnclear(
            f"Novu answered {status}: an earlier try may be under way",
            retry_after=_retry_after(answer),
        )
    if status == HTTPStatus.UNPROCESSABLE_ENTITY and message == "workflow_not_found":
        return WorkflowNotFound(
            f"Novu does not know workflow {workflow_key!r}: create it there, or correct workflow_key"
        )
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return _rejected(answer, workflow_key)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR and status not in _GATEWAY and answer.ours:
        return NovuFailed(f"Novu answered {status}", retry_after=_retry_after(answer))
    return OutcomeUnclear(f"the answer {status} does not tell whether Novu got the request")


def _rejected(answer: _Answer, workflow_key: str) -> NovuRejected:
    if _in_front(answer):
        return NovuRejected(
            f"something in front of Novu refused it (403), workflow {workflow_key!r}: let its firewall"
            " pass such content or change the content, then replay it"
        )
    return NovuRejected(
        f"Novu refused the trigger of workflow {workflow_key!r}: {answer.status}{_said(answer)};"
        " correct what it names, then replay it"
    )


def _in_front(answer: _Answer) -> bool:
    """A 403 that Novu did not write: a firewall before it dislikes what this one request holds."""
    return answer.status == HTTPStatus.FORBIDDEN and not answer.ours


def _common_error(answer: _Answer) -> XNovuError | None:
    status = answer.status
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return NovuThrottled(
            "Novu answered 429: its rate limit is reached", retry_after=_retry_after(answer)
        )
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return ConfigurationError(
            f"Novu's apiUrl answers {status}, a redirect: write the address that it leads to"
        )
    return None


def _said(answer: _Answer) -> str:
    """What Novu says is wrong, as codes and field names: its sentences may quote what we sent."""
    message = answer.fields.get("message")
    words = [message] if isinstance(message, str) and "_" in message else []
    errors = answer.fields.get("errors")
    if isinstance(errors, Mapping):
        words += [*errors]
    elif isinstance(errors, list):
        fields = [item.get("field") for item in errors if isinstance(item, Mapping)]
        words += [field for field in fields if isinstance(field, str)]
    codes = [word for word in words if _CODE.fullmatch(word)][:10]
    return f" ({', '.join(codes)})" if codes else ""


def _retry_after(answer: _Answer) -> timedelta | None:
    """Seconds, as Novu writes it; anything else is left to the caller's policy."""
    text = answer.headers.get("Retry-After", "")
    if not (text.isascii() and text.isdigit()):
        return None
    return min(timedelta(seconds=min(int(text[:9]), 10**6)), MAX_RETRY_AFTER)
