"""Poison rows, F22 of the matrix: what can never be delivered ends FAILED with its reason, and costs its batch nothing."""

import json
from typing import Final
from uuid import uuid4

from pydantic import JsonValue

from xnovu_dev.faults.case import Case
from xnovu_dev.faults.rows import Wanted
from xnovu_dev.faults.site import Site

BOUND: Final = 10.0
HEALTHY: Final = 30
LARGE: Final = 3 * 1024 * 1024
_SCHEMA: Final = {
    "type": "object",
    "required": ["amount"],
    "properties": {"amount": {"type": "integer"}},
}
_BAD_SCHEMA: Final = {"type": "object", "properties": {"amount": {"type": "no such type"}}}


async def poison(site: Site) -> None:
    """All kinds of poison and thirty healthy rows in one statement, and a neighbour's rows beside it."""
    wanted = [*await _poisoned(site), *[Wanted()] * HEALTHY]
    planted = await site.plant_all(site.victim, wanted)
    await site.plant(site.neighbours[0], HEALTHY)
    site.mended()
    await site.ends(2 * BOUND)
    forged = {who for row in planted if row.wanted.payload.get("name") for who in row.recipients}
    subjects = await site.world.ledger.subjects(forged)
    if any("\r" in text or "\n" in text for text in subjects):
        site.notes.append("a line break in a subject was sent")
    if not subjects:
        site.notes.append("no subject was sent")


async def _poisoned(site: Site) -> list[Wanted]:
    world, mark = site.world, uuid4().hex[:8]

    async def workflow(name: str, **columns: object) -> int:
        return await world.publish(f"poison-{name}-{mark}", **columns)

    async def rendered(name: str, body: str, subject: str | None = None) -> int:
        key = f"poison-{name}-{mark}"
        await world.sql.run(
            "insert into notify.ent_notification_template (name, template_key, channel_type,"
            " subject_template, body_template, publish_status)"
            " values (%s, %s, 'IN_APP', %s, %s, 'PUBLISH')",
            key, key, subject, body,
        )  # fmt: skip
        overrides = json.dumps({"inAppTemplateId": key})
        return await workflow(name, workflow_type="DYNAMIC", template_overrides=overrides)

    strict = await workflow("strict", payload_schema=json.dumps(_SCHEMA))
    broken = await workflow("schema", payload_schema=json.dumps(_BAD_SCHEMA))
    unknown = await workflow("unknown")
    undefined = await rendered("undefined", "Dear {{ nobody.name }}")
    endless = await rendered(
        "endless",
        "{% for a in x %}{% for b in x %}{% for c in x %}{% for d in x %}.{% endfor %}{% endfor %}{% endfor %}{% endfor %}",
    )
    forged = await rendered("subject", "Hello", "Hello {{ name }}")
    numbers: list[JsonValue] = list(range(1000))
    forging: dict[str, JsonValue] = {"name": "you\r\nBcc: everybody@example.org"}

    def bad(what: str, reason: str, **more: object) -> Wanted:
        return Wanted(ends="FAILED", reason=reason, what=what, **more)  # type: ignore[arg-type]  # fields of Wanted

    return [
        bad("a payload against the schema", "ValidationError", workflow_id=strict, payload={"amount": "many"}),
        bad("a schema that is none", "ValidationError", workflow_id=broken, payload={"amount": 1}),
        bad("a name that is not defined", "TemplateError", workflow_id=undefined),
        bad("a template without an end", "TemplateError", workflow_id=endless, payload={"x": numbers}),
        bad("3 MB of payload", "ValidationError", payload={"text": "x" * LARGE}),
        bad("nobody to send to", "ValidationError", people=0),
        bad("a workflow that Novu does not know", "WorkflowNotFound", workflow_id=unknown),
        Wanted(what="line breaks in a subject", workflow_id=forged, payload=forging),
    ]  # fmt: skip


CASES: Final = (
    Case("F22", "poison", "eight kinds of poison among 30 healthy rows, one statement", BOUND, poison, quick_neighbours=BOUND),
)  # fmt: skip
