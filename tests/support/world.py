"""A running stack seen from outside, as the end-to-end tests use it: PostgREST, the Kubernetes API, the ledger, Temporal.

Waits for conditions with a deadline; never sleeps for a fixed time and hopes.
"""

import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import httpx

from xnovu.core.ids import parse_transaction_id
from xnovu_dev import kubeconfig
from xnovu_dev.kubernetes import KubernetesApi
from xnovu_dev.state import Stack

T = TypeVar("T")
API = "/apis/xnovu.io/v1alpha1"


def eventually(
    look: Callable[[], T | None], what: str, *, within: float = 30.0, every: float = 0.1
) -> T:
    """The first thing that `look` gives; fails after `within` seconds, saying what was waited for."""
    end = time.monotonic() + within
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, f"not within {within:.0f} s: {what}"
        time.sleep(every)


@dataclass(frozen=True, slots=True)
class Tenant:
    """One enterprise of a test, in a namespace of its own."""

    id: str
    namespace: str
    name: str
    workflow: int

    @property
    def path(self) -> str:
        return f"{API}/namespaces/{self.namespace}/enterprises/{self.name}"

    def rule_path(self, rule: str) -> str:
        return f"{API}/namespaces/{self.namespace}/notificationrules/{rule}"


class World:
    """One stack."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.kubernetes = KubernetesApi(stack.kubeconfig)
        key = stack.supabase.service_role_key
        self.rest = httpx.Client(
            base_url=f"{stack.supabase.url}/rest/v1",
            headers={
                "apikey": key,
                "Authorization": f"Bearer {key}",
                "Accept-Profile": "notify",
                "Content-Profile": "notify",
                "Prefer": "return=representation",
            },
            timeout=30,
        )
        self.novu = httpx.Client(
            base_url=stack.novu.url,
            headers={"Authorization": f"ApiKey {stack.novu.secret_key}"},
            timeout=30,
        )

        access = kubeconfig.read(stack.kubeconfig)
        self.api = httpx.Client(base_url=access.server, verify=access.tls, timeout=15)

    def patch(self, path: str, body: Mapping[str, Any]) -> None:
        """A merge patch, as `kubectl edit` makes one."""
        kind = {"Content-Type": "application/merge-patch+json"}
        answer = self.api.patch(path, json=dict(body), headers=kind)
        assert answer.is_success, answer.text

    def delete(self, path: str) -> None:
        """Ask for its deletion."""
        self.api.delete(path).raise_for_status()

    def exists(self, path: str) -> bool:
        return self.api.get(path).status_code == 200

    def table(self, path: str) -> dict[str, Any]:
        """A list as kubectl asks for it."""
        accept = "application/json;as=Table;v=v1;g=meta.k8s.io"
        return dict(self.api.get(path, headers={"Accept": accept}).raise_for_status().json())

    def close(self) -> None:
        self.api.close()
        self.rest.close()
        self.novu.close()
        self.kubernetes.close()

    def tenant(self, **spec: Any) -> Tenant:
        """A new enterprise with a static workflow, ready to deliver."""
        number = uuid.uuid4()
        name = f"t-{number.hex[:8]}"
        key = f"notice-{number.hex[:8]}"
        step = {"type": "in_app", "name": "In-app", "controlValues": {"body": "{{payload.text}}"}}
        answer = self.novu.put(
            f"/v2/workflows/{key}", json={"workflowId": key, "name": key, "steps": [step]}
        )
        answer.raise_for_status()
        row = {
            "name": key,
            "workflow_key": key,
            "workflow_type": "STATIC",
            "enterprise_id": str(number),
            "publish_status": "PUBLISH",
            "default_channels": ["IN_APP"],
        }
        workflow = self.insert("ent_notification_workflow", [row])[0]["id"]
        self.kubernetes.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        self.apply("Enterprise", name, name, {"enterpriseId": str(number), **spec})
        return Tenant(str(number), name, name, workflow)

    def apply(
        self, kind: str, namespace: str, name: str, spec: Mapping[str, Any]
    ) -> dict[str, Any]:
        return dict(
            self.kubernetes.apply(
                {
                    "apiVersion": "xnovu.io/v1alpha1",
                    "kind": kind,
                    "metadata": {"name": name, "namespace": namespace},
                    "spec": dict(spec),
                }
            )
        )

    def rule(
        self, tenant: Tenant, name: str, schedule: Mapping[str, Any], **spec: Any
    ) -> dict[str, Any]:
        notification = {
            "workflow": self.workflow_key(tenant),
            "recipients": [str(uuid.uuid5(uuid.NAMESPACE_OID, name))],
            "payload": {"text": "at {{ occurrence.localTime }}"},
        }
        return self.apply(
            "NotificationRule",
            tenant.namespace,
            name,
            {
                "enterpriseRef": {"name": tenant.name},
                "schedule": dict(schedule),
                "notification": notification,
                **spec,
            },
        )

    def workflow_key(self, tenant: Tenant) -> str:
        rows = self.rest.get(
            "/ent_notification_workflow", params={"id": f"eq.{tenant.workflow}"}
        ).json()
        return str(rows[0]["workflow_key"])

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """All in one statement."""
        answer = self.rest.post(f"/{table}", json=list(rows))
        assert answer.is_success, answer.text
        return list(answer.json())

    def notifications(self, tenant: Tenant, count: int, **fields: Any) -> list[int]:
        """Insert so many in one statement; each has one recipient of its own."""
        rows = [
            {
                "name": f"{tenant.name} {uuid.uuid4()}",
                "enterprise_id": tenant.id,
                "publish_status": "PUBLISH",
                "notification_workflow_id": tenant.workflow,
                "payload": {"text": f"number {number}"},
                "recipients": [str(uuid.uuid4())],
                "channels": ["IN_APP"],
                **fields,
            }
            for number in range(count)
        ]
        return [int(row["id"]) for row in self.insert("ent_notification", rows)]

    def rows(self, tenant: Tenant) -> list[dict[str, Any]]:
        """All rows of the tenant; pages are followed."""
        found: list[dict[str, Any]] = []
        while True:
            query = {
                "enterprise_id": f"eq.{tenant.id}",
                "order": "id",
                "limit": "500",
                "offset": str(len(found)),
            }
            page = self.rest.get("/ent_notification", params=query).json()
            found += page
            if len(page) < 500:
                return found

    def statuses(self, tenant: Tenant) -> Counter[str]:
        return Counter(str(row["notification_status"]) for row in self.rows(tenant))

    def delivered(self, tenant: Tenant) -> Counter[tuple[int, str, str]]:
        """How often each recipient got each of the tenant's notifications, by channel."""
        counts: Counter[tuple[int, str, str]] = Counter()
        for entry in self.novu.get("/__sandbox/deliveries").json():
            found = parse_transaction_id(entry["transactionId"])
            if found is not None and found.enterprise_id == tenant.id:
                counts[found.notification_id, entry["subscriberId"], entry["channel"]] += 1
        return counts

    def accepted_at(self, tenant: Tenant) -> dict[int, datetime]:
        times: dict[int, datetime] = {}
        for entry in self.novu.get("/__sandbox/deliveries").json():
            found = parse_transaction_id(entry["transactionId"])
            if found is not None and found.enterprise_id == tenant.id:
                times[found.notification_id] = datetime.fromisoformat(entry["acceptedAt"])
        return times

    def condition(self, path: str, kind: str = "Ready") -> dict[str, Any]:
        """A condition of an object; empty while there is none."""
        status: Any = self.object(path).get("status", {})
        found = [c for c in status.get("conditions", []) if c["type"] == kind]
        return dict(found[0]) if found else {}

    def object(self, path: str) -> dict[str, Any]:
        return dict(self.kubernetes.get(path))

    def until_ready(
        self, path: str, *, status: str = "True", within: float = 30.0
    ) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            found = self.condition(path)
            generation = self.object(path)["metadata"]["generation"]
            current = found.get("observedGeneration") == generation
            return found if current and found.get("status") == status else None

        return eventually(look, f"Ready={status} on {path}: {self.condition(path)}", within=within)
