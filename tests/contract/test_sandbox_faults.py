"""What a caller meets, and what has happened by then, under each fault switch."""

import httpx
import pytest
from support.sandbox import eventually
from support.sandbox_cases import NOTICE, put, trigger


@pytest.fixture
def sandbox(novu_sandbox):
    put(novu_sandbox, NOTICE)
    return novu_sandbox


def delivered(sandbox):
    sandbox.settled()
    return len(sandbox.deliveries())


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"kind": "5xx"}, 500),
        ({"kind": "5xx", "status": 503}, 503),
        ({"kind": "429", "seconds": 7}, 429),
        ({"kind": "401"}, 401),
    ],
)
def test_a_refusal_accepts_nothing_and_ends_with_its_count(sandbox, fault, status):
    sandbox.fault(**fault, count=2)
    answers = [trigger(sandbox) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 201]
    assert answers[0].json()["statusCode"] == status
    if status == 429:
        assert answers[0].headers["Retry-After"] == "7"
    assert delivered(sandbox) == 1
    assert sandbox.admin("GET", "/faults") == []


def test_a_drop_after_acceptance_delivers(sandbox):
    sandbox.fault("accept_then_drop", count=1)
    with pytest.raises(httpx.TransportError):
        trigger(sandbox)
    assert delivered(sandbox) == 1


def test_a_drop_before_acceptance_does_not(sandbox):
    sandbox.fault("error_before_accept", count=1)
    with pytest.raises(httpx.TransportError):
        trigger(sandbox)
    assert delivered(sandbox) == 0
    assert trigger(sandbox).status_code == 201


def test_garbage_is_an_unreadable_201_of_something_accepted(sandbox):
    sandbox.fault("garbage", count=1)
    answer = trigger(sandbox)
    assert answer.status_code == 201
    with pytest.raises(ValueError):
        answer.json()
    assert delivered(sandbox) == 1


def test_a_slow_answer_is_of_something_accepted_already(sandbox):
    sandbox.fault("slow", count=1, seconds=30)
    body = {"name": "notice", "to": "ada"}
    with sandbox.client() as client, pytest.raises(httpx.ReadTimeout):
        client.post("/v1/events/trigger", json=body, timeout=0.3)
    assert delivered(sandbox) == 1


def test_a_partial_multicast_loses_half_of_the_recipients(sandbox):
    sandbox.fault("partial", count=1)
    trigger(sandbox, to=["a", "b", "c", "d"], transactionId="t")
    sandbox.settled()
    assert {entry["subscriberId"] for entry in sandbox.deliveries()} == {"a", "b"}


def test_a_lag_delays_one_trigger_and_not_the_next(sandbox):
    sandbox.fault("lag", count=1, seconds=60)
    trigger(sandbox, to="ada")
    trigger(sandbox, to="ben")

    got = eventually(sandbox.deliveries, "the second one is delivered")
    assert [entry["subscriberId"] for entry in got] == ["ben"]
    assert sandbox.admin("GET", "/status")["queued"] == 1


def test_a_switch_without_a_count_stays_until_it_is_cleared(sandbox):
    sandbox.fault("5xx")
    assert [trigger(sandbox).status_code for _ in range(3)] == [500, 500, 500]
    sandbox.admin("DELETE", "/faults")
    assert trigger(sandbox).status_code == 201


def test_a_switch_hits_with_its_probability(sandbox):
    sandbox.fault("5xx", probability=0.5)
    seen = {trigger(sandbox).status_code for _ in range(60)}
    assert seen == {500, 201}  # fails by chance once in 2**59 runs


def test_a_switch_can_be_for_another_path(sandbox):
    sandbox.fault("5xx", method="GET", path="/v1/notifications")
    assert trigger(sandbox).status_code == 201
    with sandbox.client() as client:
        assert client.get("/v1/notifications").status_code == 500


@pytest.mark.parametrize("wrong", [{"kind": "rain"}, {"kind": "5xx", "count": 0}, {"k": "5xx"}])
def test_a_switch_that_is_not_known_is_refused(sandbox, wrong):
    with pytest.raises(httpx.HTTPStatusError) as caught:
        sandbox.admin("POST", "/faults", json=wrong)
    assert caught.value.response.status_code == 422


def test_a_real_token_bucket_says_when_to_come_back(sandbox):
    sandbox.admin("PATCH", "/settings", json={"serviceLevel": "free"})
    events = {"events": [{"name": "notice", "to": "ada"}]}
    with sandbox.client() as client:
        answers = [client.post("/v1/events/trigger/bulk", json=events) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [
        201,
        201,
        201,
        429,
    ]  # 330 tokens, 100 each
    headers = answers[-1].headers
    assert int(headers["Retry-After"]) == int(headers["RateLimit-Reset"]) >= 1
    assert headers["RateLimit-Limit"] == "60"
    assert 'category="trigger";cost="bulk";serviceLevel="free"' in headers["RateLimit-Policy"]


def test_what_the_worker_loses_is_accepted_and_never_shown(sandbox):
    sandbox.fault("lost", count=1)
    assert trigger(sandbox, transactionId="xn-1").status_code == 201
    assert delivered(sandbox) == 0
    with sandbox.client() as client:
        feed = client.get("/v1/notifications", params={"transactionId": "xn-1"}).json()
    assert feed["data"] == []
    assert sandbox.admin("GET", "/status")["droppedTriggers"][0]["reason"] == "the worker failed"


def test_a_provider_that_fails_is_a_failed_job_of_its_channel(sandbox):
    email = {"type": "email", "name": "E-mail", "controlValues": {"subject": "s", "body": "b"}}
    put(sandbox, {**NOTICE, "steps": [*NOTICE["steps"], email]})
    sandbox.fault("provider", channel="email", count=1)
    trigger(sandbox, transactionId="xn-1")
    assert delivered(sandbox) == 1
    with sandbox.client() as client:
        feed = client.get("/v1/notifications", params={"transactionId": "xn-1"}).json()
    jobs = {job["type"]: job for job in feed["data"][0]["jobs"]}
    assert (jobs["in_app"]["status"], jobs["email"]["status"]) == ("completed", "failed")
    assert jobs["email"]["executionDetails"][0]["status"] == "Failed"
