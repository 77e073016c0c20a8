"""Secrets and personal data are planted everywhere, everything goes wrong that can, and then everything is searched.

The operator and the worker are processes, the servers real. Enterprises with every kind of trouble deliver, or do not:
sent, 401 of Novu, 5xx, 429, resets, bad templates, a payload against its schema, a database that is away or refuses,
a secret that is missing. Secrets must be nowhere; personal data neither, but in the database, in the custom resource
that holds it, and, encrypted, in the Schedule that sends it.
"""

import base64
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from psycopg.types.json import Jsonb
from support.canaries import opened_history, schedules_in, seen_in, workflows_in
from support.operation import ClusterApi, Site
from support.operator_process import eventually, free_port
from support.rows import Rows
from support.sandbox import SandboxProcess
from support.temporal import eventually as soon
from temporalio.client import Client

from xnovu.adapters.temporal import connect
from xnovu.core import ids
from xnovu.settings import TemporalSettings
from xnovu_dev import keys as stack_keys
from xnovu_dev.home import Home
from xnovu_dev.state import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(280)]

CODEC_KEY = b"canary-codec-key-7f3a-0123456789"
SECRETS = {
    "novu": "canary-novu-secret-key-7f3a",
    "wrong novu": "canary-novu-wrong-key-7f3a",
    "wrong database": "canary-service-role-wrong-7f3a",
    "away database": "canary-service-role-away-7f3a",
    "codec": CODEC_KEY.decode(),
}
PEOPLE = {
    "payload": "canary-payload-ada-7f3a",
    "recipient": "canary-recipient-ada-7f3a",
    "subject": "canary-subject-ada-7f3a",
    "name": "canary-name-ada-7f3a",
    "rule payload": "canary-rule-payload-ada-7f3a",
    "rule recipient": "canary-rule-recipient-ada-7f3a",
    "template": "canary-template-text-7f3a",
}
FAULTS = (
    {"kind": "5xx"},
    {"kind": "429", "seconds": 0},
    {"kind": "error_before_accept"},
    {"kind": "accept_then_drop"},
    {"kind": "garbage"},
)
TROUBLED = ("refused", "locked", "away", "bare")


@dataclass
class Scene:
    """One operator, one worker, five enterprises."""

    site: Site
    rows: Rows
    sandbox: SandboxProcess
    client: Client
    ports: dict[str, int]
    enterprises: dict[str, str] = field(default_factory=dict)
    notifications: dict[str, list[int]] = field(default_factory=dict)
    manifests: dict[str, Any] = field(default_factory=dict)

    def of(self, name: str) -> Rows:
        return Rows(self.rows.connection, self.enterprises[name])

    def notification(self, name: str, workflow: int | None, **columns: Any) -> int:
        plain = {
            "name": f"{PEOPLE['name']} {uuid.uuid4()}",
            "payload": Jsonb({"text": PEOPLE["payload"]}),
            "subscribers": [PEOPLE["recipient"]],
            "recipients": [],
            "notification_workflow_id": workflow,
        }
        made = self.of(name).notification(**{**plain, **columns})
        self.notifications.setdefault(name, []).append(made)
        return made

    def status(self, notification: int) -> str:
        return self.rows.status(notification)


@pytest.fixture
def novu_with_a_canary_key(tmp_path: Path) -> Iterator[SandboxProcess]:
    (tmp_path / "novu").mkdir()
    sandbox = SandboxProcess(tmp_path / "novu", secret_key=SECRETS["novu"])
    sandbox.start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
async def scene(
    servers: Stack, rows: Rows, tmp_path: Path, novu_with_a_canary_key: SandboxProcess
) -> AsyncIterator[Scene]:
    folder = tmp_path / "codec"
    folder.mkdir()
    (folder / "canary").write_bytes(base64.b64encode(CODEC_KEY))
    api = ClusterApi(servers.kubeconfig)
    operators = servers.kubeconfig.with_name("operator.kubeconfig")
    site = Site(api, operators, servers.temporal.address, tmp_path).prepare()
    ports = {"operator": free_port(), "worker": free_port()}
    coded = {
        "XNOVU_TEMPORAL__CODEC_KEYS_DIR": str(folder),
        "XNOVU_TEMPORAL__CODEC_ACTIVE_KEY": "canary",
        "XNOVU_LOG__LEVEL": "DEBUG",
        "XNOVU_LOG__FORMAT": "json",
    }
    worker = {
        "XNOVU_SUPABASE__URL": servers.supabase.url,
        "XNOVU_SUPABASE__SERVICE_ROLE_KEY": servers.supabase.service_role_key,
        "XNOVU_NOVU__API_URL": novu_with_a_canary_key.url,
        "XNOVU_NOVU__SECRET_KEY": SECRETS["novu"],
        "XNOVU_WORKER__CREDENTIALS_DIR": str(Home(servers.kubeconfig.parent).credentials),
        "XNOVU_WORKER__METRICS_PORT": str(ports["worker"]),
        "XNOVU_WORKER__VERIFY_DELAY_SECONDS": "0.3",
    }
    try:
        site.start("worker", settings=coded | worker)
        site.start(
            "operator",
            settings=coded | {"XNOVU_OPERATOR__METRICS_PORT": str(ports["operator"])},
        )
        settings = TemporalSettings(
            address=servers.temporal.address, codec_keys_dir=folder, codec_active_key="canary"
        )
        yield Scene(site, rows, novu_with_a_canary_key, await connect(settings), ports)
    finally:
        site.close()
        api.close()


def settle(scene: Scene, servers: Stack) -> None:
    """The enterprises and their secrets."""
    key = servers.supabase.service_role_key
    novu, url = scene.sandbox.url, servers.supabase.url
    away = f"http://127.0.0.1:{free_port()}"
    scene.site.secret("database", url=url, serviceRoleKey=key)
    scene.site.secret("database-wrong", url=url, serviceRoleKey=SECRETS["wrong database"])
    scene.site.secret("database-away", url=away, serviceRoleKey=SECRETS["away database"])
    scene.site.secret("novu", apiUrl=novu, secretKey=SECRETS["novu"])
    scene.site.secret("novu-wrong", apiUrl=novu, secretKey=SECRETS["wrong novu"])
    of = {
        "fine": ("database", "novu"),
        "refused": ("database", "novu-wrong"),
        "locked": ("database-wrong", "novu"),
        "away": ("database-away", "novu"),
        "bare": ("database", "not-there"),
    }
    for name, (database, environment) in of.items():
        scene.enterprises[name] = str(uuid.uuid4())
        scene.manifests[name] = scene.site.enterprise(
            name,
            spec__enterpriseId=scene.enterprises[name],
            spec__realtime__mode="Active",
            spec__cron__mode="Active",
            spec__supabase__secretRef__name=database,
            spec__novu__secretRef__name=environment,
        )
        scene.site.put(scene.manifests[name])


def a_workflow(scene: Scene, name: str, key: str, kind: str = "STATIC", **columns: Any) -> int:
    made = scene.of(name).one(
        "insert into notify.ent_notification_workflow (name, workflow_type, workflow_key,"
        " publish_status, enterprise_id, default_channels, payload_schema, template_overrides)"
        " values (%s, %s::shared_types.notification_workflow_type, %s, 'PUBLISH', %s, '{IN_APP}', %s, %s)"
        " returning id",
        f"{key} {uuid.uuid4()}", kind, key, scene.enterprises[name],
        Jsonb(columns.get("schema")), Jsonb(columns.get("overrides")),
    )  # fmt: skip
    return int(made)


def a_template(scene: Scene, subject: str, body: str) -> str:
    key = f"t-{uuid.uuid4()}"
    scene.of("fine").execute(
        "insert into notify.ent_notification_template (name, template_key, channel_type,"
        " subject_template, body_template, publish_status, enterprise_id)"
        " values (%s, %s, 'IN_APP', %s, %s, 'PUBLISH', %s)",
        key, key, subject, body, scene.enterprises["fine"],
    )  # fmt: skip
    return key


def known_to_novu(scene: Scene, key: str) -> None:
    step = {"type": "in_app", "name": "In-app", "controlValues": {"body": "{{payload.text}}"}}
    body = {"workflowId": key, "name": key, "steps": [step]}
    with scene.sandbox.client() as http:
        http.put(f"/v2/workflows/{key}", json=body).raise_for_status()


def deliver_well_and_badly(scene: Scene) -> None:
    """Rows of the enterprise with which nothing is wrong: some are, in each classified way."""
    key = f"notice-{uuid.uuid4().hex[:8]}"
    known_to_novu(scene, key)
    good = a_workflow(scene, "fine", key)
    for fault in FAULTS:
        scene.sandbox.fault(**{**fault, "count": 1})
        ended(scene, scene.notification("fine", good), "SENT")
    dynamic: list[tuple[str, str, str]] = [
        (f"{PEOPLE['subject']}\r\nBcc: x", PEOPLE["template"] + " {{ text }}", "SENT"),
        ("s", PEOPLE["template"] + " {{ {'a': 1}[text] }}", "FAILED"),
        ("s", PEOPLE["template"] + " {{ text + 1 }}", "FAILED"),
        ("s", PEOPLE["template"] + " {{ not closed", "FAILED"),
        ("s", PEOPLE["template"] + " {% for a in range(99999999) %}{{ text }}{% endfor %}", "FAILED"),
    ]  # fmt: skip
    made = []
    for number, (subject, body, status) in enumerate(dynamic):
        overrides = {"inAppTemplateId": a_template(scene, subject, body)}
        own = f"{key}-dynamic-{number}"
        workflow = a_workflow(scene, "fine", own, "DYNAMIC", overrides=overrides)
        made.append((scene.notification("fine", workflow), status))
    schema = {"properties": {"text": {"enum": ["x"]}}, "additionalProperties": False}
    wrong = a_workflow(scene, "fine", f"{key}-schema", schema=schema)
    made += [
        (scene.notification("fine", wrong), "FAILED"),
        (scene.notification("fine", good, subscribers=[]), "FAILED"),
        (scene.notification("fine", good, payload=Jsonb([PEOPLE["payload"]])), "FAILED"),
        (scene.notification("fine", good, subscribers=[PEOPLE["recipient"] + "\r\nx"]), "FAILED"),
        (scene.notification("fine", None), "FAILED"),
        (scene.notification("fine", a_workflow(scene, "fine", f"{key}-unknown")), "FAILED"),
    ]
    for notification, status in made:
        ended(scene, notification, status)
    run_rules(scene, key)


def ended(scene: Scene, notification: int, status: str) -> None:
    eventually(
        lambda: scene.status(notification) in {"SENT", "FAILED"}, f"{notification} has ended", 40
    )
    assert scene.status(notification) == status, notification


def run_rules(scene: Scene, key: str) -> None:
    for name, workflow, result in (("good", key, "Created"), ("bad", "nobody", "WorkflowNotFound")):
        manifest = scene.site.rule(name, spec__enterpriseRef__name="fine")
        manifest["metadata"]["annotations"] = {ids.ANNOTATION_TRIGGER: "now"}
        manifest["spec"]["notification"] = {
            "workflow": workflow,
            "recipients": [PEOPLE["rule recipient"]],
            "payload": {"text": PEOPLE["rule payload"]},
        }
        scene.site.put(manifest)

        def ran(name: str = name, result: str = result) -> bool:
            found = scene.site.get("notificationrules", name) or {}
            last = found.get("status", {}).get("lastRun") or {}
            return result in str(last.get("result"))

        eventually(ran, f"the rule {name} has run and says {result}", 40)


def troubles_are_said(scene: Scene) -> None:
    """Each troubled enterprise has come as far as it goes."""
    for name in TROUBLED:
        scene.notification(name, a_workflow(scene, name, f"w-{uuid.uuid4()}"))

    def failing(name: str) -> bool:
        status = (scene.site.get("enterprises", name) or {}).get("status", {})
        return str(status.get("realtime", {}).get("state")) == "Failing"

    for name in ("locked", "away"):
        eventually(lambda name=name: failing(name), f"{name} says that its polls fail", 40)
    scene.site.condition("enterprises", "bare", "Ready", "SecretNotFound")
    waiting = scene.notifications["refused"][0]
    eventually(lambda: scene.status(waiting) == "PROCESSING", "refused by Novu, it waits")
    eventually(
        lambda: any(r["status"] == 401 for r in scene.sandbox.admin("GET", "/requests")),
        "Novu has refused the wrong key",
    )


async def everything(scene: Scene) -> dict[str, str]:
    """All that can be read by who may not read secrets: place to text."""
    found: dict[str, str] = {}
    for name, enterprise in scene.enterprises.items():
        query = f"{ids.SEARCH_ATTRIBUTE_ENTERPRISE} = '{enterprise}'"
        async for place, text in workflows_in(scene.client, query):
            found[f"{name}: {place}"] = found.get(f"{name}: {place}", "") + text
        async for place, text in schedules_in(scene.client, query):
            found[f"{name}: {place}"] = text
        details = scene.rows.connection.execute(
            "select error_details, shadow_report, retraction_report, claim_owner, transaction_id"
            " from notify.ent_notification where enterprise_id = %s",
            [enterprise],
        ).fetchall()
        found[f"{name}: details in the database"] = repr(details)
    for program in scene.site.programs:
        found[f"log {program.log.name}"] = program.text
        for page in ("healthz", "readyz"):
            found[f"{program.log.name} {page}"] = got(program.health_port, page)
    for name, port in scene.ports.items():
        found[f"metrics of the {name}"] = got(port, "metrics")
    core = f"/api/v1/namespaces/{scene.site.namespace}"
    ours = f"/apis/xnovu.io/v1alpha1/namespaces/{scene.site.namespace}"
    found["events"] = repr(scene.site.api.get(f"{core}/events"))
    found["events (new)"] = repr(
        scene.site.api.get(f"/apis/events.k8s.io/v1/namespaces/{scene.site.namespace}/events")
    )
    for plural in ("enterprises", "notificationrules"):
        listed = scene.site.api.get(f"{ours}/{plural}") or {"items": []}
        for item in listed["items"]:
            # What a person wrote into the spec is there, and kubectl's copy of it; we add none.
            metadata = {k: v for k, v in item["metadata"].items() if k != "managedFields"}
            found[f"{plural}/{metadata['name']}"] = repr((metadata, item.get("status")))
    return found


def got(port: int, page: str) -> str:
    return httpx.get(f"http://127.0.0.1:{port}/{page}", timeout=5).text


def leaks(found: dict[str, str], canaries: dict[str, str]) -> list[tuple[str, str]]:
    return sorted(
        (place, name)
        for place, text in found.items()
        for name, canary in canaries.items()
        if seen_in(text, [canary])
    )


async def test_nothing_that_was_planted_is_found_anywhere(servers: Stack, scene: Scene) -> None:
    settle(scene, servers)
    for name in ("fine", "refused"):
        scene.site.ready("enterprises", name, 40)
    troubles_are_said(scene)
    deliver_well_and_badly(scene)

    async def listed() -> dict[str, str]:
        # Visibility is late; every notification of an enterprise that works has a run.
        found = await everything(scene)
        wanted = scene.notifications["fine"] + scene.notifications["refused"]
        return found if all(any(p.endswith(f"-{n}") for p in found) for n in wanted) else {}

    found = await soon(listed, "all runs are listed", 30)
    whole = stack_keys.of_home(Home(servers.kubeconfig.parent))
    service_role = servers.supabase.service_role_key
    secrets = SECRETS | {
        "service role": service_role,
        "its signature": service_role.rpartition(".")[2],
        "codec in base64": base64.b64encode(CODEC_KEY).decode(),
        "jwt secret": whole.jwt_secret,
    }
    assert leaks(found, secrets) == []
    assert leaks(found, PEOPLE) == []
    assert_the_places_are_all_there(found)
    await ids_only_in_deliveries(scene)
    await a_planted_leak_is_found(scene)


def assert_the_places_are_all_there(found: dict[str, str]) -> None:
    """A search of nothing finds nothing."""
    assert any("RuleExecutionWorkflow" in place for place in found)
    assert any("Schedule xnovu." in place for place in found)
    for reason in ("TemplateError", "ValidationError", "WorkflowNotFound"):
        assert reason in found["fine: details in the database"]
    assert "CredentialsRejected" in repr([t for p, t in found.items() if p.startswith("refused")])
    assert "refused the service role key" in found["enterprises/locked"]
    assert "did not answer" in found["enterprises/away"]
    assert "SecretNotFound" in found["events"]
    assert "temporal_" in found["metrics of the worker"]
    assert "xnovu_reconcile" in found["metrics of the operator"]


async def ids_only_in_deliveries(scene: Scene) -> None:
    """Also for who has the keys: a delivery's history holds ids, counts and reasons."""
    everybody = list((SECRETS | PEOPLE).values())
    for name in ("fine", "refused"):
        for notification in scene.notifications[name]:
            workflow_id = ids.notification_workflow_id(scene.enterprises[name], notification)
            run = await scene.client.get_workflow_handle(workflow_id).describe()
            text = await opened_history(scene.client, workflow_id, run.run_id)
            assert str(notification) in text
            assert seen_in(text, everybody) == set(), workflow_id


async def a_planted_leak_is_found(scene: Scene) -> None:
    """The same search, after each place got what it must not have."""
    canary = {"leak": "canary-leak-7f3a"}
    enterprise, notification = scene.enterprises["refused"], scene.notifications["refused"][0]
    scene.rows.execute(
        "update notify.ent_notification set error_details = %s where id = %s",
        Jsonb({"message": canary["leak"]}), notification,
    )  # fmt: skip
    workflow_id = ids.notification_workflow_id(enterprise, notification)
    await scene.client.get_workflow_handle(workflow_id).terminate(reason=canary["leak"])
    with scene.site.programs[0].log.open("a") as log:
        log.write(base64.b64encode(canary["leak"].encode()).decode())
    fine = scene.manifests["fine"]
    fine["metadata"]["annotations"] = {"leak": canary["leak"]}
    scene.site.put(fine)
    where = {place for place, _ in leaks(await everything(scene), canary)}
    assert where == {
        "refused: details in the database",
        f"refused: NotificationProcessingWorkflow {workflow_id}",
        f"log {scene.site.programs[0].log.name}",
        "enterprises/fine",
    }


@pytest.mark.parametrize("name", ["worker", "operator"])
def test_the_key_of_temporal_is_not_shown_where_it_is_refused(
    servers: Stack, tmp_path: Path, name: str
) -> None:
    """A key switches TLS on, which the local server does not speak: the connection fails with it in hand."""
    api = ClusterApi(servers.kubeconfig)
    operators = servers.kubeconfig.with_name("operator.kubeconfig")
    site = Site(api, operators, servers.temporal.address, tmp_path).prepare()
    key = "canary-temporal-api-key-7f3a"
    try:
        program = site.launch(name, settings={"XNOVU_TEMPORAL__API_KEY": key})
        site.put(site.enterprise())

        def said() -> bool:
            told = program.text + repr(site.get("enterprises", "acme"))
            return "did not answer" in told

        eventually(said, "it says that Temporal does not answer", 40)
        told = program.text + got(program.health_port, "readyz")
        told += repr(site.get("enterprises", "acme"))
        assert seen_in(told, [key]) == set()
        assert "did not answer" in told
    finally:
        site.close()
        api.close()
