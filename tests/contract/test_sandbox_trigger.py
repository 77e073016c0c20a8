"""POST /v1/events/trigger and its bulk form, by plain requests: codes and shapes of temporal-and-novu.md §2.2."""

import pytest
from support.sandbox_cases import ADA, NOTICE, put, trigger


def test_a_trigger_is_accepted_and_then_delivered(novu_sandbox):
    put(novu_sandbox, NOTICE)
    payload = {"title": "Fire drill", "items": [{"name": "a"}, {"name": "{{payload.title}}"}]}
    answer = trigger(novu_sandbox, to=[ADA, "ada", ADA], payload=payload, transactionId="t-1")
    assert answer.status_code == 201
    assert answer.json() == {
        "data": {"acknowledged": True, "status": "processed", "transactionId": "t-1"}
    }
    novu_sandbox.settled()
    (entry,) = novu_sandbox.deliveries()  # a recipient who is named three times gets it once
    assert entry.pop("acceptedAt") < entry.pop("deliveredAt")
    assert entry == {
        "transactionId": "t-1",
        "workflowId": "notice",
        "subscriberId": "ada",
        "channel": "in_app",
        "payload": payload,
        # what was put in is not read again, what is missing is empty
        "content": {"subject": "Fire drill", "body": "Hello Ada: {{payload.title}}"},
    }


def test_an_id_is_made_when_none_is_given(novu_sandbox):
    put(novu_sandbox, NOTICE)
    assert trigger(novu_sandbox).json()["data"]["transactionId"].startswith("txn_")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (None, "Missing authorization header"),
        ("Bearer sandbox-test-key", 'Invalid authentication scheme: "Bearer"'),
        ("ApiKey wrong", "API Key not found"),
        ("ApiKey wröng", "API Key not found"),
    ],
)
def test_a_request_without_the_key_is_refused(novu_sandbox, header, message):
    with novu_sandbox.client() as client:
        client.headers.pop("Authorization")
        headers = {"Authorization": header.encode()} if header else {}
        answer = client.get("/v1/notifications", headers=headers)
    assert answer.status_code == 401
    body = answer.json()
    assert set(body) == {"statusCode", "timestamp", "path", "message"}
    assert (body["statusCode"], body["message"]) == (401, message)


def test_a_workflow_that_is_not_there_is_422(novu_sandbox):
    answer = trigger(novu_sandbox, name="nowhere")
    assert (answer.status_code, answer.json()["message"]) == (422, "workflow_not_found")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"payload": "text"}, "payload"),
        ({"to": None}, "to"),
        ({"to": [f"s{n}" for n in range(101)]}, "to"),
    ],
)
def test_a_wrong_field_is_named(novu_sandbox, body, field):
    put(novu_sandbox, NOTICE)
    answer = trigger(novu_sandbox, **body)
    assert answer.status_code == 422
    assert answer.json()["errors"][field]["messages"]
    assert novu_sandbox.settled()["done"] == 0


@pytest.mark.parametrize(
    ("change", "body", "status"),
    [
        ({"active": False}, {}, "trigger_not_active"),
        ({"steps": []}, {}, "no_workflow_steps_defined"),
        ({}, {"tenant": "acme"}, "no_tenant_found"),
        ({}, {"to": [{"email": "a@b.example"}]}, "invalid_recipients"),
    ],
)
def test_some_failures_are_answered_with_201(novu_sandbox, change, body, status):
    put(novu_sandbox, NOTICE | change)
    answer = trigger(novu_sandbox, **body)
    assert answer.status_code == 201
    assert (answer.json()["data"]["acknowledged"], answer.json()["data"]["status"]) == (
        True,
        status,
    )
    assert novu_sandbox.settled()["done"] == 0


def test_a_payload_is_validated_only_where_the_workflow_says_so(novu_sandbox):
    schema = {"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}}}
    put(novu_sandbox, NOTICE | {"payloadSchema": schema})
    assert trigger(novu_sandbox, payload={"title": 1}).status_code == 201
    put(novu_sandbox, NOTICE | {"payloadSchema": schema, "validatePayload": True})
    answer = trigger(novu_sandbox, payload={"title": 1})
    assert (answer.status_code, answer.json()["type"]) == (400, "PAYLOAD_VALIDATION_ERROR")
    assert answer.json()["errors"][0]["field"] == "title"


def test_a_payload_over_the_limit_is_413(novu_sandbox):
    put(novu_sandbox, NOTICE)
    assert trigger(novu_sandbox, payload={"text": "x" * 500_000}).status_code == 201
    assert trigger(novu_sandbox, payload={"text": "x" * 530_000}).status_code == 413


def test_bulk_answers_item_by_item(novu_sandbox):
    put(novu_sandbox, NOTICE)
    events = [
        {"name": "notice", "to": "ada", "transactionId": "b-1"},
        {"name": "nowhere", "to": "ada"},
        {"name": "notice", "to": "ben", "transactionId": "b-2"},
    ]
    with novu_sandbox.client() as client:
        answer = client.post("/v1/events/trigger/bulk", json={"events": events})
        too_many = client.post("/v1/events/trigger/bulk", json={"events": events * 34})
    assert answer.status_code == 201
    first, second, third = answer.json()["data"]
    assert (first["status"], third["status"]) == ("processed", "processed")
    assert second == {"acknowledged": True, "status": "error", "error": ["workflow_not_found"]}
    assert too_many.status_code == 422
    assert "no more than 100 elements" in too_many.text
    novu_sandbox.settled()
    assert {entry["transactionId"] for entry in novu_sandbox.deliveries()} == {"b-1", "b-2"}


def test_a_broadcast_reaches_everybody(novu_sandbox):
    put(novu_sandbox, NOTICE)
    people = [{"subscriberId": f"s{number}"} for number in range(3)]
    with novu_sandbox.client() as client:
        client.post("/v1/subscribers/bulk", json={"subscribers": people})
        answer = client.post("/v1/events/trigger/broadcast", json={"name": "notice"})
    assert answer.status_code == 201
    novu_sandbox.settled()
    assert {entry["subscriberId"] for entry in novu_sandbox.deliveries()} == {"s0", "s1", "s2"}


def test_a_topic_reaches_its_members_but_the_excluded(novu_sandbox):
    put(novu_sandbox, NOTICE)
    with novu_sandbox.client() as client:
        members = {"subscriberIds": ["ada", "ben", "chiara"]}
        assert client.post("/v2/topics/site/subscriptions", json=members).status_code == 201
    topic = {"type": "Topic", "topicKey": "site", "exclude": ["ben"]}
    trigger(novu_sandbox, to=[topic, "ada"])
    novu_sandbox.settled()
    got = [entry["subscriberId"] for entry in novu_sandbox.deliveries()]
    assert sorted(got) == ["ada", "chiara"]


def test_the_generic_workflow_sends_what_was_rendered_and_skips_the_rest(novu_sandbox):
    rendered = {
        "email": {"subject": "Lift 3", "body": "<b>{{payload.x}}</b>"},
        "sms": {"body": "L3"},
    }
    trigger(novu_sandbox, name="xnovu-dynamic", payload={"xnovu": {"rendered": rendered}})
    novu_sandbox.settled()
    content = {entry["channel"]: entry["content"] for entry in novu_sandbox.deliveries()}
    assert content == {
        "email": {"subject": "Lift 3", "body": "<b>{{payload.x}}</b>"},
        "sms": {"subject": None, "body": "L3"},
    }


def test_an_override_changes_the_subject_of_an_email(novu_sandbox):
    step = {"type": "email", "name": "E-mail", "controlValues": {"subject": "a", "body": "b"}}
    put(novu_sandbox, NOTICE | {"steps": [step]})
    trigger(novu_sandbox, overrides={"email": {"subject": "Urgent"}})
    novu_sandbox.settled()
    assert novu_sandbox.deliveries()[0]["content"] == {"subject": "Urgent", "body": "b"}
