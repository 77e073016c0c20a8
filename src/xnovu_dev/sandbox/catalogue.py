"""Workflows: what a trigger's name stands for, their steps, and the generic one for content rendered by XNovu.

Holds definitions as they were given (the format of Novu's v2 API, and of examples/01-first-enterprise); delivering
them is the worker's. Called by the workflow API, the trigger API and the worker.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from xnovu.core.ids import DYNAMIC_WORKFLOW_KEY
from xnovu.core.novu_workflow import dynamic_workflow
from xnovu_dev.sandbox import conditions
from xnovu_dev.sandbox.json_types import JsonObject, stamp
from xnovu_dev.sandbox.store import Store

_UNIT_SECONDS: Final = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}


class Step(BaseModel):
    """One step. A delay has `amount` and `unit` in its control values, a channel its content."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: Literal["in_app", "email", "sms", "push", "chat", "delay"]
    name: str = Field(min_length=1)
    step_id: str | None = Field(default=None, alias="stepId")
    control_values: JsonObject = Field(default_factory=dict, alias="controlValues")

    @model_validator(mode="after")
    def _can_be_run(self) -> Self:
        conditions.check(self.control_values.get("skip"))
        if self.type == "delay" and self.delay_seconds is None:
            raise ValueError("a delay needs controlValues.amount (a number) and .unit (seconds …)")
        return self

    @property
    def delay_seconds(self) -> float | None:
        amount = self.control_values.get("amount")
        unit = _UNIT_SECONDS.get(str(self.control_values.get("unit")))
        known = unit is not None and isinstance(amount, int | float) and amount >= 0
        return float(amount) * unit if known else None  # type: ignore[arg-type, operator]  # narrowed by `known`


class WorkflowBody(BaseModel):
    """A workflow as POST and PUT /v2/workflows take it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    workflow_id: Annotated[str, Field(min_length=1, alias="workflowId")]
    name: str = Field(min_length=1)
    description: str | None = None
    tags: tuple[str, ...] = ()
    active: bool = True
    steps: tuple[Step, ...]
    validate_payload: bool = Field(default=False, alias="validatePayload")
    payload_schema: JsonObject | None = Field(default=None, alias="payloadSchema")


@dataclass(frozen=True, slots=True)
class Workflow:
    """A stored workflow."""

    id: str
    body: WorkflowBody
    created_at: str
    updated_at: str

    @property
    def key(self) -> str:
        return self.body.workflow_id


class Catalogue:
    """The workflows of one environment; kept in memory as well, every trigger asks."""

    def __init__(
        self, store: Store, now: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        self._store = store
        self._now = now
        self._new_id = new_id
        self._known: dict[str, Workflow] = {}
        self.load()

    def load(self) -> None:
        """Read what is stored, and make sure of the generic workflow."""
        self._known = {
            row["workflow_id"]: Workflow(
                row["id"],
                WorkflowBody.model_validate_json(row["definition"]),
                row["created_at"],
                row["updated_at"],
            )
            for row in self._store.rows("SELECT * FROM workflows ORDER BY rowid")
        }
        if DYNAMIC_WORKFLOW_KEY not in self._known:
            self.put(WorkflowBody.model_validate(dynamic_workflow()))

    def get(self, key: str) -> Workflow | None:
        """By workflow id, or by Novu's internal id."""
        found = self._known.get(key)
        return found or next((w for w in self._known.values() if w.id == key), None)

    def all(self) -> list[Workflow]:
        return list(self._known.values())

    def put(self, body: WorkflowBody) -> Workflow:
        """Make or replace a workflow."""
        found = self._known.get(body.workflow_id)
        now = stamp(self._now())
        made = Workflow(
            found.id if found else self._new_id(), body, found.created_at if found else now, now
        )
        self._store.run(
            "INSERT INTO workflows VALUES (?, ?, ?, ?, ?) ON CONFLICT (workflow_id) DO UPDATE "
            "SET definition = excluded.definition, updated_at = excluded.updated_at",
            *(made.key, made.id, body.model_dump_json(by_alias=True), made.created_at, now),
        )
        self._known[made.key] = made
        return made

    def delete(self, workflow: Workflow) -> None:
        self._store.run("DELETE FROM workflows WHERE workflow_id = ?", workflow.key)
        self._known.pop(workflow.key, None)
