"""What the servers of the stack answer: rights, rows, workflows, and that nobody without a key gets anything."""

import asyncio
import json

import httpx
import psycopg
import pytest
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from temporalio.client import Client

from xnovu.core.ids import SEARCH_ATTRIBUTES
from xnovu_dev.kubernetes import KubernetesApi

pytestmark = pytest.mark.stack


def rest(supabase, key: str | None, path: str, **options) -> httpx.Response:
    headers = {"Accept-Profile": "notify", "Content-Profile": "notify"}
    if key:
        headers |= {"apikey": key, "Authorization": f"Bearer {key}"}
    return httpx.request(
        options.pop("method", "GET"), f"{supabase.url}/rest/v1{path}", headers=headers, **options
    )


def test_the_service_role_reads_and_writes_rows(supabase):
    row = {"name": "rest", "payload": {}, "recipients": [], "publish_status": "DRAFT"}
    made = rest(
        supabase,
        supabase.service_role_key,
        "/ent_notification",
        method="POST",
        json=row,
        params={"select": "id,name"},
    )
    assert made.status_code == 201, made.text
    found = rest(
        supabase,
        supabase.service_role_key,
        "/ent_notification",
        params={"name": "eq.rest", "select": "name"},
    )
    assert found.json() == [{"name": "rest"}]


def test_a_filter_reaches_postgrest_as_it_was_written(supabase):
    answer = rest(
        supabase,
        supabase.service_role_key,
        '/ent_notification?select=name&name=in.("a b","c%2Cd%2Fe")',
    )
    assert (answer.status_code, answer.json()) == (200, [])


def test_a_key_that_somebody_else_signed_is_refused(supabase):
    head, body, signature = supabase.service_role_key.split(".")
    forged = f"{head}.{body}.{signature[::-1]}"
    assert rest(supabase, forged, "/ent_notification").status_code == 401


def test_without_a_key_no_row_is_seen(supabase):
    assert rest(supabase, None, "/ent_notification").status_code == 401


def test_what_is_not_under_the_prefix_is_not_there(supabase):
    assert httpx.get(f"{supabase.url}/ent_notification").status_code == 404


def test_a_wrong_password_is_refused(postgres_dsn):
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres_dsn.replace("postgres:", "postgres:x", 1)).close()


def test_the_migrations_are_recorded(postgres_dsn):
    with psycopg.connect(postgres_dsn) as connection:
        names = connection.execute("select name from xnovu_dev.migrations order by 1").fetchall()
    assert names[0][0].endswith("_notify.sql")
    assert len(names) >= 4


def test_temporal_knows_our_search_attributes(temporal_address):
    async def attributes() -> set[str]:
        from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest

        connected = await Client.connect(temporal_address)
        answer = await connected.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace="default")
        )
        return set(answer.custom_attributes)

    assert set(SEARCH_ATTRIBUTES) <= asyncio.run(attributes())


def test_the_operators_user_may_do_its_work_and_no_more(stack_servers, kubeconfig):
    admin = KubernetesApi(kubeconfig)
    own = config.new_client_from_config(str(kubeconfig.with_name("operator.kubeconfig")))
    try:
        core, objects = client.CoreV1Api(own), client.CustomObjectsApi(own)
        assert "items" in objects.list_cluster_custom_object("xnovu.io", "v1alpha1", "enterprises")
        with pytest.raises(ApiException) as refused:
            core.list_secret_for_all_namespaces()
        assert refused.value.status == 403
        with pytest.raises(ApiException) as refused:
            core.create_namespace({"metadata": {"name": "more"}})
        assert json.loads(refused.value.body)["reason"] == "Forbidden"
    finally:
        own.close()
        admin.close()


def test_nobody_without_a_certificate_is_let_in(kubeconfig):
    server = json.loads(kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    answer = httpx.get(f"{server}/api/v1/namespaces", verify=False)
    assert answer.status_code == 401
