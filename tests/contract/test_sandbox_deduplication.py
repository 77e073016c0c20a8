"""How weak a transaction id is, and what an Idempotency-Key adds: temporal-and-novu.md §2.4."""

import httpx
import pytest
from support.sandbox import eventually
from support.sandbox_cases import NOTICE, put, trigger


def test_a_second_use_of_an_id_is_accepted_and_dropped(novu_sandbox):
    put(novu_sandbox, NOTICE)
    trigger(novu_sandbox, transactionId="t")
    novu_sandbox.settled()
    again = trigger(novu_sandbox, to="ben", transactionId="t")
    assert again.json()["data"]["status"] == "processed"  # the API does not look
    status = novu_sandbox.settled()
    assert status["droppedTriggers"] == [
        {
            "transactionId": "t",
            "workflowId": "notice",
            "reason": "transactionId property is not unique",
        }
    ]
    assert [entry["subscriberId"] for entry in novu_sandbox.deliveries()] == ["ada"]


def test_two_uses_in_quick_succession_are_both_delivered(novu_sandbox):
    put(novu_sandbox, NOTICE)
    novu_sandbox.admin("PATCH", "/settings", json={"lagSeconds": 0.6})
    trigger(novu_sandbox, transactionId="t")
    trigger(novu_sandbox, transactionId="t")
    novu_sandbox.settled()
    assert len(novu_sandbox.deliveries(transactionId="t")) == 2


def test_the_feed_lags_behind_the_answer(novu_sandbox):
    put(novu_sandbox, NOTICE)
    novu_sandbox.admin("PATCH", "/settings", json={"lagSeconds": 0.3})
    trigger(novu_sandbox, transactionId="t")
    with novu_sandbox.client() as client:

        def feed():
            return client.get("/v1/notifications", params={"transactionId": "t"}).json()["data"]

        assert feed() == []
        assert len(eventually(feed, "the feed shows the transaction")) == 1


def send(sandbox, key, **body):
    with sandbox.client() as client:
        body = {"name": "notice", "to": "ada"} | body
        return client.post("/v1/events/trigger", json=body, headers={"Idempotency-Key": key})


def test_an_idempotency_key_means_nothing_unless_it_is_switched_on(novu_sandbox):
    put(novu_sandbox, NOTICE)
    first, second = send(novu_sandbox, "k"), send(novu_sandbox, "k")
    assert first.json()["data"]["transactionId"] != second.json()["data"]["transactionId"]
    assert "Idempotency-Replay" not in second.headers


def test_a_key_replays_its_answer(novu_sandbox):
    put(novu_sandbox, NOTICE)
    novu_sandbox.admin("PATCH", "/settings", json={"idempotency": True})
    first, second = send(novu_sandbox, "k"), send(novu_sandbox, "k")
    assert first.content == second.content
    assert second.status_code == 201
    assert "Idempotency-Replay" not in first.headers
    assert second.headers["Idempotency-Replay"] == "true"
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"] == "k"
    assert novu_sandbox.settled()["done"] == 1


def test_a_key_keeps_an_error_too(novu_sandbox):
    put(novu_sandbox, NOTICE)
    novu_sandbox.admin("PATCH", "/settings", json={"idempotency": True})
    novu_sandbox.fault("5xx", count=1)
    assert send(novu_sandbox, "k").status_code == 500
    assert (
        send(novu_sandbox, "k").status_code == 500
    )  # the switch is off again: this is the kept one
    assert send(novu_sandbox, "k#e1").status_code == 201


def test_a_key_with_another_body_is_422_and_a_long_one_400(novu_sandbox):
    put(novu_sandbox, NOTICE)
    novu_sandbox.admin("PATCH", "/settings", json={"idempotency": True})
    assert send(novu_sandbox, "k").status_code == 201
    assert send(novu_sandbox, "k", to="ben").status_code == 422
    assert send(novu_sandbox, "k" * 256).status_code == 400


def test_a_dropped_answer_is_replayed_under_the_same_key(novu_sandbox):
    put(novu_sandbox, NOTICE)
    novu_sandbox.admin("PATCH", "/settings", json={"idempotency": True})
    novu_sandbox.fault("accept_then_drop", count=1)
    with pytest.raises(httpx.TransportError):
        send(novu_sandbox, "k")
    assert send(novu_sandbox, "k").headers["Idempotency-Replay"] == "true"
    novu_sandbox.settled()
    assert len(novu_sandbox.deliveries()) == 1
