"""What names another enterprise, or is no enterprise's id at all, is refused before anything is asked."""

from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xnovu.adapters.schedules import Schedules
from xnovu.adapters.supabase import PostgrestGateway, SupabaseDatabase
from xnovu.core.contracts.notifications import NotificationStatus
from xnovu.core.errors import Conflict
from xnovu.core.ids import is_enterprise_id
from xnovu.core.records import Claim, Finish, NewNotification, PollRequest

MINE, THEIRS = "6f1c2a9e-4b7d-4c35-9a58-1d2e3f4a5b6c", str(uuid4())


def nobody(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"asked {request.url}")


def gateway(http: httpx.AsyncClient) -> PostgrestGateway:
    return PostgrestGateway(http, "http://db.example", "key")


async def test_a_request_of_another_enterprise_never_leaves() -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(nobody)) as http:
        database = SupabaseDatabase(gateway(http), MINE, 300)
        finish = Finish(THEIRS, 1, "x", 0, NotificationStatus.SENT, None, None)
        wanted = NewNotification(
            enterprise_id=THEIRS, name="n", dedupe_key="k", workflow_key="w", workflow_id=None,
            rule_id=None, payload={}, recipients=(), topics=(), channels=(), overrides={}, tags=(),
            priority=None,
        )  # fmt: skip
        calls: list[Any] = [
            database.poll(PollRequest(THEIRS, "realtime", limit=1, max_in_flight=1)),
            database.claim([Claim(MINE, 1, "x"), Claim(THEIRS, 2, "x")]),
            database.finish([finish]),
            database.create(wanted),
        ]
        for call in calls:
            with pytest.raises(Conflict, match="another enterprise"):
                await call


async def test_an_answer_of_another_enterprise_is_not_used() -> None:
    row = {
        "id": 1, "enterprise_id": THEIRS, "name": "r", "trigger_type": "CRON", "trigger_config": {},
        "rule_payload": {}, "notification_workflow_id": 1, "publish_status": "PUBLISH",
        "deactivated": False, "updated_at": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=[row]))
    async with httpx.AsyncClient(transport=transport) as http:
        database = SupabaseDatabase(gateway(http), MINE, 300)
        with pytest.raises(Conflict):
            await database.rules()
        with pytest.raises(Conflict):
            await database.rule(1)


@given(st.text() | st.uuids().map(lambda u: str(u).upper()) | st.uuids().map(lambda u: f"{u} "))
def test_what_is_no_id_is_told_apart(text: str) -> None:
    assert not is_enterprise_id(text) or text == text.lower().strip()


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{MINE},enterprise_id.not.is.null",
        f"{MINE}\n",
        f"{MINE}' OR XnovuEnterprise != '",
        MINE.upper(),
        "*",
    ],
)
async def test_an_id_that_could_say_more_to_a_filter_is_refused(text: str) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(nobody)) as http:
        with pytest.raises(Conflict, match="no UUID"):
            SupabaseDatabase(gateway(http), text, 300)
    unasked: Any = type("Unasked", (), {"data_converter": type("C", (), {"payload_codec": None})})
    with pytest.raises(Conflict, match="no UUID"):
        await Schedules(unasked, "queue").list(text)
