"""Rows of two tenants come mixed, some naming what is the other's: each ledger holds its own, and each recipient once."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from support.orchestration import a_config, apply, stop
from support.rows import Rows
from support.sandbox import SandboxProcess
from support.temporal import a_case, eventually
from support.tenants import OWN, Tenant, prepared, working

from xnovu.core.contracts.common import EnterpriseRef
from xnovu.core.ids import parse_transaction_id
from xnovu_dev.state import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(120)]

SEED = 20261124
ROWS = 60


def insert(one: Tenant, other: Tenant, number: int) -> tuple[int, bool]:
    """A row and whether it can be delivered: every third names the other's workflow, which is none for it."""
    wrong = number % 3 == 0
    workflow = other.workflow if wrong else one.workflow
    who = f"{one.case.enterprise.id}/{number}"
    return one.row(notification_workflow_id=workflow, subscribers=[who]), not wrong


async def test_no_row_of_one_is_in_the_ledger_of_the_other(
    servers: Stack,
    rows: Rows,
    tmp_path: Path,
    novu_sandbox: SandboxProcess,
    second_sandbox: SandboxProcess,
) -> None:
    case = await a_case(servers.temporal.address)
    other = rows.other()
    key = servers.supabase.service_role_key
    async with working(case, tmp_path):
        both = [
            prepared(
                replace(case, enterprise=EnterpriseRef(id=r.enterprise, supabase=OWN, novu=OWN)),
                r,
                tmp_path,
                sandbox,
                key,
            )
            for r, sandbox in ((rows, novu_sandbox), (other, second_sandbox))
        ]
        for tenant in both:
            tenant.write("supabase.url", servers.supabase.url)
        chance = random.Random(SEED)
        made: dict[int, bool] = {}
        for number in range(ROWS):
            one, two = chance.sample(both, 2)
            made.update([insert(one, two, number)])
        for tenant in both:
            await apply(tenant.case, a_config(tenant.case))

        async def ended() -> bool:
            return {rows.status(n) for n in made} == {"SENT", "FAILED"}

        await eventually(ended, "every row has ended", 60)
        for n, deliverable in made.items():
            assert rows.status(n) == ("SENT" if deliverable else "FAILED"), n
        for tenant in both:
            tenant.sandbox.settled()
            ledger = tenant.sandbox.deliveries()
            people = [entry["subscriberId"] for entry in ledger]
            assert {who.partition("/")[0] for who in people} == {tenant.case.enterprise.id}
            assert len(people) == len(set(people))
            said = {parse_transaction_id(entry["transactionId"]) for entry in ledger}
            assert {t.enterprise_id for t in said if t} == {tenant.case.enterprise.id}
        sent = sum(len(t.sandbox.deliveries()) for t in both)
        assert sent == sum(made.values())
        for tenant in both:
            await stop(tenant.case)
