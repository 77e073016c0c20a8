"""Enterprises: what they need, whose id it is, and what is left of them."""

from collections.abc import Callable

import pytest
from support.operation import Site
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from xnovu.core.ids import orchestration_workflow_id

pytestmark = pytest.mark.stack


async def running(site: Site) -> bool:
    handle = (await site.client()).get_workflow_handle(
        orchestration_workflow_id(site.enterprise_id)
    )
    try:
        return (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise


async def test_secrets_that_lack_something_are_named_and_their_values_are_not(site: Site) -> None:
    wanted = {"spec__supabase__secretRef__name": "database"}
    site.put(site.enterprise("needy", **wanted))
    stalled = site.condition("enterprises", "needy", "Stalled", "SecretNotFound")
    assert "database" in stalled["message"]
    site.secret("database", url="http://127.0.0.1:1", serviceRoleKey="")
    stalled = site.condition("enterprises", "needy", "Stalled", "SecretInvalid")
    assert "serviceRoleKey" in stalled["message"]
    site.secret("database", url="http://127.0.0.1:1", serviceRoleKey="the-secret-value")
    site.ready("enterprises", "needy")
    projected = site.api.get(
        f"/api/v1/namespaces/xnovu-system/secrets/xnovu-credentials-{site.enterprise_id}"
    )
    assert projected is not None
    assert set(projected["data"]) == {
        f"{site.enterprise_id}.supabase.url",
        f"{site.enterprise_id}.supabase.serviceRoleKey",
    }
    assert all("the-secret-value" not in p.text for p in site.programs)
    assert "the-secret-value" not in str(site.get("enterprises", "needy"))
    site.delete("enterprises", "needy")
    site.gone("enterprises", "needy")
    secrets = site.api.get("/api/v1/namespaces/xnovu-system/secrets")
    assert secrets is not None
    assert all(site.enterprise_id not in s["metadata"]["name"] for s in secrets["items"])


async def test_an_id_that_is_taken_stalls_the_younger_and_its_rules(site: Site) -> None:
    site.put(site.enterprise("older"))
    site.ready("enterprises", "older")
    site.put(site.enterprise("younger"), site.rule("mine", spec__enterpriseRef__name="younger"))
    stalled = site.condition("enterprises", "younger", "Stalled", "EnterpriseIdTaken")
    assert f"{site.namespace}/older" in stalled["message"]
    site.condition("notificationrules", "mine", "Stalled", "EnterpriseIdTaken")
    assert await site.schedule("mine") is None
    site.delete("enterprises", "older")
    site.gone("enterprises", "older")
    site.ready("enterprises", "younger")
    site.ready("notificationrules", "mine")
    site.delete("enterprises", "younger")
    site.gone("enterprises", "younger")
    site.condition("notificationrules", "mine", "Stalled", "EnterpriseNotFound")
    assert await site.schedule("mine") is None
    assert not await running(site)


async def test_an_enterprise_goes_also_when_no_worker_is_there(
    sites: Callable[[], Site],
) -> None:
    lonely = sites()
    lonely.start("operator")
    lonely.put(lonely.enterprise("lonely"))
    lonely.condition("enterprises", "lonely", "Ready", "WorkerAway")
    lonely.put(lonely.rule("bell", spec__enterpriseRef__name="lonely"))
    lonely.ready("notificationrules", "bell")
    lonely.delete("enterprises", "lonely")
    lonely.condition("enterprises", "lonely", "Ready", "Draining")
    lonely.condition("notificationrules", "bell", "Stalled", "EnterpriseNotFound")
    assert await lonely.schedule("bell") is None
    lonely.gone("enterprises", "lonely", seconds=45)
    assert not await running(lonely)


async def test_an_older_orchestration_takes_the_configuration_of_a_new_object(site: Site) -> None:
    first = site.enterprise("again", spec__deletionPolicy="Orphan")
    site.put(first)
    site.ready("enterprises", "again")
    site.put(site.enterprise("again", spec__deletionPolicy="Orphan", spec__timeZone="Asia/Tokyo"))
    site.ready("enterprises", "again")
    site.delete("enterprises", "again")
    site.gone("enterprises", "again")
    assert await running(site)
    site.put(site.enterprise("again", spec__displayName="New"))
    site.ready("enterprises", "again")
    assert await running(site)
    site.delete("enterprises", "again")
    site.gone("enterprises", "again")
    assert not await running(site)


async def test_the_same_manifest_applied_again_after_a_delete_runs_again(site: Site) -> None:
    """An update's id that a closed run has completed would be answered by it, and nothing would start."""
    manifest = site.enterprise("phoenix")
    for _ in range(2):
        site.put(manifest)
        site.ready("enterprises", "phoenix")
        assert await running(site)
        site.delete("enterprises", "phoenix")
        site.gone("enterprises", "phoenix")
        assert not await running(site)
