"""The few calls of the Kubernetes API that the stack and its demo need, over httpx: apply, get, list, delete.

Not the operator's client. Server-side apply, so that a second apply of the same is no change (Kubernetes reference,
"Server-Side Apply"). Resource names come from the server's own discovery.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import httpx
from pydantic import JsonValue, TypeAdapter

from xnovu_dev import kubeconfig
from xnovu_dev.problems import StackError

Manifest = dict[str, JsonValue]

TIMEOUT_SECONDS: Final = 15.0
FIELD_MANAGER: Final = "xnovu-dev"
_OBJECT: Final = TypeAdapter(dict[str, JsonValue])


class KubernetesApi:
    """One API server, as the user of one kubeconfig. Close it."""

    def __init__(self, config: Path) -> None:
        access = kubeconfig.read(config)
        self._http = httpx.Client(
            base_url=access.server, verify=access.tls, timeout=TIMEOUT_SECONDS, trust_env=False
        )
        self._resources: dict[tuple[str, str], tuple[str, bool]] = {}

    def close(self) -> None:
        self._http.close()

    def apply(self, manifest: Mapping[str, JsonValue]) -> Manifest:
        """Server-side apply; the stored object. Idempotent. Raises StackError with the server's words."""
        return self._call(
            "PATCH",
            self._path(manifest),
            params={"fieldManager": FIELD_MANAGER, "force": "true", "fieldValidation": "Strict"},
            headers={"Content-Type": "application/apply-patch+yaml"},
            json=dict(manifest),
        )

    def get(self, path: str) -> Manifest:
        """The JSON answer to a GET of any path."""
        return self._call("GET", path)

    def delete(self, manifest: Mapping[str, JsonValue]) -> None:
        """Ask for its deletion; nothing when it is not there."""
        self._call("DELETE", self._path(manifest), missing_is_fine=True)

    def _path(self, manifest: Mapping[str, JsonValue]) -> str:
        version, kind = str(manifest["apiVersion"]), str(manifest["kind"])
        metadata = manifest["metadata"]
        if not isinstance(metadata, dict):
            raise StackError(f"a {kind} without metadata")
        base = f"/apis/{version}" if "/" in version else f"/api/{version}"
        plural, namespaced = self._resource(base, kind)
        if namespaced:
            base += f"/namespaces/{metadata.get('namespace', 'default')}"
        return f"{base}/{plural}/{metadata['name']}"

    def _resource(self, base: str, kind: str) -> tuple[str, bool]:
        if (base, kind) not in self._resources:
            resources = self.get(base)["resources"]
            for found in resources if isinstance(resources, list) else ():
                if isinstance(found, dict) and "/" not in str(found["name"]):
                    named = (str(found["name"]), bool(found["namespaced"]))
                    self._resources[base, str(found["kind"])] = named
        try:
            return self._resources[base, kind]
        except KeyError:
            raise StackError(f"the API server knows no {kind} in {base}") from None

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        json: JsonValue = None,
        missing_is_fine: bool = False,
    ) -> Manifest:
        try:
            answer = self._http.request(method, path, params=params, headers=headers, json=json)
        except httpx.HTTPError as error:
            raise StackError(f"the API server did not answer {method} {path}: {error!r}") from None
        if answer.status_code == httpx.codes.NOT_FOUND and missing_is_fine:
            return {}
        if answer.is_error:
            raise StackError(f"{method} {path}: {answer.status_code} {_message(answer)}")
        return _OBJECT.validate_json(answer.content)


def _message(answer: httpx.Response) -> str:
    try:
        return str(_OBJECT.validate_json(answer.content).get("message", ""))
    except ValueError:
        return answer.text[:400]
