"""The secrets that an enterprise names, checked, and given to the worker, which has no Kubernetes token.

One secret an enterprise in the installation's namespace; its keys are the names of the worker's files. What was
projected is remembered by digest only. Values go from one secret to the other and nowhere else.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final

from xnovu.core.api.v1alpha1 import Enterprise
from xnovu.core.plan import Problem
from xnovu.core.reasons import Reason
from xnovu_operator.api import KubernetesApi
from xnovu_operator.store import Key

LABELS: Final = {"xnovu.io/credentials": "true", "app.kubernetes.io/managed-by": "xnovu-operator"}
_KEYS: Final = {"supabase": ("url", "serviceRoleKey"), "novu": ("apiUrl", "secretKey")}


@dataclass(slots=True)
class Projection:
    """Reads and writes; decides only what a secret lacks."""

    kubernetes: KubernetesApi
    namespace: str
    _digests: dict[Key, str] = field(default_factory=dict)
    _values: dict[Key, dict[str, str]] = field(default_factory=dict)

    async def look(self, found: Enterprise) -> tuple[Problem | None, bool]:
        """What is wrong with the secrets, and whether the projection holds what they hold now."""
        key = _key(found)
        wanted: dict[str, str] = {}
        spec = found.spec
        for system, given in (("supabase", spec.supabase), ("novu", spec.novu)):
            if given is None:
                continue
            name = given.secret_ref.name
            values = await self.kubernetes.secret(found.metadata.namespace, name)
            problem = _wrong(system, name, values)
            if problem is not None:
                return problem, False
            for item in _KEYS[system]:
                wanted[f"{spec.enterprise_id}.{system}.{item}"] = (values or {})[item]
        self._values[key] = wanted
        if not wanted:
            return None, True
        return None, self._digests.get(key) == _digest(wanted)

    async def project(self, found: Enterprise) -> None:
        """Idempotent; an unchanged secret is not written by the API server."""
        key = _key(found)
        wanted = self._values.get(key, {})
        if wanted:
            await self.kubernetes.apply_secret(self.namespace, _name(found), LABELS, wanted)
            self._digests[key] = _digest(wanted)

    async def remove(self, found: Enterprise) -> None:
        """Idempotent."""
        # Also without a name in the spec: one may have stood there before.
        await self.kubernetes.delete_secret(self.namespace, _name(found))
        self.forget(_key(found))

    def forget(self, key: Key) -> None:
        self._digests.pop(key, None)
        self._values.pop(key, None)


def _key(found: Enterprise) -> Key:
    return Key("Enterprise", found.metadata.namespace, found.metadata.name)


def _name(found: Enterprise) -> str:
    return f"xnovu-credentials-{found.spec.enterprise_id}"


def _digest(values: dict[str, str]) -> str:
    return hashlib.sha256(repr(sorted(values.items())).encode()).hexdigest()


def _wrong(system: str, name: str, values: dict[str, str] | None) -> Problem | None:
    keys = _KEYS[system]
    if values is None:
        return Problem(
            Reason.SECRET_NOT_FOUND,
            f"spec.{system} names the secret {name!r}, which is not in this namespace: create it with the keys"
            f" {keys[0]} and {keys[1]}",
        )
    missing = [k for k in keys if not values.get(k, "").strip()]
    if missing:
        return Problem(
            Reason.SECRET_INVALID,
            f"the secret {name!r} lacks {' and '.join(missing)}: add what is missing",
        )
    if not values[keys[0]].strip().startswith(("http://", "https://")):
        return Problem(
            Reason.SECRET_INVALID,
            f"{keys[0]} of the secret {name!r} is no http or https address: correct it",
        )
    return None
