"""The inbox page: what it may load and run, what it is told, and who may ask. How it looks is seen in a browser."""

import json

import httpx
import pytest
from support.sandbox_cases import ADA, put, trigger

EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>"
BOTH = {
    "workflowId": "notice",
    "name": "Notice",
    "steps": [
        {"type": "in_app", "name": "I", "controlValues": {"subject": "{{payload.t}}", "body": "b"}},
        {
            "type": "email",
            "name": "E",
            "controlValues": {"subject": "s", "body": "<p>{{payload.t}}"},
        },
    ],
}


@pytest.fixture
def inbox(novu_sandbox):
    put(novu_sandbox, BOTH)
    with httpx.Client(base_url=novu_sandbox.url, timeout=10) as client:
        yield client


def policy(answer):
    parts = answer.headers["Content-Security-Policy"].split(";")
    return {words[0]: words[1:] for part in parts if (words := part.split())}


def test_the_page_loads_its_own_files_and_nothing_else(inbox):
    page = inbox.get("/inbox")
    assert page.status_code == 200
    rules = policy(page)
    assert rules["default-src"] == rules["frame-ancestors"] == ["'none'"]
    assert rules["script-src"] == rules["style-src"] == ["'self'"]
    assert "<script src=" in page.text
    assert "style=" not in page.text
    for name in ("inbox.js", "inbox.css"):
        text = inbox.get(f"/inbox/static/{name}").text.replace("http://www.w3.org/2000/svg", "")
        assert "http" not in text
        assert "innerHTML" not in text
    assert inbox.get("/inbox/static/..%2Finbox.py").status_code == 404


def test_the_html_of_an_email_can_run_and_load_nothing(inbox, novu_sandbox):
    trigger(novu_sandbox, payload={"t": EVIL})
    novu_sandbox.settled()
    (message,) = inbox.get("/inbox/messages", params={"channel": "email"}).json()["messages"]
    framed = inbox.get(f"/inbox/email/{message['id']}")
    rules = policy(framed)
    assert rules["default-src"] == ["'none'"]
    assert "script-src" not in rules
    assert rules["sandbox"] == ["allow-same-origin"]
    assert rules["img-src"] == ["data:"]
    assert f"<p>{EVIL}" in framed.text
    (other,) = inbox.get("/inbox/messages", params={"channel": "in_app"}).json()["messages"]
    assert inbox.get(f"/inbox/email/{other['id']}").status_code == 404


def test_messages_are_found_by_person_channel_and_words(inbox, novu_sandbox):
    trigger(novu_sandbox, to=[ADA], payload={"t": "100%_lift"})
    trigger(novu_sandbox, to="ben", payload={"t": "100 lifts"})
    novu_sandbox.settled()

    def found(**query):
        rows = inbox.get("/inbox/messages", params=query).json()["messages"]
        return sorted((row["subscriberId"], row["channel"]) for row in rows)

    assert len(found()) == 4
    assert found(person="ada") == [("ada", "email"), ("ada", "in_app")]
    assert found(person="ben", channel="email") == [("ben", "email")]
    assert found(q="100%_LIFT", channel="in_app") == [("ada", "in_app")]  # no wildcards
    assert found(q="Ada", channel="in_app") == [
        ("ada", "in_app")
    ]  # her name is no part of the text
    assert found(q="nothing of the kind") == []


def test_people_are_counted_by_channel(inbox, novu_sandbox):
    trigger(novu_sandbox, to=[ADA])
    novu_sandbox.settled()
    answer = inbox.get("/inbox/people").json()
    assert answer["people"] == [
        {
            "subscriberId": "ada",
            "name": "Ada",
            "email": "ada@acme.example",
            "counts": {"email": 1, "in_app": 1},
        }
    ]
    assert answer["lastSeq"] == inbox.get("/inbox/messages").json()["messages"][0]["seq"]


def test_older_messages_come_by_the_page(inbox, novu_sandbox):
    trigger(novu_sandbox, to=[f"s{number}" for number in range(75)])
    novu_sandbox.settled()
    first = inbox.get("/inbox/messages").json()
    last = first["messages"][-1]["seq"]
    second = inbox.get("/inbox/messages", params={"before": last}).json()
    assert (len(first["messages"]), first["more"]) == (100, True)
    assert (len(second["messages"]), second["more"]) == (50, False)
    assert not {row["id"] for row in first["messages"]} & {row["id"] for row in second["messages"]}


def events(lines):
    """(event, data) of a stream, as they come."""
    name = None
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def test_news_come_by_themselves_and_a_withdrawal_asks_for_a_refresh(inbox, novu_sandbox):
    with inbox.stream("GET", "/inbox/stream") as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        stream = events(answer.iter_lines())
        trigger(novu_sandbox, to="ada", payload={"t": "line\n\nbreak"}, transactionId="t")
        name, shown = next(stream)
        assert name == "messages"
        assert [row["channel"] for row in shown] == ["in_app", "email"]
        assert shown[0]["subject"] == "line\n\nbreak"
        with novu_sandbox.client() as client:
            assert client.delete("/v1/messages/transaction/t").status_code == 204
        assert next(stream) == ("refresh", {})
    rows = inbox.get("/inbox/messages").json()["messages"]
    assert all(row["withdrawn"] for row in rows)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
@pytest.mark.parametrize("path", ["/__sandbox/reset", "/__sandbox/faults"])
def test_another_web_page_cannot_reach_the_switches(inbox, headers, path):
    assert inbox.post(path, headers=headers, json={"kind": "5xx"}).status_code == 403


def test_a_rebound_name_cannot_read_the_ledger(inbox):
    headers = {"Host": "evil.example"}
    assert inbox.get("/__sandbox/deliveries", headers=headers).status_code == 403
    assert inbox.get("/inbox/messages", headers=headers).status_code == 403
