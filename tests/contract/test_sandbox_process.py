"""The sandbox as a process: what survives a kill, how it ends, how quick it is."""

import threading
import time

import httpx
import pytest
from support.sandbox import SandboxProcess, eventually
from support.sandbox_cases import NOTICE, put, trigger


@pytest.fixture
def own_sandbox(tmp_path):
    """A process of this test alone, to be killed."""
    sandbox = SandboxProcess(tmp_path)
    sandbox.start()
    yield sandbox
    if sandbox.process.poll() is None:
        sandbox.stop()


def test_a_kill_loses_nothing_that_was_accepted(own_sandbox):
    put(own_sandbox, NOTICE)
    trigger(own_sandbox, to={"subscriberId": "ada", "firstName": "Ada"}, transactionId="before")
    own_sandbox.settled()
    own_sandbox.admin("PATCH", "/settings", json={"lagSeconds": 60})
    trigger(own_sandbox, transactionId="waiting")
    before = own_sandbox.deliveries()
    own_sandbox.kill()
    own_sandbox.start()
    own_sandbox.settled()
    after = own_sandbox.deliveries()
    assert after[: len(before)] == before
    assert [entry["transactionId"] for entry in after] == ["before", "waiting"]
    assert after[1]["content"]["body"].startswith("Hello Ada")
    trigger(own_sandbox, transactionId="before")  # the id is still known
    assert own_sandbox.settled()["dropped"] == 1


def test_a_delay_goes_on_after_a_kill(own_sandbox):
    delay = {"type": "delay", "name": "D", "controlValues": {"amount": 1, "unit": "seconds"}}
    put(own_sandbox, NOTICE | {"steps": [delay, *NOTICE["steps"]]})
    trigger(own_sandbox)
    own_sandbox.settled()
    own_sandbox.kill()
    own_sandbox.start()
    eventually(own_sandbox.deliveries, "the delay ended in the second process")


def test_it_ends_quickly_with_a_page_open(own_sandbox):
    opened = threading.Event()
    ended = threading.Event()

    def watch():
        with httpx.stream("GET", f"{own_sandbox.url}/inbox/stream", timeout=30) as answer:
            for _ in answer.iter_bytes():
                opened.set()
        ended.set()

    threading.Thread(target=watch, daemon=True).start()
    assert opened.wait(10)
    began = time.monotonic()
    assert own_sandbox.stop() == 0
    assert time.monotonic() - began < 3
    assert ended.wait(5)  # a clean end of the stream, no reset


def test_a_taken_port_is_exit_code_1(own_sandbox, tmp_path):
    other = SandboxProcess(tmp_path / "other")
    port = httpx.URL(own_sandbox.url).port
    with pytest.raises(AssertionError, match="ended with 1"):
        other.start(port)


def test_ten_thousand_deliveries_stay_quick(novu_sandbox):
    put(novu_sandbox, NOTICE)
    people = [f"s{number}" for number in range(100)]
    events = [{"name": "notice", "to": people} for _ in range(100)]
    with novu_sandbox.client() as client:
        answer = client.post("/v1/events/trigger/bulk", json={"events": events}, timeout=30)
        assert answer.status_code == 201
    novu_sandbox.settled()
    began = time.monotonic()
    assert len(novu_sandbox.deliveries()) == 10_000
    assert len(novu_sandbox.deliveries(subscriberId="s7")) == 100
    trigger(novu_sandbox, to="s7", transactionId="last")
    novu_sandbox.settled()
    assert len(novu_sandbox.deliveries(transactionId="last")) == 1
    shown = httpx.get(f"{novu_sandbox.url}/inbox/messages", params={"q": "hello"}).json()
    assert len(shown["messages"]) == 100
    assert time.monotonic() - began < 3


def test_a_thousand_single_triggers_take_a_few_seconds(novu_sandbox):
    put(novu_sandbox, NOTICE)
    began = time.monotonic()
    with novu_sandbox.client() as client:
        for number in range(1000):
            body = {"name": "notice", "to": f"s{number}", "transactionId": f"t-{number}"}
            assert client.post("/v1/events/trigger", json=body).status_code == 201
    novu_sandbox.settled()
    assert len({entry["transactionId"] for entry in novu_sandbox.deliveries()}) == 1000
    assert time.monotonic() - began < 10


def test_a_reset_forgets_what_was_waiting(novu_sandbox):
    put(novu_sandbox, NOTICE)
    novu_sandbox.fault("lag", seconds=0.2)
    novu_sandbox.fault("5xx", path="/v1/notifications", method="GET")
    trigger(novu_sandbox)
    novu_sandbox.admin("POST", "/reset")
    status = novu_sandbox.admin("GET", "/status")
    assert (status["queued"], status["done"], status["deliveries"]) == (0, 0, 0)
    assert novu_sandbox.admin("GET", "/faults") == []
    with novu_sandbox.client() as client:
        assert client.get("/v2/workflows").json()["data"]["totalCount"] == 1
        assert client.get("/v2/subscribers").json()["totalCount"] == 0
    put(novu_sandbox, NOTICE)
    trigger(novu_sandbox, transactionId="after")
    novu_sandbox.settled()
    assert [entry["transactionId"] for entry in novu_sandbox.deliveries()] == ["after"]
