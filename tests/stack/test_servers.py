"""What the servers of the stack promise beyond being there."""

import base64
from pathlib import Path

import httpx
import psycopg
import pytest
from support.stack import eventually
from temporalio.client import Client

from xnovu.core.ids import SEARCH_ATTRIBUTES
from xnovu_dev import assets, migrations
from xnovu_dev.kubernetes import KubernetesApi
from xnovu_dev.problems import StackError
from xnovu_dev.state import Stack, SupabasePart

pytestmark = pytest.mark.stack


def credentials(data: dict[str, str]) -> dict:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "mirrored",
            "namespace": "xnovu-system",
            "labels": {"xnovu.io/credentials": "true"},
        },
        "data": {k: base64.b64encode(v.encode()).decode() for k, v in data.items()},
    }


def test_projected_credentials_become_the_workers_files_and_go_again(servers: Stack) -> None:
    folder = servers.kubeconfig.parent / "credentials"

    def files() -> dict[str, str]:
        # Other tests' enterprises have files here too.
        return {p.name: p.read_text() for p in folder.glob("e.novu.*")}

    api = KubernetesApi(servers.kubeconfig)
    try:
        api.apply(credentials({"e.novu.apiUrl": "https://a", "e.novu.secretKey": "k"}))
        eventually(
            lambda: files() == {"e.novu.apiUrl": "https://a", "e.novu.secretKey": "k"}, "both files"
        )
        api.apply(credentials({"e.novu.secretKey": "rotated"}))
        eventually(lambda: files() == {"e.novu.secretKey": "rotated"}, "the rotated one")
        api.delete(credentials({}))
        eventually(lambda: files() == {}, "no file")
    finally:
        api.close()


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/apis/xnovu.io/v1alpha1/enterprises", True),
        ("/api/v1/namespaces", True),
        ("/api/v1/secrets", False),
        ("/api/v1/namespaces/default/configmaps", False),
    ],
)
def test_the_operators_kubeconfig_has_the_operators_rights_only(
    servers: Stack, path: str, allowed: bool
) -> None:
    api = KubernetesApi(servers.kubeconfig.parent / "operator.kubeconfig")
    try:
        if allowed:
            assert api.get(path)["kind"]
        else:
            with pytest.raises(StackError, match=r'403 .*"xnovu-operator" cannot list'):
                api.get(path)
    finally:
        api.close()


def test_the_gateway_keeps_query_headers_and_count(supabase: SupabasePart) -> None:
    key = supabase.service_role_key
    answer = httpx.get(
        f"{supabase.url}/rest/v1/typ_notification_category?name=in.(%22a%2Cb%22,c)",
        headers={"apikey": key, "Prefer": "count=exact"},
    )
    assert answer.status_code == 200
    assert answer.headers["content-range"] == "*/0"


async def test_temporal_has_the_search_attributes(temporal_address: str) -> None:
    client = await Client.connect(temporal_address)
    for name in SEARCH_ATTRIBUTES:
        found = [w async for w in client.list_workflows(f"{name} = 'nothing'")]
        assert found == []


async def test_migrations_are_applied_once_and_a_changed_one_is_refused(
    postgres_dsn: str, tmp_path: Path
) -> None:
    assert await migrations.apply(postgres_dsn, assets.path("supabase/migrations")) == ()
    name = "00000000000000_of_a_test.sql"
    (tmp_path / name).write_text("create schema of_a_test; create table of_a_test.t (id int);")
    try:
        assert await migrations.apply(postgres_dsn, tmp_path) == (name,)
        assert await migrations.apply(postgres_dsn, tmp_path) == ()
        (tmp_path / name).write_text("select 1")
        with pytest.raises(StackError, match="was changed after it was applied"):
            await migrations.apply(postgres_dsn, tmp_path)
    finally:
        with psycopg.connect(postgres_dsn) as connection:
            connection.execute("drop schema of_a_test cascade")
            connection.execute("delete from xnovu_dev.migrations where name = %s", [name])


async def test_a_failing_migration_leaves_nothing_behind(postgres_dsn: str, tmp_path: Path) -> None:
    (tmp_path / "1.sql").write_text("create schema half; create table half.t (id int, id int);")
    with pytest.raises(
        StackError, match=r"the migration 1\.sql failed: .*specified more than once"
    ):
        await migrations.apply(postgres_dsn, tmp_path)
    with psycopg.connect(postgres_dsn) as connection:
        query = "select 1 from pg_namespace where nspname = 'half'"
        assert connection.execute(query).fetchone() is None
