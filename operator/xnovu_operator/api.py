"""The few calls of the Kubernetes API that the operator makes itself; watching is kopf's.

kopf would keep its own state in annotations, so status, finalizers and projected secrets are written here, and only
when they change. An HTTP client is enough: the official one costs more memory than the rest of the operator. Called by
`xnovu_operator.reconcile`, `xnovu_operator.act` and `xnovu_operator.credentials`.
"""

import base64
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import kopf
from pydantic import JsonValue, TypeAdapter

from xnovu.core.api.v1alpha1 import API_VERSION, GROUP, VERSION
from xnovu.core.errors import Unavailable, clip

Object = dict[str, JsonValue]
# Its members are not looked into: pydantic follows JSON 255 levels only, and one object that is deeper must cost no other anything.
_OBJECT: Final[TypeAdapter[Object]] = TypeAdapter(dict[str, Any])
_TIMEOUT: Final = 10.0
_MERGE: Final = "application/merge-patch+json"
_APPLY: Final = "application/apply-patch+yaml"
_MANAGER: Final = "xnovu-operator"
_PAGE: Final = "500"
_ATTEMPTS: Final = 3


class KubernetesUnavailable(Unavailable):
    """The API server did not answer, or refused what we have the right to."""

    reason = "KubernetesUnavailable"


class _Changed(KubernetesUnavailable):
    """Somebody has changed the object since we read it."""


class KubernetesApi:
    """One API server. Not thread-safe; all calls from one event loop."""

    def __init__(self, connect: Callable[[], kopf.ConnectionInfo]) -> None:
        """`connect` is asked again when the token is refused: those of service accounts are replaced every hour."""
        self._connect = connect
        connection = connect()
        self._http = httpx.AsyncClient(
            base_url=connection.server,
            verify=connection.as_ssl_context(),
            headers=connection.as_http_headers(),
            timeout=_TIMEOUT,
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def cluster_id(self) -> str:
        """UID of the namespace kube-system; stable as long as the cluster is."""
        found = await self._call("GET", "/api/v1/namespaces/kube-system")
        return str(_mapping(found, "metadata").get("uid", "")) if found else ""

    async def every(self, plural: str, namespaces: Sequence[str]) -> AsyncIterator[Object]:
        """All objects of one of our kinds, page by page; no namespaces: those of all."""
        for scope in [f"/namespaces/{n}" for n in namespaces] or [""]:
            params = {"limit": _PAGE}
            while True:
                path = f"/apis/{GROUP}/{VERSION}{scope}/{plural}"
                page = await self._call("GET", path, params=params) or {}
                items = page.get("items")
                for item in items if isinstance(items, list) else []:
                    yield _OBJECT.validate_python(item)
                more = _mapping(page, "metadata").get("continue")
                if not more:
                    break
                params["continue"] = str(more)

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

    async def patch_status(
        self, plural: str, namespace: str, name: str, status: Object
    ) -> Object | None:
        """Merge into the status; answers the object as it is then, None when it is gone."""
        path = f"{_path(plural, namespace, name)}/status"
        return await self._call("PATCH", path, {"status": status}, kind=_MERGE)

    async def set_finalizers(
        self,
        plural: str,
        namespace: str,
        name: str,
        uid: str,
        change: Callable[[list[str]], list[str]],
    ) -> None:
        """Change the list as it is now; what others write meanwhile is kept. Idempotent, and nothing for one that is gone."""
        path = _path(plural, namespace, name)
        for attempt in range(_ATTEMPTS):
            found = await self._call("GET", path)
            metadata = _mapping(found or {}, "metadata")
            if metadata.get("uid") != uid:
                return
            given = metadata.get("finalizers")
            present = [str(f) for f in given] if isinstance(given, list) else []
            wanted = change(present)
            if wanted == present:
                return
            changed: Object = {
                "finalizers": list(wanted),
                "resourceVersion": metadata.get("resourceVersion"),
            }
            try:
                await self._call("PATCH", path, {"metadata": changed}, kind=_MERGE)
            except _Changed:
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                return

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
        headers = {"Content-Type": kind} if body else None
        try:
            answer = await self._http.request(
                method, path, json=body, params=params, headers=headers
            )
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                self._http.headers.update(self._connect().as_http_headers())
                answer = await self._http.request(
                    method, path, json=body, params=params, headers=headers
                )
        except httpx.TransportError as error:
            raise KubernetesUnavailable(
                f"the Kubernetes API did not answer ({type(error).__name__})"
            ) from None
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if answer.is_error:
            failure = _Changed if answer.status_code == httpx.codes.CONFLICT else None
            raise (failure or KubernetesUnavailable)(
                f"the Kubernetes API answered {answer.status_code}: {_message(answer)}"
            )
        return _OBJECT.validate_python(json.loads(answer.content))


def _message(answer: httpx.Response) -> str:
    """What is wrong, in the API server's words; what stands before it may not answer JSON."""
    try:
        return clip(str(_OBJECT.validate_python(json.loads(answer.content)).get("message", "")))
    except ValueError:
        return clip(answer.text)


def _path(plural: str, namespace: str, name: str) -> str:
    return f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{plural}/{name}"


def _mapping(value: Object, key: str) -> Object:
    inner = value.get(key)
    return inner if isinstance(inner, dict) else {}
