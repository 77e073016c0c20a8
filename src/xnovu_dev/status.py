"""`xnovu status`: what of the stack runs, where it is, and how its enterprises are.

Asks the processes themselves and the Kubernetes API. Called by the command line; exits 1 where something is down.
"""

from pathlib import Path

import httpx
from pydantic import JsonValue
from rich.console import Console

from xnovu.printing import print_data, print_table
from xnovu_dev import environment
from xnovu_dev.kubernetes import KubernetesApi, Manifest
from xnovu_dev.problems import StackError
from xnovu_dev.stack import load
from xnovu_dev.state import ProcessPart, Stack

_LISTS = ("enterprises", "notificationrules")


def show(given: Path | None, output: str) -> int:
    """Print it; answers the exit code."""
    home = environment.home(given, environment.inherited())
    stack = load(home)
    if stack is None:
        Console(stderr=True).print(f"nothing runs in {home}: `make up` starts it", highlight=False)
        return 1
    components = _components(stack)
    objects = _objects(stack)
    down = [name for name, (state, _) in components.items() if state != "ready"]
    if output == "table":
        print_table(
            ("COMPONENT", "STATE", "WHERE"), [(n, s, w) for n, (s, w) in components.items()]
        )
        Console().print()
        print_table(("OBJECT", "READY", "REASON", "MESSAGE"), objects)
    else:
        document: dict[str, JsonValue] = {
            "components": {n: {"state": s, "where": w} for n, (s, w) in components.items()},
            "objects": [
                dict(zip(("object", "ready", "reason", "message"), o, strict=True)) for o in objects
            ],
        }
        print_data(document, "json" if output == "json" else "yaml")
    return 1 if down else 0


def _components(stack: Stack) -> dict[str, tuple[str, str]]:
    found = {
        "kubernetes": (_state(_kubernetes(stack)), str(stack.kubeconfig)),
        "temporal": (_state(_answers(stack.temporal.ui)), stack.temporal.ui),
        "supabase": (_state(_answers(f"{stack.supabase.url}/rest/v1/")), stack.supabase.url),
        "novu": (_state(_answers(stack.novu.inbox)), stack.novu.inbox),
    }
    for name, part in (("operator", stack.operator), ("worker", stack.worker)):
        if part is not None:
            found[name] = (_state(_healthy(part)), part.metrics)
    return found


def _state(up: bool) -> str:  # noqa: FBT001 - the one thing that it is about
    return "ready" if up else "down"


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=3).status_code < httpx.codes.INTERNAL_SERVER_ERROR
    except httpx.HTTPError:
        return False


def _healthy(part: ProcessPart) -> bool:
    try:
        return httpx.get(part.health, timeout=3).is_success
    except httpx.HTTPError:
        return False


def _kubernetes(stack: Stack) -> bool:
    api = KubernetesApi(stack.kubeconfig)
    try:
        api.get("/api")
    except StackError:
        return False
    else:
        return True
    finally:
        api.close()


def _objects(stack: Stack) -> list[tuple[str, str, str, str]]:
    api = KubernetesApi(stack.kubeconfig)
    try:
        found = [
            _row(plural, item)
            for plural in _LISTS
            for item in _items(api.get(f"/apis/xnovu.io/v1alpha1/{plural}"))
        ]
    except StackError:
        return []
    finally:
        api.close()
    return found


def _items(answer: Manifest) -> list[Manifest]:
    found = answer.get("items")
    return [i for i in found if isinstance(i, dict)] if isinstance(found, list) else []


def _row(plural: str, item: Manifest) -> tuple[str, str, str, str]:
    metadata, status = item["metadata"], item.get("status")
    name = (
        f"{plural}/{metadata['namespace']}/{metadata['name']}"
        if isinstance(metadata, dict)
        else plural
    )
    conditions = status.get("conditions") if isinstance(status, dict) else None
    for condition in conditions if isinstance(conditions, list) else ():
        if isinstance(condition, dict) and condition.get("type") == "Ready":
            return (
                name,
                str(condition["status"]),
                str(condition["reason"]),
                str(condition["message"]),
            )
    return name, "Unknown", "", "not seen by the operator yet"
