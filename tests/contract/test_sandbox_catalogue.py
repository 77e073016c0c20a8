"""Subscribers and workflows over the API: temporal-and-novu.md §2.2."""

import json
from pathlib import Path

import pytest
from support.sandbox_cases import ADA, NOTICE, put

EXAMPLE = Path(__file__).parents[2] / "examples" / "01-first-enterprise"


def test_a_subscriber_is_made_changed_and_deleted(novu_sandbox):
    with novu_sandbox.client() as client:
        made = client.post("/v2/subscribers", json=ADA)
        assert made.status_code == 201
        assert made.json()["data"]["firstName"] == "Ada"
        conflict = client.post("/v2/subscribers?failIfExists=true", json=ADA)
        assert conflict.status_code == 409
        changed = client.patch("/v2/subscribers/ada", json={"lastName": "L.", "secret": "x"})
        assert changed.json()["data"]["lastName"] == "L."
        assert "secret" not in changed.json()["data"]
        kept = client.get("/v2/subscribers/ada").json()["data"]
        assert (kept["firstName"], kept["lastName"]) == ("Ada", "L.")
        found = client.get("/v2/subscribers", params={"email": "ADA@"}).json()
        assert (found["totalCount"], found["next"], found["previous"]) == (1, None, None)
        assert client.delete("/v2/subscribers/ada").json()["data"]["acknowledged"] is True
        assert client.get("/v2/subscribers/ada").status_code == 404


def test_bulk_tells_created_from_updated_and_failed(novu_sandbox):
    with novu_sandbox.client() as client:
        client.post("/v2/subscribers", json=ADA)
        people = {"subscribers": [ADA, {"subscriberId": "ben"}, {"email": "x@y.example"}]}
        answer = client.post("/v1/subscribers/bulk", json=people)
    assert answer.status_code == 201
    data = answer.json()["data"]
    assert data["updated"] == [{"subscriberId": "ada"}]
    assert data["created"] == [{"subscriberId": "ben"}]
    assert len(data["failed"]) == 1


def test_the_generic_workflow_is_there_from_the_start(novu_sandbox):
    with novu_sandbox.client() as client:
        (listed,) = client.get("/v2/workflows").json()["data"]["workflows"]
    assert (listed["workflowId"], listed["status"]) == ("xnovu-dynamic", "ACTIVE")
    assert listed["stepTypeOverviews"] == ["in_app", "email", "sms", "chat", "push"]


def test_the_workflows_of_the_example_can_be_loaded_twice(novu_sandbox):
    workflows = json.loads((EXAMPLE / "novu-workflows.json").read_text())
    for _ in range(2):
        for workflow in workflows:
            put(novu_sandbox, workflow)
    with novu_sandbox.client() as client:
        assert client.get("/v2/workflows").json()["data"]["totalCount"] == 1 + len(workflows)
        got = client.get("/v2/workflows/welcome").json()["data"]
    assert got["steps"][1]["controlValues"] == workflows[0]["steps"][1]["controlValues"]


def test_a_workflow_is_made_once_and_deleted(novu_sandbox):
    with novu_sandbox.client() as client:
        assert client.post("/v2/workflows", json=NOTICE).status_code == 201
        assert client.post("/v2/workflows", json=NOTICE).status_code == 409
        assert client.put("/v2/workflows/notice/sync", json={}).status_code == 200
        assert client.delete("/v2/workflows/notice").status_code == 204
        assert client.get("/v2/workflows/notice").status_code == 404
        assert client.put("/v2/workflows/notice/sync", json={}).status_code == 404


@pytest.mark.parametrize(
    "step",
    [
        {"type": "digest", "name": "Digest"},
        {"type": "delay", "name": "Delay", "controlValues": {"amount": "soon"}},
        {"type": "in_app", "name": "If", "controlValues": {"skip": {"regex": ["a", "b"]}}},
        {"type": "in_app", "name": ""},
    ],
)
def test_a_step_that_cannot_be_run_is_refused(novu_sandbox, step):
    with novu_sandbox.client() as client:
        answer = client.put("/v2/workflows/notice", json=NOTICE | {"steps": [step]})
    assert answer.status_code == 422
    assert any(field.startswith("steps.0") for field in answer.json()["errors"])


@pytest.mark.parametrize("path", ["/v1/nothing", "/v2/workflows/x/y/z"])
def test_an_unknown_path_has_an_error_body(novu_sandbox, path):
    with novu_sandbox.client() as client:
        answer = client.get(path)
    assert (answer.status_code, answer.json()["message"]) == (404, f"Cannot GET {path}")
