"""Workflows (v2): list, get, create, update, delete and sync, in the shapes of temporal-and-novu.md §2.2.

PUT makes the workflow where it is not there, which Novu does not: that is how examples are loaded again and again.
"""

from typing import Final

from aiohttp import web
from pydantic import JsonValue, ValidationError

from xnovu_dev.sandbox.catalogue import Step, Workflow, WorkflowBody
from xnovu_dev.sandbox.json_types import JsonObject, as_object
from xnovu_dev.sandbox.refusals import Refused, of_validation
from xnovu_dev.sandbox.web_support import environment, read_json, wrapped

_ORIGIN: Final = "novu-cloud"
_PREFERENCES: Final[JsonObject] = {
    "default": {"all": {"enabled": True, "readOnly": False}, "channels": {}},
    "user": None,
}


def _listed(workflow: Workflow) -> JsonObject:
    body = workflow.body
    kinds: list[JsonValue] = [step.type for step in body.steps]
    return {
        "_id": workflow.id,
        "workflowId": workflow.key,
        "slug": f"{workflow.key}_wf_{workflow.id}",
        "name": body.name,
        "tags": list(body.tags),
        "createdAt": workflow.created_at,
        "updatedAt": workflow.updated_at,
        "status": "ACTIVE" if body.active else "INACTIVE",
        "origin": _ORIGIN,
        "stepTypeOverviews": kinds,
        "steps": [
            {"slug": _slug(index, step), "type": step.type} for index, step in enumerate(body.steps)
        ],
    }


def _slug(index: int, step: Step) -> str:
    return f"{step.step_id or step.type}_st_{index}"


def _whole(workflow: Workflow) -> JsonObject:
    body = workflow.body
    return {
        **_listed(workflow),
        "description": body.description or "",
        "active": body.active,
        "severity": "none",
        "validatePayload": body.validate_payload,
        "payloadSchema": body.payload_schema,
        "preferences": _PREFERENCES,
        "steps": [_step(workflow, index, step) for index, step in enumerate(body.steps)],
    }


def _step(workflow: Workflow, index: int, step: Step) -> JsonObject:
    return {
        "_id": f"{workflow.id[:-2]}{index:02x}",
        "stepId": step.step_id or step.type,
        "slug": _slug(index, step),
        "name": step.name,
        "type": step.type,
        "origin": _ORIGIN,
        "workflowId": workflow.key,
        "workflowDatabaseId": workflow.id,
        "controls": {"values": step.control_values},
        "controlValues": step.control_values,
        "variables": {},
    }


def _found(request: web.Request) -> Workflow:
    key = request.match_info["workflowId"]
    workflow = environment(request).catalogue.get(key)
    if workflow is None:
        raise Refused(404, "Workflow cannot be found", extra={"ctx": {"workflowId": key}})
    return workflow


async def _body(request: web.Request, **given: str) -> WorkflowBody:
    raw: JsonObject = {**as_object(await read_json(request)), **given}
    try:
        return WorkflowBody.model_validate(raw)
    except ValidationError as error:
        raise of_validation(error) from None


async def search(request: web.Request) -> web.Response:
    """All of them, or those whose name or id holds `query`; `offset` and `limit` as in Novu."""
    query = request.query.get("query", "").lower()
    found = [
        workflow
        for workflow in environment(request).catalogue.all()
        if query in workflow.key.lower() or query in workflow.body.name.lower()
    ]
    try:
        offset = int(float(request.query.get("offset", "0")))
        limit = int(float(request.query.get("limit", "50")))
    except ValueError:
        raise Refused(422, "offset and limit must be numbers") from None
    shown: list[JsonValue] = [_listed(item) for item in found[offset : offset + limit]]
    return wrapped({"workflows": shown, "totalCount": len(found)})


async def get(request: web.Request) -> web.Response:
    return wrapped(_whole(_found(request)))


async def create(request: web.Request) -> web.Response:
    """201. Novu gives a second workflow of the same id another id; here it is refused with 409."""
    catalogue = environment(request).catalogue
    body = await _body(request)
    if catalogue.get(body.workflow_id):
        raise Refused(409, f"Workflow {body.workflow_id} exists already; use PUT")
    return wrapped(_whole(catalogue.put(body)), 201)


async def put(request: web.Request) -> web.Response:
    catalogue = environment(request).catalogue
    key = request.match_info["workflowId"]
    found = catalogue.get(key)
    body = await _body(request, workflowId=found.key if found else key)
    return wrapped(_whole(catalogue.put(body)))


async def sync(request: web.Request) -> web.Response:
    """Copies to another environment; there is one only, so the workflow is answered as it is."""
    return wrapped(_whole(_found(request)))


async def delete(request: web.Request) -> web.Response:
    environment(request).catalogue.delete(_found(request))
    return web.Response(status=204)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/v2/workflows", search),
        web.post("/v2/workflows", create),
        web.get("/v2/workflows/{workflowId}", get),
        web.put("/v2/workflows/{workflowId}", put),
        web.delete("/v2/workflows/{workflowId}", delete),
        web.put("/v2/workflows/{workflowId}/sync", sync),
    ]
