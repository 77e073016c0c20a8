"""Puts the first example into the running stack, over the interfaces that its users have, and reads back what happened.

Manifests go to the Kubernetes API by server-side apply, rows through PostgREST, people and workflows to the sandbox's
Novu API. Called by `xnovu_dev.up`; safe to call again: everything but the notifications is an upsert.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import httpx
from pydantic import JsonValue, TypeAdapter

from xnovu_dev.example import Example, Expectation, Manifest, of_row, of_rule, one_off
from xnovu_dev.judge import Delivery, Row, Seen, judge
from xnovu_dev.kubernetes import KubernetesApi
from xnovu_dev.state import Stack

_TIMEOUT: Final = 10.0
_CONFLICT_KEYS: Final = {
    "ent_notification_workflow": "workflow_key",
    "ent_notification_template": "template_key,enterprise_id",
}


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was put in: what must be seen, and from which row on to look."""

    enterprise_id: str
    since: datetime
    expectations: tuple[Expectation, ...]


class Demo:
    """The example in one running stack."""

    def __init__(self, stack: Stack) -> None:
        key = stack.supabase.service_role_key
        self._kubernetes = KubernetesApi(stack.kubeconfig)
        self._rest = httpx.Client(
            base_url=f"{stack.supabase.url}/rest/v1",
            headers={
                "apikey": key,
                "Authorization": f"Bearer {key}",
                "Accept-Profile": "notify",
                "Content-Profile": "notify",
            },
            timeout=_TIMEOUT,
        )
        self._novu = httpx.Client(
            base_url=stack.novu.url,
            headers={"Authorization": f"ApiKey {stack.novu.secret_key}"},
            timeout=_TIMEOUT,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._rest.close()
        self._novu.close()
        self._kubernetes.close()

    def seed(self, example: Example, now: datetime) -> Seeded:
        """Apply, upsert and insert everything; `now` (aware) names this run's notifications."""
        self._seed_novu(example)
        self._seed_database(example)
        rules: list[Expectation] = []
        for manifest in example.manifests:
            stored = self._kubernetes.apply(manifest)
            if manifest["kind"] == "NotificationRule":
                rules.append(of_rule(manifest, _uid(stored), one_off(manifest)))
        rows = self._insert(example, now)
        return Seeded(example.enterprise_id, now - timedelta(seconds=5), (*rows, *rules))

    def look(self, seeded: Seeded) -> tuple[Seen, ...]:
        """How far everything is, now."""
        answer = self._rest.get(
            "/ent_notification",
            params={
                "select": "id,name,notification_status,dedupe_key,error_details",
                "enterprise_id": f"eq.{seeded.enterprise_id}",
                "created_at": f"gte.{seeded.since.astimezone(UTC).isoformat()}",
                "order": "id",
            },
        )
        rows = TypeAdapter(list[Row]).validate_json(_checked(answer).content)
        ledger = _checked(self._novu.get("/__sandbox/deliveries"))
        return judge(
            seeded.expectations, rows, TypeAdapter(list[Delivery]).validate_json(ledger.content)
        )

    def _seed_novu(self, example: Example) -> None:
        _checked(self._novu.post("/v1/subscribers/bulk", json={"subscribers": example.people}))
        for workflow in example.novu_workflows:
            path = f"/v2/workflows/{quote(str(workflow['workflowId']), safe='')}"
            _checked(self._novu.put(path, json=workflow))

    def _seed_database(self, example: Example) -> None:
        for table, rows in example.database.items():
            body = [
                {**row, "enterprise_id": example.enterprise_id, "publish_status": "PUBLISH"}
                for row in rows
            ]
            self._post(table, body, conflict=_CONFLICT_KEYS[table])

    def _insert(self, example: Example, now: datetime) -> list[Expectation]:
        found = self._rest.get("/ent_notification_workflow", params={"select": "id,workflow_key"})
        workflows = {r["workflow_key"]: r["id"] for r in _checked(found).json()}
        body: list[Manifest] = []
        for planned in example.notifications:
            due = planned.due_in_seconds
            at = None if due is None else (now + timedelta(seconds=due)).isoformat()
            body.append(
                {
                    "name": f"{planned.name} · {now:%Y-%m-%d %H:%M:%S}",
                    "enterprise_id": example.enterprise_id,
                    "publish_status": "PUBLISH",
                    "notification_workflow_id": workflows[planned.workflow],
                    "payload": planned.payload,
                    "recipients": list(planned.recipients),
                    "channels": list(planned.channels),
                    "scheduled_for": at,
                }
            )
        stored = self._post("ent_notification", body)
        return [
            of_row(planned, int(str(row["id"])))
            for planned, row in zip(example.notifications, stored, strict=True)
        ]

    def _post(
        self, table: str, rows: Sequence[Mapping[str, JsonValue]], conflict: str | None = None
    ) -> list[dict[str, JsonValue]]:
        # PostgREST wants the same keys in all rows, unless it is told the columns and to take their defaults.
        prefer = "return=representation,missing=default"
        params = {"columns": ",".join(sorted({key for row in rows for key in row}))}
        if conflict:
            prefer += ",resolution=merge-duplicates"
            params["on_conflict"] = conflict
        answer = self._rest.post(
            f"/{table}", json=list(rows), params=params, headers={"Prefer": prefer}
        )
        return TypeAdapter(list[dict[str, JsonValue]]).validate_json(_checked(answer).content)


def _checked(answer: httpx.Response) -> httpx.Response:
    """The answer when it is a success; else an error with the system's own words, which here are ours to see."""
    if answer.is_error:
        raise DemoError(
            f"{answer.request.method} {answer.request.url.copy_with(query=None)}: {answer.status_code} {answer.text[:400]}"
        )
    return answer


def _uid(stored: Mapping[str, JsonValue]) -> str:
    metadata = stored["metadata"]
    if not isinstance(metadata, dict):
        raise DemoError("the API server answered an object without metadata")
    return str(metadata["uid"])


class DemoError(Exception):
    """A system of the stack refused a part of the example."""
