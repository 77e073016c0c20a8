"""What an installation puts into the Kubernetes API, here without Helm: CRDs, the namespace, the operator's rights.

The rights come from `xnovu_operator.permissions`, as the chart's do: what the operator may not do in production it may
not do here either. Called by the supervisor when the API server is ready; idempotent.
"""

import time
from typing import Final

import yaml
from pydantic import JsonValue, TypeAdapter

from xnovu_dev import assets
from xnovu_dev.kubernetes import KubernetesApi, Manifest
from xnovu_dev.problems import StackError

INSTALL_NAMESPACE: Final = "xnovu-system"
OPERATOR_USER: Final = "xnovu-operator"
ESTABLISHED_SECONDS: Final = 15.0
_RBAC: Final = "rbac.authorization.k8s.io"
_POLL_SECONDS: Final = 0.05


def install(api: KubernetesApi) -> None:
    """Apply everything and wait until the custom resources are served. Raises StackError."""
    definitions = read_definitions()
    for manifest in (*definitions, *namespaces(), *rights()):
        api.apply(manifest)
    deadline = time.monotonic() + ESTABLISHED_SECONDS
    for definition in definitions:
        while not _served(api, definition):
            if time.monotonic() > deadline:
                raise StackError("the API server does not serve the custom resources")
            time.sleep(_POLL_SECONDS)


def read_definitions() -> tuple[Manifest, ...]:
    """The CRDs as committed."""
    files = sorted(assets.path("crds").glob("*.yaml"))
    documents = [d for file in files for d in yaml.safe_load_all(file.read_text()) if d]
    return tuple(TypeAdapter(list[Manifest]).validate_python(documents))


def namespaces() -> tuple[Manifest, ...]:
    return ({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": INSTALL_NAMESPACE}},)


def rights() -> tuple[Manifest, ...]:
    """Roles and bindings of the operator's user."""
    # The operator's package is no part of what the stack needs to stop or to be looked at.
    from xnovu_operator.permissions import NAMESPACED_RULES, RULES  # noqa: PLC0415

    to_json = TypeAdapter(JsonValue)
    return (
        _role("ClusterRole", to_json.validate_python(RULES), None),
        _binding("ClusterRole", None),
        _role("Role", to_json.validate_python(NAMESPACED_RULES), INSTALL_NAMESPACE),
        _binding("Role", INSTALL_NAMESPACE),
    )


def _metadata(namespace: str | None) -> dict[str, JsonValue]:
    named: dict[str, JsonValue] = {"name": OPERATOR_USER}
    return named if namespace is None else {**named, "namespace": namespace}


def _role(kind: str, rules: JsonValue, namespace: str | None) -> Manifest:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": kind,
        "metadata": _metadata(namespace),
        "rules": rules,
    }


def _binding(kind: str, namespace: str | None) -> Manifest:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": f"{kind}Binding",
        "metadata": _metadata(namespace),
        "roleRef": {"apiGroup": _RBAC, "kind": kind, "name": OPERATOR_USER},
        "subjects": [{"apiGroup": _RBAC, "kind": "User", "name": OPERATOR_USER}],
    }


def _served(api: KubernetesApi, definition: Manifest) -> bool:
    spec = definition["spec"]
    if not isinstance(spec, dict) or not isinstance(names := spec["names"], dict):
        raise StackError("a CRD without names")
    versions = spec["versions"]
    if not isinstance(versions, list) or not isinstance(first := versions[0], dict):
        raise StackError("a CRD without versions")
    try:
        api.get(f"/apis/{spec['group']}/{first['name']}/{names['plural']}?limit=1")
    except StackError:
        return False
    return True
