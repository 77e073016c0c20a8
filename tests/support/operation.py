"""One namespace of a real cluster with an operator of its own, for tests: put objects, read conditions, ask Temporal."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from support.manifests import Manifest, changed, enterprise, rule
from support.operator_process import Program, eventually, free_port
from temporalio.client import Client

from xnovu.adapters.schedules import Schedules
from xnovu.adapters.temporal import connect
from xnovu.core.ids import resource_schedule_id
from xnovu.core.schedules import FoundSchedule
from xnovu.settings import TemporalSettings

OFF = {f"spec.{part}.mode": "Off" for part in ("realtime", "scheduled", "cron")}
"""An enterprise with nothing to poll: ready without a database."""

_BASE = "/apis/xnovu.io/v1alpha1/namespaces"


_PATHS = {
    "Namespace": "/api/v1/namespaces",
    "Secret": "/api/v1/namespaces/{}/secrets",
    "Enterprise": _BASE + "/{}/enterprises",
    "NotificationRule": _BASE + "/{}/notificationrules",
}


class ClusterApi:
    """Server-side apply, get and delete, as the administrator of a kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        # The client ships without types.
        self._client: client.ApiClient = config.new_client_from_config(str(kubeconfig))  # type: ignore[no-untyped-call]

    def close(self) -> None:
        self._client.close()  # type: ignore[no-untyped-call]

    def apply(self, manifest: Manifest) -> None:
        metadata = manifest["metadata"]
        path = f"{_PATHS[manifest['kind']].format(metadata.get('namespace'))}/{metadata['name']}"
        self._call("PATCH", f"{path}?fieldManager=test&force=true", manifest)

    def get(self, path: str) -> Any | None:
        """None: it is not there."""
        return self._call("GET", path)

    def delete(self, path: str) -> None:
        self._call("DELETE", path)

    def _call(self, method: str, path: str, body: Manifest | None = None) -> Any | None:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/apply-patch+yaml"
        request = self._client.param_serialize(
            method, path, header_params=headers, body=body, auth_settings=["BearerToken"]
        )
        answer = self._client.call_api(*request)
        text = answer.read()  # type: ignore[no-untyped-call]
        if answer.status == 404:
            return None
        if answer.status >= 400:
            raise ApiException(status=answer.status, reason=text)
        return json.loads(text)


@dataclass
class Site:
    """A namespace, a task queue and an enterprise id that nobody else uses."""

    api: ClusterApi
    operator_kubeconfig: Path
    temporal: str
    folder: Path
    namespace: str = field(default_factory=lambda: f"test-{uuid.uuid4().hex[:8]}")
    enterprise_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    programs: list[Program] = field(default_factory=list)

    def prepare(self) -> "Site":
        name = {"name": self.namespace}
        self.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {**name}})
        return self

    def start(
        self, name: str, temporal: str | None = None, settings: Mapping[str, str] | None = None
    ) -> Program:
        """As `launch`, and it has reached what it needs."""
        program = self.launch(name, temporal, settings)
        word = "watching" if name == "operator" else "working on"
        # Two processes that start on a busy machine take their time; the tests' own deadlines begin afterwards.
        eventually(lambda: word in program.text, f"the {name} has started", 60)
        return program

    def launch(
        self, name: str, temporal: str | None = None, settings: Mapping[str, str] | None = None
    ) -> Program:
        """The operator or the worker, on this site's queue; the operator watches this namespace only."""
        more = {"XNOVU_TEMPORAL__TASK_QUEUE": self.namespace, **(settings or {})}
        if name == "operator":
            more |= {
                "KUBECONFIG": str(self.operator_kubeconfig),
                "XNOVU_OPERATOR__NAMESPACES": f'["{self.namespace}"]',
                "XNOVU_OPERATOR__RESYNC_SECONDS": "2",
            }
        log = self.folder / f"{name}-{free_port()}.log"
        program = Program.start(name, log, temporal or self.temporal, more)
        self.programs.append(program)
        return program

    def close(self) -> None:
        for program in self.programs:
            program.stop()

    def enterprise(self, name: str = "acme", **changes: object) -> Manifest:
        found = changed(enterprise(name, self.namespace), OFF)
        return changed(found, {"spec.enterpriseId": self.enterprise_id} | _paths(changes))

    def rule(self, name: str, **changes: object) -> Manifest:
        # Once a year, so that nothing runs while a test looks.
        yearly = {"spec.schedule.cron": "0 8 1 1 *"}
        return changed(rule(name, self.namespace), yearly | _paths(changes))

    def put(self, *manifests: Manifest) -> None:
        for manifest in manifests:
            self.api.apply(manifest)

    def get(self, plural: str, name: str) -> Any | None:
        return self.api.get(f"{_BASE}/{self.namespace}/{plural}/{name}")

    def delete(self, plural: str, name: str) -> None:
        self.api.delete(f"{_BASE}/{self.namespace}/{plural}/{name}")

    def gone(self, plural: str, name: str, seconds: float = 20.0) -> None:
        eventually(lambda: self.get(plural, name) is None, f"{plural}/{name} is gone", seconds)

    def secret(self, name: str, **values: str) -> None:
        metadata = {"name": name, "namespace": self.namespace}
        kind = {"apiVersion": "v1", "kind": "Secret"}
        self.api.apply({**kind, "metadata": {**metadata}, "stringData": {**values}})

    def condition(
        self, plural: str, name: str, kind: str, reason: str, seconds: float = 20.0
    ) -> Any:
        """The condition, once it has that reason for the newest generation."""

        def look() -> Any | None:
            found = self.get(plural, name) or {}
            wanted = found.get("metadata", {}).get("generation")
            here = found.get("status", {}).get("conditions", [])
            one = next((c for c in here if c["type"] == kind), None)
            fits = one and one["reason"] == reason and one["observedGeneration"] == wanted
            return one if fits else None

        try:
            return eventually(look, f"{plural}/{name} {kind} {reason}", seconds)
        except AssertionError as error:
            logs = "\n".join(p.text[-2000:] for p in self.programs)
            raise AssertionError(f"{error}\n{self.said(plural, name)}\n{logs}") from None

    def said(self, plural: str, name: str) -> Any:
        return ((self.get(plural, name) or {}).get("status") or {}).get("conditions")

    def ready(self, plural: str, name: str, seconds: float = 20.0) -> Any:
        return self.condition(plural, name, "Ready", "Ready", seconds)

    async def client(self) -> Client:
        return await connect(TemporalSettings(address=self.temporal))

    async def schedule(self, name: str) -> FoundSchedule | None:
        schedules = Schedules(await self.client(), self.namespace)
        return await schedules.find(resource_schedule_id(self.namespace, name))


def _paths(changes: dict[str, object]) -> dict[str, object]:
    return {key.replace("__", "."): value for key, value in changes.items()}
