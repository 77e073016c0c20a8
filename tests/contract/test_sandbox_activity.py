"""The activity feed, messages, cancelling and withdrawing: temporal-and-novu.md §2.2."""

from support.sandbox import eventually
from support.sandbox_cases import NOTICE, put, trigger

DELAYED = {
    "workflowId": "delayed",
    "name": "Delayed",
    "steps": [
        {"type": "in_app", "name": "Now", "controlValues": {"body": "now"}},
        {"type": "delay", "name": "Wait", "controlValues": {"amount": 1, "unit": "hours"}},
        {"type": "in_app", "name": "Later", "controlValues": {"body": "later"}},
    ],
}


def test_the_feed_is_unwrapped_and_has_pages(novu_sandbox):
    put(novu_sandbox, NOTICE)
    trigger(novu_sandbox, to=[f"s{number}" for number in range(25)], transactionId="t")
    trigger(novu_sandbox, to="other", transactionId="u")
    novu_sandbox.settled()
    seen = []
    with novu_sandbox.client() as client:
        for page in range(3):
            # the SDK of the original writes numbers like this
            query = {"transactionId": "t", "page": f"{page}.0", "limit": "10.0"}
            answer = client.get("/v1/notifications", params=query).json()
            assert (answer["page"], answer["pageSize"]) == (page, 10)
            assert answer["hasMore"] is (page < 2)
            seen += [item["subscriber"]["subscriberId"] for item in answer["data"]]
    assert sorted(seen) == sorted(f"s{number}" for number in range(25))


def test_an_item_of_the_feed_has_what_novu_promises(novu_sandbox):
    put(novu_sandbox, NOTICE)
    trigger(novu_sandbox, transactionId="t", payload={"title": "x"})
    novu_sandbox.settled()
    with novu_sandbox.client() as client:
        (item,) = client.get("/v1/notifications", params={"transactionId": "t"}).json()["data"]
        same = client.get(f"/v1/notifications/{item['_id']}").json()
        assert client.get("/v1/notifications/nothing").status_code == 404
    assert same == {"data": item}
    assert item["_subscriberId"] != "ada"  # Novu's own id
    assert item["template"]["triggers"][0]["identifier"] == "notice"
    (job,) = item["jobs"]
    assert (job["type"], job["status"], job["providerId"]) == ("in_app", "completed", "novu")
    assert job["executionDetails"][0]["status"] == "Success"


def test_the_feed_is_narrowed_by_subscriber_and_channel(novu_sandbox):
    put(novu_sandbox, NOTICE)
    trigger(novu_sandbox, to=["ada", "ben"])
    novu_sandbox.settled()
    with novu_sandbox.client() as client:

        def people(**query):
            data = client.get("/v1/notifications", params=query).json()["data"]
            return {item["subscriber"]["subscriberId"] for item in data}

        assert people(subscriberIds="ada") == {"ada"}
        assert people(**{"subscriberIds[]": ["ada", "ben"]}) == {"ada", "ben"}
        assert people(channels="email") == set()
        assert people(channels="in_app") == {"ada", "ben"}


def test_what_is_delayed_can_be_cancelled_and_what_is_sent_cannot(novu_sandbox):
    put(novu_sandbox, DELAYED)
    trigger(novu_sandbox, name="delayed", transactionId="t")
    novu_sandbox.settled()
    with novu_sandbox.client() as client:
        assert client.delete("/v1/events/trigger/t").json() == {"data": True}
        assert client.delete("/v1/events/trigger/t").json() == {"data": False}
        assert client.delete("/v1/events/trigger/unknown").json() == {"data": False}
        (item,) = client.get("/v1/notifications", params={"transactionId": "t"}).json()["data"]
    assert [job["status"] for job in item["jobs"]] == ["completed", "canceled", "canceled"]
    assert [entry["content"]["body"] for entry in novu_sandbox.deliveries()] == ["now"]


def test_a_delay_ends_by_itself(novu_sandbox):
    steps = [dict(step) for step in DELAYED["steps"]]
    steps[1]["controlValues"] = {"amount": 0.1, "unit": "seconds"}
    put(novu_sandbox, DELAYED | {"steps": steps})
    trigger(novu_sandbox, name="delayed")
    eventually(lambda: len(novu_sandbox.deliveries()) == 2, "the step after the delay ran")
    assert novu_sandbox.admin("GET", "/status")["delayed"] == 0


def test_withdrawn_messages_leave_the_inbox_and_stay_in_the_ledger(novu_sandbox):
    put(novu_sandbox, NOTICE)
    trigger(novu_sandbox, to=["ada", "ben"], transactionId="t")
    trigger(novu_sandbox, to="ada", transactionId="u")
    novu_sandbox.settled()
    with novu_sandbox.client() as client:
        gone = client.delete("/v1/messages/transaction/t", params={"channel": "in_app"})
        assert (gone.status_code, gone.content) == (204, b"")
        again = client.delete("/v1/messages/transaction/t")
        assert (again.status_code, again.json()["message"]) == (
            404,
            "Invalid transactionId or channel",
        )
        (left,) = client.get("/v1/messages").json()["data"]
        assert (left["transactionId"], left["channel"], left["status"]) == ("u", "in_app", "sent")
        deleted = client.delete(f"/v1/messages/{left['_id']}").json()
        assert deleted == {"data": {"acknowledged": True, "status": "deleted"}}
        assert client.get("/v1/messages").json()["data"] == []
    assert len(novu_sandbox.deliveries()) == 3


def test_requests_are_recorded_without_the_key(novu_sandbox):
    put(novu_sandbox, NOTICE)
    trigger(novu_sandbox, transactionId="t")
    recorded = novu_sandbox.admin("GET", "/requests", params={"transactionId": "t"})
    (entry,) = recorded
    assert (entry["method"], entry["path"], entry["status"]) == ("POST", "/v1/events/trigger", 201)
    assert entry["body"] == {"name": "notice", "to": "ada", "transactionId": "t"}
    assert novu_sandbox.secret_key not in str(novu_sandbox.admin("GET", "/requests"))
