"""Which of our errors an answer of the database becomes: wait, mend the key, or this notification is wrong."""

import json
from uuid import uuid4

import httpx
import pytest

from xnovu.adapters.supabase import PostgrestGateway, SupabaseDatabase
from xnovu.core.errors import (
    Conflict,
    CredentialsRejected,
    DatabaseUnavailable,
    NotificationError,
    XNovuError,
)
from xnovu.core.records import PollRequest

KEY = "a-secret-key"


async def outcome(status: int, body: object | None) -> object:
    """What a call makes of this answer; text is sent as it is, everything else as JSON."""
    content = body if isinstance(body, str) else json.dumps(body)

    def handle(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == f"Bearer {KEY}"
        return httpx.Response(status, content=content)

    async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as http:
        return await PostgrestGateway(http, "http://db.example", KEY).rpc("poll", {})


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, {"message": "Invalid API key"}, CredentialsRejected),
        (401, "no", CredentialsRejected),
        (401, {"code": "PGRST301", "message": "JWT expired"}, CredentialsRejected),
        (403, {"code": "42501", "message": "permission denied"}, CredentialsRejected),
        (404, {"code": "42501"}, CredentialsRejected),
        (404, {"code": "PGRST202"}, DatabaseUnavailable),
        (404, {"code": "42P01", "message": "relation is not there"}, DatabaseUnavailable),
        (406, {"code": "PGRST106"}, DatabaseUnavailable),
        (404, "<html>no project</html>", DatabaseUnavailable),
        (301, "", DatabaseUnavailable),
        (409, {"code": "40001"}, DatabaseUnavailable),
        (429, {"message": "slow down"}, DatabaseUnavailable),
        (500, {"code": "57014", "message": "statement timeout"}, DatabaseUnavailable),
        (503, {"code": "PGRST001"}, DatabaseUnavailable),
        (503, {"message": "name resolution failed"}, DatabaseUnavailable),
        (502, "<html>", DatabaseUnavailable),
        (200, "<html>", DatabaseUnavailable),
        (400, {"code": "22P02", "message": "invalid input"}, NotificationError),
        (409, {"code": "23505", "message": "exists"}, NotificationError),
        (400, [1], DatabaseUnavailable),
    ],
)
async def test_the_kind_of_the_error(status: int, body: object, expected: type[XNovuError]) -> None:
    with pytest.raises(XNovuError) as raised:
        await outcome(status, body)
    assert type(raised.value) is expected
    assert KEY not in str(raised.value)
    assert "db.example" not in str(raised.value)


async def test_foreign_text_is_cut() -> None:
    with pytest.raises(NotificationError) as raised:
        await outcome(400, {"code": "P0001", "message": "x" * 10_000 + "\n"})
    assert len(raised.value.message) < 400


@pytest.mark.parametrize(
    ("code", "message", "kept"),
    [
        ("22P02", 'invalid input syntax for type uuid: "ada@example.com"', "invalid input syntax"),
        ("22003", 'value "ada@example.com" is out of range', "is out of range"),
        ("22003", 'value "ada@example.com', "value"),
        ("23505", 'duplicate key value violates unique constraint "one_name"', '"one_name"'),
        ("23505", "a notification of this name exists already: ada@example.com", "exists already"),
        ("P0001", "no such user ada@example.com", "P0001"),
    ],
)
async def test_values_that_the_database_quotes_are_left_out(
    code: str, message: str, kept: str
) -> None:
    with pytest.raises(NotificationError) as raised:
        await outcome(400, {"code": code, "message": message, "details": "ada@example.com"})
    assert "ada" not in raised.value.message
    assert kept in raised.value.message


async def test_an_empty_answer_is_nothing() -> None:
    assert await outcome(204, "") is None


@pytest.mark.parametrize("failure", [httpx.ReadTimeout, httpx.ConnectError, httpx.DecodingError])
async def test_a_request_that_fails_is_the_database_away(failure: type[httpx.RequestError]) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        raise failure(f"with {KEY}", request=request)

    async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as http:
        with pytest.raises(DatabaseUnavailable) as raised:
            await PostgrestGateway(http, "http://db.example", KEY).rpc("poll", {})
    assert KEY not in str(raised.value)
    assert raised.value.__cause__ is None


async def test_a_row_of_another_enterprise_is_not_taken() -> None:
    mine, theirs = str(uuid4()), str(uuid4())
    answers: dict[str, object] = {
        "poll": [
            {"enterprise_id": theirs, "due": [], "withdrawn": [], "stale": [],
             "lag_seconds": None, "next_due_seconds": None, "counts": None}
        ],
        "ent_notification_rule": [
            {"id": 1, "enterprise_id": theirs, "name": "r", "trigger_type": "CRON",
             "trigger_config": {}, "rule_payload": None, "notification_workflow_id": 1,
             "publish_status": "PUBLISH", "deactivated": False, "updated_at": "2026-01-01T00:00:00Z"}
        ],
    }  # fmt: skip

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=answers[request.url.path.rpartition("/")[2]])

    async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as http:
        database = SupabaseDatabase(PostgrestGateway(http, "http://db.example", KEY), mine, 60)
        with pytest.raises(DatabaseUnavailable):
            await database.poll(PollRequest(mine, "realtime", 1, 1))
        with pytest.raises(Conflict):
            await database.rules()
        with pytest.raises(Conflict):
            await database.rule(1)
