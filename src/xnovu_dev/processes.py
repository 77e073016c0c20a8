"""What the stack runs of XNovu's own: the Novu sandbox, the operator and the worker, each with its settings.

As in production they know nothing of the stack: an address and a key each, from environment variables. The operator's
kubeconfig is that of a user with the operator's rights; the worker has none.
"""

import sys
from collections.abc import Mapping
from typing import Final

from xnovu_dev.cluster import INSTALL_NAMESPACE
from xnovu_dev.context import Context
from xnovu_dev.home import private_folder
from xnovu_dev.ports import HOST
from xnovu_dev.probes import http_ok
from xnovu_dev.process import Spec
from xnovu_dev.temporal_server import NAMESPACE

PORTS: Final = ("novu", "operator-metrics", "operator-health", "worker-metrics", "worker-health")


def sandbox_spec(context: Context) -> Spec:
    folder = private_folder(context.home.data("novu"))
    return Spec(
        name="novu",
        command=(
            *(sys.executable, "-m", "xnovu_dev.sandbox"),
            *("--port", str(context.ports["novu"])),
            f"--secret-key={context.keys.novu_secret_key}",
            *("--state-dir", str(folder), "--ready-file", str(folder / "ready.json")),
        ),
        log=context.home.log("novu"),
        probe=http_ok(f"{context.url('novu')}/__sandbox/status"),
        environ=context.environ,
        cwd=context.home.root,
    )


def operator_spec(context: Context) -> Spec:
    return _spec(
        context,
        "operator",
        {
            "KUBECONFIG": str(context.home.operator_kubeconfig),
            "XNOVU_OPERATOR__INSTALL_NAMESPACE": INSTALL_NAMESPACE,
        },
        ready="healthz",
    )


def worker_spec(context: Context) -> Spec:
    keys = context.keys
    return _spec(
        context,
        "worker",
        {
            "XNOVU_SUPABASE__URL": context.url("supabase"),
            "XNOVU_SUPABASE__SERVICE_ROLE_KEY": keys.service_role_key,
            "XNOVU_NOVU__API_URL": context.url("novu"),
            "XNOVU_NOVU__SECRET_KEY": keys.novu_secret_key,
            "XNOVU_WORKER__CREDENTIALS_DIR": str(private_folder(context.home.credentials)),
        },
        ready="readyz",
    )


def _spec(context: Context, name: str, own: Mapping[str, str], ready: str) -> Spec:
    # What the person set (a log level, a limit) is kept; where things are, the stack knows better.
    settings = {
        "XNOVU_LOG__FORMAT": "text",
        **context.environ,
        "XNOVU_TEMPORAL__ADDRESS": context.address("temporal"),
        "XNOVU_TEMPORAL__NAMESPACE": NAMESPACE,
        f"XNOVU_{name.upper()}__BIND_ADDRESS": HOST,
        f"XNOVU_{name.upper()}__METRICS_PORT": str(context.ports[f"{name}-metrics"]),
        f"XNOVU_{name.upper()}__HEALTH_PORT": str(context.ports[f"{name}-health"]),
        **own,
    }
    if name == "worker":
        settings.pop("KUBECONFIG", None)
    return Spec(
        name=name,
        command=(sys.executable, "-m", "xnovu", name),
        log=context.home.log(name),
        probe=http_ok(f"{context.url(f'{name}-health')}/{ready}"),
        environ=settings,
        cwd=context.home.root,
        # It promises to be gone in 10 s; later than that is a defect that the log shall show.
        stop_seconds=12.0,
    )
