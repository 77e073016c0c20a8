"""Start, use, stop and start again, with the real servers."""

import json
import stat
import time
from pathlib import Path

import httpx
import psycopg
import pytest
from support.stack import family, gone

from xnovu_dev import stack
from xnovu_dev.kubernetes import KubernetesApi
from xnovu_dev.state import Stack

pytestmark = pytest.mark.stack

CATEGORY = {"name": "kept", "publish_status": "PUBLISH"}
CONFIG_MAP = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "kept", "namespace": "default"},
    "data": {"kept": "yes"},
}


def rest(found: Stack) -> httpx.Client:
    key = found.supabase.service_role_key
    return httpx.Client(
        base_url=f"{found.supabase.url}/rest/v1",
        headers={"apikey": key, "Authorization": f"Bearer {key}"},
    )


def test_a_second_start_is_quick_and_finds_the_data_and_the_ports(own) -> None:
    first = own.start()
    with rest(first) as http:
        http.post("/typ_notification_category", json=CATEGORY).raise_for_status()
    api = KubernetesApi(first.kubeconfig)
    api.apply(CONFIG_MAP)
    api.close()
    assert own.stop()

    began = time.monotonic()
    second = own.start()
    assert time.monotonic() - began < 15
    assert second.model_copy(update={"pids": {}}) == first.model_copy(update={"pids": {}})
    with rest(second) as http:
        assert [r["name"] for r in http.get("/typ_notification_category").json()] == ["kept"]
    api = KubernetesApi(second.kubeconfig)
    assert api.get("/api/v1/namespaces/default/configmaps/kept")["data"] == {"kept": "yes"}
    api.close()


def test_a_stopped_stack_leaves_no_process_and_no_stack_file(own) -> None:
    own.start()
    processes = family(own.home)
    assert len(processes) > 8
    assert own.stop()
    assert gone(processes)
    assert not (own.home / "stack.json").exists()
    assert stack.load(own.home) is None
    assert not own.stop(), "a second stop finds nothing to stop"


def test_a_running_stack_is_found_and_not_started_again(own) -> None:
    assert own.start().pids == own.start().pids


def test_reset_forgets_the_data_and_keeps_what_is_not_ours(own) -> None:
    own.start()
    mine = own.home / "mine.txt"
    mine.write_text("not yours")
    stack.stop(own.home, forget=True)
    assert not (own.home / "data").exists()
    assert not (own.home / "keys.json").exists()
    assert mine.read_text() == "not yours"


def test_what_holds_secrets_is_for_its_owner_only(servers: Stack) -> None:
    home = servers.kubeconfig.parent
    names = ("stack.json", "keys.json", "kubeconfig", "operator.kubeconfig", "certificates/ca.key")
    for name in names:
        assert stat.S_IMODE((home / name).stat().st_mode) == 0o600, name
    logs = [p for p in (home / "logs").iterdir() if p.suffix == ".log"]
    assert logs
    keys = json.loads((home / "keys.json").read_text())
    for log in logs:
        text = log.read_text(errors="replace")
        assert not [name for name, value in keys.items() if value in text], log


def test_stack_json_has_the_promised_keys(full_stack: Stack) -> None:
    found = json.loads((full_stack.kubeconfig.parent / "stack.json").read_text())
    assert {k: set(v) for k, v in found.items() if isinstance(v, dict) and k != "pids"} == {
        "temporal": {"address", "namespace", "ui"},
        "supabase": {"url", "serviceRoleKey", "dsn"},
        "novu": {"url", "secretKey", "inbox"},
        "operator": {"metrics", "health"},
        "worker": {"metrics", "health"},
    }
    assert Path(found["kubeconfig"]).exists()
    assert {"supervisor", "operator", "worker", "postgres", "etcd"} <= set(found["pids"])
    pages = (found["operator"], found["worker"])
    urls = [u for p in pages for u in p.values()] + [
        found["temporal"]["ui"],
        found["novu"]["inbox"],
    ]
    for url in urls:
        assert httpx.get(url, follow_redirects=True).status_code == 200, url


def test_every_server_listens_on_loopback_only(servers: Stack) -> None:
    listening = [
        (process.name(), connection.laddr.ip)
        for process in family(servers.kubeconfig.parent)
        for connection in process.net_connections("inet")
        if connection.status == "LISTEN"
    ]
    assert len(listening) > 8
    assert {address for _, address in listening} == {"127.0.0.1"}, listening


def test_postgres_is_never_root(servers: Stack) -> None:
    with psycopg.connect(servers.supabase.dsn) as connection:
        assert connection.execute("select current_user").fetchone() == ("postgres",)
    postgres = [p for p in family(servers.kubeconfig.parent) if p.name() == "postgres"]
    assert postgres
    assert all(p.uids().real != 0 for p in postgres)


def test_two_homes_are_up_at_once(servers: Stack, own) -> None:
    other = own.start()
    assert other.temporal.address != servers.temporal.address
    assert not set(other.pids.values()) & set(servers.pids.values())
    for found in (servers, other):
        with rest(found) as http:
            assert http.get("/typ_notification_category").status_code == 200
