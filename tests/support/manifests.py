"""Smallest objects of both kinds, and ways to change them, for tests of the schema, the models and the operator."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

Manifest = dict[str, Any]

ABSENT: object = object()
"""Given as a value: the field is taken away."""


def enterprise(name: str = "acme", namespace: str = "default") -> Manifest:
    return {
        "apiVersion": "xnovu.io/v1alpha1",
        "kind": "Enterprise",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"enterpriseId": "6f1c2a9e-4b7d-4c35-9a58-1d2e3f4a5b6c"},
    }


def rule(name: str = "bell", namespace: str = "default") -> Manifest:
    return {
        "apiVersion": "xnovu.io/v1alpha1",
        "kind": "NotificationRule",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "enterpriseRef": {"name": "acme"},
            "schedule": {"cron": "0 8 * * 1-5"},
            "notification": {"workflow": "welcome", "recipients": ["ada"]},
        },
    }


def changed(manifest: Manifest, changes: Mapping[str, object]) -> Manifest:
    """A copy with other values: `{"spec.schedule.at": "…", "spec.schedule.cron": ABSENT}`."""
    copy = deepcopy(manifest)
    for path, value in changes.items():
        *parents, last = path.split(".")
        node = copy
        for parent in parents:
            node = node.setdefault(parent, {})
        if value is ABSENT:
            node.pop(last, None)
        else:
            node[last] = value
    return copy
