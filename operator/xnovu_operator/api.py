"""The few calls of the Kubernetes API that the operator makes itself; watching is kopf's.

kopf would keep its own state in annotations, so status, finalizers and projected secrets are written here, and only
when they change. An HTTP client is enough: the official one costs more memory than the rest of the operator. Called by
`xnovu_operator.observe` and `xnovu_operator.act`.
"""

import base64
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
import kopf
from pydantic import JsonValue, TypeAdapter

from xnovu.core.api.v1alpha1 import API_VERSION, GROUP, VERSION
from xnovu.core.errors import Unavailable, clip
from xnovu.core.ids import FINALIZER

Object = dict[str, JsonValue]
_OBJECT: Final = TypeAdapter(Object)
_TIMEOUT: Final = 10.0
_MERGE: Final = "application/merge-patch+json"
_APPLY: Final = "application/apply-patch+yaml"
_MANAGER: Final = "xnovu-operator"


class KubernetesUnavailable(Unavailable):
    """The API server did not answer, or refused what we have the right to."""

    reason = "KubernetesUnavailable"


class KubernetesApi:
    """One API server. Not thread-safe; all calls from one event loop."""

    def __init__(self, connection: kopf.ConnectionInfo) -> None:
        self._http = httpx.AsyncClient(
            base_url=connection.server,
            verify=_context(connection),
            headers=_headers(connection),
            timeout=_TIMEOUT,
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def cluster_id(self) -> str:
        """UID of the namespace kube-system; stable as long as the cluster is."""
        found = await self._call("GET", "/api/v1/namespaces/kube-system")
        return str(_mapping(found, "metadata").get("uid", "")) if found else ""

    async def secret(self, namespace: str, name: str) -> dict[str, str] | None:
        """Decoded values by key; None: there is none. Never log what comes back."""
        found = await self._call("GET", f"/api/v1/namespaces/{namespace}/secrets/{name}")
        if found is None:
            return None
        data = _mapping(found, "data")
        return {k: base64.b64decode(str(v)).decode("utf-8", "replace") for k, v in data.items()}

    async def apply_secret(
        self, namespace: str, name: str, labels: Mapping[str, str], values: Mapping[str, str]
    ) -> None:
        """Server-side apply; the same values again change nothing."""
        data: dict[str, JsonValue] = {
            k: base64.b64encode(v.encode()).decode() for k, v in values.items()
        }
        body: Object = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": namespace, "labels": dict(labels)},
            "data": data,
        }
        path = f"/api/v1/namespaces/{namespace}/secrets/{name}"
        await self._call(
            "PATCH", path, body, kind=_APPLY, params={"fieldManager": _MANAGER, "force": "true"}
        )

    async def delete_secret(self, namespace: str, name: str) -> None:
        """Idempotent."""
        await self._call("DELETE", f"/api/v1/namespaces/{namespace}/secrets/{name}")

    async def patch_status(self, plural: str, namespace: str, name: str, status: Object) -> None:
        """Merge into the status. Gone objects need none."""
        path = f"{_path(plural, namespace, name)}/status"
        await self._call("PATCH", path, {"status": status}, kind=_MERGE)

    async def set_finalizers(
        self, plural: str, namespace: str, name: str, finalizers: list[str], version: str
    ) -> None:
        """Replace the list; refused by the API server (and tried again) when somebody else has changed the object."""
        body: Object = {"metadata": {"finalizers": list(finalizers), "resourceVersion": version}}
        await self._call("PATCH", _path(plural, namespace, name), body, kind=_MERGE)

    async def event(
        self, about: Mapping[str, str], kind: str, reason: str, message: str, *, warning: bool
    ) -> None:
        """Say a transition where `kubectl describe` shows it."""
        now = datetime.now(UTC)
        stamp = f"{now:%Y-%m-%dT%H:%M:%SZ}"
        namespace = about["namespace"]
        body: Object = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{about['name'][:50]}.", "namespace": namespace},
            "involvedObject": {"apiVersion": API_VERSION, "kind": kind, **about},
            "reason": reason,
            "message": clip(message, 1000),
            "type": "Warning" if warning else "Normal",
            "source": {"component": _MANAGER},
            "firstTimestamp": stamp,
            "lastTimestamp": stamp,
            "count": 1,
        }
        await self._call("POST", f"/api/v1/namespaces/{namespace}/events", body)

    async def _call(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        *,
        kind: str = "application/json",
        params: dict[str, str] | None = None,
    ) -> Object | None:
        try:
            answer = await self._http.request(
                method,
                path,
                json=body,
                params=params,
                headers={"Content-Type": kind} if body else None,
            )
        except httpx.TransportError as error:
            raise KubernetesUnavailable(
                f"the Kubernetes API did not answer ({type(error).__name__})"
            ) from None
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if answer.is_error:
            message = clip(str(_OBJECT.validate_json(answer.content).get("message", "")))
            raise KubernetesUnavailable(
                f"the Kubernetes API answered {answer.status_code}: {message}"
            )
        return _OBJECT.validate_json(answer.content)


def finalizers_with(present: tuple[str, ...]) -> list[str]:
    return [*present, FINALIZER]


def finalizers_without(present: tuple[str, ...]) -> list[str]:
    return [f for f in present if f != FINALIZER]


def _path(plural: str, namespace: str, name: str) -> str:
    return f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{plural}/{name}"


def _mapping(value: Object, key: str) -> Object:
    inner = value.get(key)
    return inner if isinstance(inner, dict) else {}


def _headers(connection: kopf.ConnectionInfo) -> dict[str, str]:
    if not connection.token:
        return {}
    return {"Authorization": f"{connection.scheme or 'Bearer'} {connection.token}"}


def _context(connection: kopf.ConnectionInfo) -> ssl.SSLContext:
    """The trust and the client certificate of a connection; files may be given as base64."""
    data = connection.ca_data
    authority = (
        (data if isinstance(data, bytes) else base64.b64decode(data)).decode() if data else None
    )
    context = ssl.create_default_context(
        cafile=str(connection.ca_path) if connection.ca_path else None, cadata=authority
    )
    if connection.certificate_path and connection.private_key_path:
        context.load_cert_chain(
            Path(str(connection.certificate_path)), Path(str(connection.private_key_path))
        )
    return context
