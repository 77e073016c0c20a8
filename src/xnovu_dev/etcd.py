"""etcd: where the Kubernetes API keeps its objects. One member, on loopback, for holders of our certificates only."""

from xnovu_dev import firstborn
from xnovu_dev.certificates import Authority
from xnovu_dev.context import Context
from xnovu_dev.probes import http_ok
from xnovu_dev.process import Spec

PORTS = ("etcd", "etcd-peer")


def spec(context: Context, authority: Authority) -> Spec:
    url, peer = context.url("etcd", "https"), context.url("etcd-peer")
    certificate, key = authority.pair("etcd")
    return Spec(
        name="etcd",
        command=(
            str(context.programs["etcd"]),
            f"--data-dir={firstborn.folder(context.home, 'etcd')}",
            f"--listen-client-urls={url}",
            f"--advertise-client-urls={url}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--client-cert-auth",
            f"--trusted-ca-file={authority.ca_file}",
            f"--cert-file={certificate}",
            f"--key-file={key}",
            "--log-level=warn",
        ),
        log=context.home.log("etcd"),
        probe=firstborn.counted(
            context.home, "etcd", http_ok(f"{url}/health", authority.client_context("admin"))
        ),
        environ=context.environ,
        cwd=context.home.root,
    )
