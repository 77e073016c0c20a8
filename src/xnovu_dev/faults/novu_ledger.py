"""The Novu sandbox from behind: its ledger, its queue, its workflows. Never through the proxies. Used by `site`."""

import asyncio
from collections import Counter
from collections.abc import Collection
from http import HTTPStatus
from typing import Final, Self

import aiohttp
from pydantic import JsonValue

SETTLE_SECONDS: Final = 30.0


class NovuLedger:
    """One sandbox. Use as an async context manager."""

    def __init__(self, url: str, secret_key: str) -> None:
        self.url = url
        self._headers = {"Authorization": f"ApiKey {secret_key}"}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            headers=self._headers, timeout=aiohttp.ClientTimeout(total=60)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def workflow(self, key: str) -> None:
        """Make a workflow with one in-app step. Idempotent."""
        step: JsonValue = {
            "type": "in_app",
            "name": "In-app",
            "controlValues": {"body": "{{payload.text}}"},
        }
        body: JsonValue = {"workflowId": key, "name": key, "steps": [step]}
        await self._call("PUT", f"/v2/workflows/{key}", body)

    async def received(self) -> Counter[str]:
        """How often each recipient got something, once all that was accepted is settled."""
        deadline = asyncio.get_running_loop().time() + SETTLE_SECONDS
        while asyncio.get_running_loop().time() < deadline:
            if not await self._queued():
                break
            await asyncio.sleep(0.1)
        return Counter(str(entry["subscriberId"]) for entry in await self._entries())

    async def subjects(self, recipients: Collection[str]) -> list[str]:
        """The subjects that these got."""
        await self.received()
        theirs = [e for e in await self._entries() if e["subscriberId"] in recipients]
        contents = [entry["content"] for entry in theirs]
        return [str(c["subject"]) for c in contents if isinstance(c, dict) and c["subject"]]

    async def _entries(self) -> list[dict[str, JsonValue]]:
        entries = await self._call("GET", "/__sandbox/deliveries")
        if not isinstance(entries, list):
            raise TypeError("the ledger is a list")
        return [entry for entry in entries if isinstance(entry, dict)]

    async def change(self, method: str, path: str, body: JsonValue = None) -> JsonValue:
        """A switch under /__sandbox."""
        return await self._call(method, f"/__sandbox{path}", body)

    async def _queued(self) -> bool:
        status = await self._call("GET", "/__sandbox/status")
        return isinstance(status, dict) and status["queued"] != 0

    async def _call(self, method: str, path: str, body: JsonValue = None) -> JsonValue:
        if self._session is None:
            raise RuntimeError("it is not open")
        async with self._session.request(method, self.url + path, json=body) as answer:
            answer.raise_for_status()
            parsed: JsonValue = (
                await answer.json() if answer.status != HTTPStatus.NO_CONTENT else None
            )
            return parsed
