"""A few calls of a real Kubernetes API, for tests. What is refused is raised with the API server's own words."""

import json
from pathlib import Path
from typing import Any

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from support.manifests import Manifest

GROUP, VERSION = "xnovu.io", "v1alpha1"
PLURALS = {"Enterprise": "enterprises", "NotificationRule": "notificationrules"}


class Refused(Exception):
    """The API server said no. `causes`: field and message of each cause."""

    def __init__(self, error: ApiException) -> None:
        answer = json.loads(error.body or "{}")
        causes = answer.get("details", {}).get("causes", [])
        self.code: int = error.status
        self.causes = [(cause.get("field", ""), cause["message"]) for cause in causes]
        super().__init__(answer.get("message", str(error)))


class KubeApi:
    """One kubeconfig's API server."""

    def __init__(self, kubeconfig: Path) -> None:
        # The client ships without types.
        self._client: client.ApiClient = config.new_client_from_config(str(kubeconfig))  # type: ignore[no-untyped-call]
        self._objects = client.CustomObjectsApi(self._client)

    def close(self) -> None:
        self._client.close()  # type: ignore[no-untyped-call]

    def create(self, manifest: Manifest, *, dry_run: bool = False) -> Manifest:
        """Create it; `dry_run`: everything is checked and nothing is stored."""
        return self._call(
            self._objects.create_namespaced_custom_object,
            manifest,
            manifest,
            field_validation="Strict",
            **({"dry_run": "All"} if dry_run else {}),
        )

    def replace(self, manifest: Manifest) -> Manifest:
        name = manifest["metadata"]["name"]
        return self._call(self._objects.replace_namespaced_custom_object, manifest, name, manifest)

    def patch_status(self, manifest: Manifest, status: Manifest) -> Manifest:
        name, body = manifest["metadata"]["name"], {"status": status}
        return self._call(self._objects.patch_namespaced_custom_object_status, manifest, name, body)

    def delete(self, manifest: Manifest) -> Manifest:
        name = manifest["metadata"]["name"]
        return self._call(self._objects.delete_namespaced_custom_object, manifest, name)

    def get(self, path: str, accept: str = "application/json") -> Any:
        """The JSON answer to a GET of any path."""
        request = self._client.param_serialize(
            "GET", path, header_params={"Accept": accept}, auth_settings=["BearerToken"]
        )
        answer = self._client.call_api(*request)
        return json.loads(answer.read())  # type: ignore[no-untyped-call]

    def _call(self, call: Any, manifest: Manifest, *args: object, **options: object) -> Manifest:
        namespace, plural = manifest["metadata"]["namespace"], PLURALS[manifest["kind"]]
        try:
            stored: Manifest = call(GROUP, VERSION, namespace, plural, *args, **options)
        except ApiException as error:
            raise Refused(error) from None
        return stored
