"""The stack is on loopback, which other users of the machine reach too: without a key of this home nothing is answered."""

from pathlib import Path

import httpx
import psycopg
import pytest

from xnovu_dev.kubeconfig import read
from xnovu_dev.state import SupabasePart

pytestmark = pytest.mark.stack


def rows(
    supabase: SupabasePart, key: str | None, path: str = "/ent_notification"
) -> httpx.Response:
    headers = {"Accept-Profile": "notify"}
    if key:
        headers |= {"apikey": key, "Authorization": f"Bearer {key}"}
    return httpx.get(f"{supabase.url}/rest/v1{path}", headers=headers)


def test_the_service_key_sees_rows(supabase: SupabasePart) -> None:
    """Else the refusals below would prove nothing."""
    assert rows(supabase, supabase.service_role_key).status_code == 200


def test_without_a_key_no_row_is_seen(supabase: SupabasePart) -> None:
    assert rows(supabase, None).status_code == 401


def test_a_key_that_somebody_else_signed_is_refused(supabase: SupabasePart) -> None:
    head, body, signature = supabase.service_role_key.split(".")
    assert rows(supabase, f"{head}.{body}.{signature[::-1]}").status_code == 401


def test_a_filter_reaches_postgrest_as_it_was_written(supabase: SupabasePart) -> None:
    answer = rows(
        supabase,
        supabase.service_role_key,
        '/ent_notification?select=name&name=in.("a b","c%2Cd%2Fe")',
    )
    assert (answer.status_code, answer.json()) == (200, [])


def test_what_is_not_under_the_prefix_is_not_there(supabase: SupabasePart) -> None:
    assert httpx.get(f"{supabase.url}/ent_notification").status_code == 404


def test_a_wrong_password_is_refused(postgres_dsn: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres_dsn.replace("postgres:", "postgres:x", 1)).close()


def test_a_client_without_a_certificate_is_not_let_into_the_kubernetes_api(
    kubeconfig: Path,
) -> None:
    answer = httpx.get(f"{read(kubeconfig).server}/api/v1/namespaces", verify=False)
    assert answer.status_code == 401
