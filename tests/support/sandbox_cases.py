"""A workflow, a person, and the requests that the sandbox's tests send again and again."""

from typing import Any

import httpx
from support.sandbox import SandboxProcess

NOTICE = {
    "workflowId": "notice",
    "name": "Notice",
    "steps": [
        {
            "type": "in_app",
            "name": "In-app",
            "controlValues": {
                "subject": "{{payload.title}}",
                "body": "Hello {{ subscriber.firstName }}: {{payload.items[1].name}}{{payload.none}}",
            },
        }
    ],
}
ADA = {"subscriberId": "ada", "firstName": "Ada", "email": "ada@acme.example"}


def put(sandbox: SandboxProcess, workflow: dict[str, Any]) -> None:
    with sandbox.client() as client:
        answer = client.put(f"/v2/workflows/{workflow['workflowId']}", json=workflow)
    assert answer.status_code == 200, answer.text


def trigger(sandbox: SandboxProcess, **body: Any) -> httpx.Response:
    with sandbox.client() as client:
        return client.post("/v1/events/trigger", json={"name": "notice", "to": "ada", **body})
