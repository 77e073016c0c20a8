"""Temporal's remote codec protocol as its UI and command line speak it, and who may not speak it."""

import base64
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from google.protobuf import json_format
from pydantic import SecretStr
from temporalio.api.common.v1 import Payload, Payloads

from xnovu.adapters.codec import EncryptionCodec, codec_of
from xnovu.codec_server import application
from xnovu.core.errors import SettingsInvalid
from xnovu.settings import CodecServerSettings, TemporalSettings

UI = "http://localhost:8233"
FROM_UI = {"Origin": UI, "Content-Type": "application/json", "X-Namespace": "default"}
PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'"ada"')
Asked = Callable[..., Any]


@pytest.fixture
def codec(tmp_path: Path) -> EncryptionCodec:
    (tmp_path / "k1").write_bytes(base64.b64encode(os.urandom(32)))
    found = codec_of(TemporalSettings(codec_keys_dir=tmp_path, codec_active_key="k1"))
    assert found is not None
    return found


@asynccontextmanager
async def serving(codec: EncryptionCodec, **given: Any) -> AsyncIterator[TestClient[Any, Any]]:
    settings = CodecServerSettings(ui_origin=UI, **given)
    async with TestClient(TestServer(application(codec, settings))) as client:
        yield client


def as_json(*payloads: Payload) -> str:
    return json_format.MessageToJson(Payloads(payloads=payloads))


def read(text: str) -> list[Payload]:
    return list(json_format.Parse(text, Payloads()).payloads)


async def test_the_ui_asks_first_and_then_reads_what_was_sealed(codec: EncryptionCodec) -> None:
    sealed = await codec.encode([PLAIN, PLAIN])
    wants = {
        "Origin": UI,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-namespace",
    }
    async with serving(codec) as client:
        before = await client.options("/decode", headers=wants)
        assert before.status == 204
        assert before.headers["Access-Control-Allow-Origin"] == UI
        assert before.headers["Access-Control-Allow-Credentials"] == "true"
        allowed = before.headers["Access-Control-Allow-Headers"].lower()
        assert {"content-type", "x-namespace", "authorization"} <= set(allowed.split(", "))
        answer = await client.post("/decode", data=as_json(*sealed), headers=FROM_UI)
        assert answer.status == 200
        assert answer.headers["Access-Control-Allow-Origin"] == UI
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.content_type == "application/json"
        assert read(await answer.text()) == [PLAIN, PLAIN]


async def test_what_a_person_writes_in_the_ui_is_sealed(codec: EncryptionCodec) -> None:
    async with serving(codec) as client:
        answer = await client.post("/encode", data=as_json(PLAIN), headers=FROM_UI)
        (sealed,) = read(await answer.text())
        assert b"ada" not in sealed.SerializeToString()
        assert await codec.decode([sealed]) == [PLAIN]


async def test_only_the_end_of_the_path_counts(codec: EncryptionCodec) -> None:
    sealed = await codec.encode([PLAIN])
    async with serving(codec) as client:
        answer = await client.post("/codec/default/decode", data=as_json(*sealed))
        assert read(await answer.text()) == [PLAIN]
        assert (await client.post("/else", data=as_json(*sealed))).status == 404
        assert (await client.get("/decode")).status == 405
        assert (await client.get("/healthz")).status == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", f"{UI}.evil.example", "http://localhost:8234", ""]
)
async def test_no_other_page_may_ask(codec: EncryptionCodec, origin: str) -> None:
    sealed = await codec.encode([PLAIN])
    headers = {**FROM_UI, "Origin": origin}
    async with serving(codec) as client:
        for method in ("OPTIONS", "POST"):
            answer = await client.request(method, "/decode", data=as_json(*sealed), headers=headers)
            assert answer.status == 403
            assert "Access-Control-Allow-Origin" not in answer.headers
            assert "YWRh" not in await answer.text()


async def test_without_an_origin_in_the_settings_no_page_may_ask(codec: EncryptionCodec) -> None:
    app = application(codec, CodecServerSettings())
    async with TestClient(TestServer(app)) as client:
        assert (await client.post("/decode", data="{}", headers=FROM_UI)).status == 403
        assert (await client.post("/decode", data="{}")).status == 200


async def test_where_a_token_is_set_everybody_must_send_it(codec: EncryptionCodec) -> None:
    sealed = await codec.encode([PLAIN])
    async with serving(codec, access_token=SecretStr("canary-token")) as client:
        for wrong in ({}, {"Authorization": "Bearer other"}, {"Authorization": "canary-token"}):
            answer = await client.post(
                "/decode", data=as_json(*sealed), headers={**FROM_UI, **wrong}
            )
            assert answer.status == 401
            assert "canary" not in await answer.text()
        right = {**FROM_UI, "Authorization": "Bearer canary-token"}
        answer = await client.post("/decode", data=as_json(*sealed), headers=right)
        assert read(await answer.text()) == [PLAIN]


async def test_a_payload_of_an_unknown_key_is_refused_by_its_name(codec: EncryptionCodec) -> None:
    (sealed,) = await codec.encode([PLAIN])
    sealed.metadata["encryption-key-id"] = b"gone"
    async with serving(codec) as client:
        answer = await client.post("/decode", data=as_json(sealed), headers=FROM_UI)
        assert answer.status == 422
        assert "'gone'" in (await answer.json())["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"payloads": "canary"}',
        b"canary",
        b'{"payloads": [{"data": 5}]}',
        b"\xff",
        b"[" * 5000,
    ],
)
async def test_what_is_no_payloads_is_refused_without_an_echo(
    codec: EncryptionCodec, body: bytes
) -> None:
    async with serving(codec) as client:
        answer = await client.post("/decode", data=body, headers=FROM_UI)
        assert answer.status == 400
        assert "canary" not in await answer.text()


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "10.0.0.1", "example.com"])
def test_on_the_network_it_needs_a_token(codec: EncryptionCodec, address: str) -> None:
    with pytest.raises(SettingsInvalid, match="ACCESS_TOKEN"):
        application(codec, CodecServerSettings(bind_address=address))
    application(codec, CodecServerSettings(bind_address=address, access_token=SecretStr("t")))
    for here in ("127.0.0.1", "::1", "localhost"):
        application(codec, CodecServerSettings(bind_address=here))


def test_an_empty_token_is_no_token(codec: EncryptionCodec) -> None:
    with pytest.raises(SettingsInvalid, match="is empty"):
        application(codec, CodecServerSettings(access_token=SecretStr("")))
