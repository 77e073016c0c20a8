"""kube-apiserver: the Kubernetes API without a cluster behind it. RBAC is on; there are no controllers and no nodes.

So a namespace that is deleted stays Terminating, and no pod ever runs; custom resources, watches, finalizers, rights and
the audit log are the real thing. Called by the supervisor.
"""

import json
from typing import Final

from xnovu_dev.certificates import Authority
from xnovu_dev.context import Context
from xnovu_dev.home import private_folder, write_private
from xnovu_dev.ports import HOST
from xnovu_dev.probes import http_ok
from xnovu_dev.process import Spec

PORTS: Final = ("kube-apiserver",)
SERVICE_RANGE: Final = "10.0.0.0/24"
AUDIT_MEGABYTES: Final = 50

_AUDIT_POLICY: Final = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    # Who did what; never what was in it.
    "rules": [
        {"level": "None", "userGroups": ["system:masters"], "verbs": ["get", "list", "watch"]},
        {"level": "None", "users": ["system:apiserver"]},
        {"level": "Metadata"},
    ],
}


def spec(context: Context, authority: Authority) -> Spec:
    folder = private_folder(context.home.data("kube-apiserver"))
    policy = folder / "audit-policy.json"
    write_private(policy, json.dumps(_AUDIT_POLICY))
    certificate, key = authority.pair("kube-apiserver")
    accounts = authority.folder / "service-accounts.key"
    url = context.url("kube-apiserver", "https")
    etcd_certificate, etcd_key = authority.pair("admin")
    return Spec(
        name="kube-apiserver",
        command=(
            str(context.programs["kube-apiserver"]),
            f"--bind-address={HOST}",
            f"--advertise-address={HOST}",
            f"--secure-port={context.ports['kube-apiserver']}",
            # The reconciler of the `kubernetes` Service refuses a loopback address.
            "--endpoint-reconciler-type=none",
            f"--etcd-servers={context.url('etcd', 'https')}",
            f"--etcd-cafile={authority.ca_file}",
            f"--etcd-certfile={etcd_certificate}",
            f"--etcd-keyfile={etcd_key}",
            f"--cert-dir={folder}",
            f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={key}",
            f"--client-ca-file={authority.ca_file}",
            "--authorization-mode=RBAC",
            "--anonymous-auth=false",
            f"--service-cluster-ip-range={SERVICE_RANGE}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={accounts}",
            f"--service-account-signing-key-file={accounts}",
            f"--audit-policy-file={policy}",
            f"--audit-log-path={context.home.log('audit').with_suffix('.jsonl')}",
            f"--audit-log-maxsize={AUDIT_MEGABYTES}",
            "--audit-log-maxbackup=1",
        ),
        log=context.home.log("kube-apiserver"),
        probe=http_ok(f"{url}/readyz", authority.client_context("admin")),
        environ=context.environ,
        cwd=context.home.root,
        # Open watches hold its shutdown for a minute; etcd has everything already.
        stop_seconds=3.0,
    )
