"""The rights that the operator needs on the Kubernetes API, and no more. Source of the chart's and the local stack's RBAC.

`RULES` hold wherever it watches, `NAMESPACED_RULES` in the namespace of the installation, where the credentials of
enterprises are projected for the worker.
"""

from typing import Final

PolicyRule = dict[str, list[str]]

RULES: Final[list[PolicyRule]] = [
    {
        "apiGroups": ["xnovu.io"],
        "resources": ["enterprises", "notificationrules"],
        "verbs": ["get", "list", "watch", "patch"],
    },
    {
        "apiGroups": ["xnovu.io"],
        "resources": ["enterprises/status", "notificationrules/status"],
        "verbs": ["patch"],
    },
    # Secrets that enterprises name; their values go into the projection and nowhere else.
    {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]},
    {"apiGroups": [""], "resources": ["events"], "verbs": ["create"]},
    # The UID of kube-system is the cluster's identity; kopf looks at the namespaces and definitions that it serves.
    {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "list", "watch"]},
    {
        "apiGroups": ["apiextensions.k8s.io"],
        "resources": ["customresourcedefinitions"],
        "verbs": ["get", "list", "watch"],
    },
]

NAMESPACED_RULES: Final[list[PolicyRule]] = [
    {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create", "patch", "delete"]},
]
