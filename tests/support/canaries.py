"""Strings that a test plants, and the search for them in all that Temporal keeps: raw, decoded from base64, and as text.

A search that finds nothing proves something only where it could have found it: `seen_in` is tried on planted text too.
"""

import base64
import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Final

from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.history.v1 import History
from temporalio.api.workflowservice.v1 import (
    DescribeScheduleRequest,
    DescribeWorkflowExecutionRequest,
    GetWorkflowExecutionHistoryRequest,
    ListSchedulesRequest,
    ListWorkflowExecutionsRequest,
)
from temporalio.client import Client

_BASE64: Final = re.compile(r"^[A-Za-z0-9+/]{12,}={0,2}$")


def seen_in(text: str, canaries: Iterable[str]) -> set[str]:
    """The canaries that stand in a text: as they are, in JSON's spelling, or in base64 at any of its three offsets."""
    return {c for c in canaries if any(form in text for form in forms(c))}


def forms(canary: str) -> set[str]:
    found = {canary, json.dumps(canary)[1:-1]}
    for offset in range(3):
        coded = base64.b64encode(b" " * offset + canary.encode()).decode()
        # What stands beside it decides the first and the last characters.
        inner = coded[{0: 0, 1: 2, 2: 3}[offset] :].rstrip("=")
        found.add(inner[:-1] if len(inner) > 8 else inner)
    return found


def as_text(message: Message) -> str:
    """Everything of a message: its bytes as they are, and as JSON with all base64 decoded."""
    return (
        message.SerializeToString().decode("latin-1")
        + message.SerializeToString().decode("utf-8", "ignore")
        + json.dumps(_opened(MessageToDict(message)), ensure_ascii=False)
    )


async def opened_history(client: Client, workflow_id: str, run_id: str) -> str:
    """A run's history with every encrypted payload opened, as who has the keys reads it."""
    codec = client.data_converter.payload_codec
    assert codec is not None
    handle = client.get_workflow_handle(workflow_id, run_id=run_id)
    history = MessageToDict(History(events=(await handle.fetch_history()).events))
    sealed = list(_sealed(history))
    parsed = [ParseDict(item, Payload()) for item in sealed]
    found = await codec.decode(parsed)
    return json.dumps(_opened(history)) + "".join(as_text(payload) for payload in found)


def _sealed(value: object) -> Iterator[dict[str, object]]:
    if isinstance(value, dict):
        metadata = value.get("metadata")
        if isinstance(metadata, dict) and "encryption-key-id" in metadata:
            yield value
        for item in value.values():
            yield from _sealed(item)
    elif isinstance(value, list):
        for item in value:
            yield from _sealed(item)


def _opened(value: object) -> object:
    if isinstance(value, dict):
        return {key: _opened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_opened(item) for item in value]
    if isinstance(value, str) and _BASE64.match(value):
        try:
            return [value, base64.b64decode(value).decode("utf-8", "ignore")]
        except ValueError:
            return value
    return value


async def workflows_in(client: Client, query: str) -> AsyncIterator[tuple[str, str]]:
    """The name and the text of each run: its listing, its description and its whole history."""
    api, token = client.workflow_service, b""
    while True:
        page = await api.list_workflow_executions(
            ListWorkflowExecutionsRequest(
                namespace=client.namespace, query=query, next_page_token=token
            )
        )
        for item in page.executions:
            text = as_text(item) + await _run_of(client, item.execution)
            yield f"{item.type.name} {item.execution.workflow_id}", text
        token = page.next_page_token
        if not token:
            return


async def _run_of(client: Client, execution: WorkflowExecution) -> str:
    api, parts, token = client.workflow_service, [], b""
    described = await api.describe_workflow_execution(
        DescribeWorkflowExecutionRequest(namespace=client.namespace, execution=execution)
    )
    parts.append(as_text(described))
    while True:
        page = await api.get_workflow_execution_history(
            GetWorkflowExecutionHistoryRequest(
                namespace=client.namespace, execution=execution, next_page_token=token
            )
        )
        parts.append(as_text(page.history))
        token = page.next_page_token
        if not token:
            return "".join(parts)


async def schedules_in(client: Client, query: str) -> AsyncIterator[tuple[str, str]]:
    """The name and the text of each Schedule: its listing and its description."""
    api = client.workflow_service
    page = await api.list_schedules(
        ListSchedulesRequest(namespace=client.namespace, query=query, maximum_page_size=1000)
    )
    for item in page.schedules:
        described = await api.describe_schedule(
            DescribeScheduleRequest(namespace=client.namespace, schedule_id=item.schedule_id)
        )
        yield f"Schedule {item.schedule_id}", as_text(item) + as_text(described)
