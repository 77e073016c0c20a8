"""Kubeconfig files of the stack: for people (admin) and for the operator, with everything embedded.

JSON is YAML; every client reads it, and it has one spelling.
"""

import base64
import json
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from xnovu_dev.certificates import Authority
from xnovu_dev.home import write_private
from xnovu_dev.problems import StackError


def write(path: Path, server: str, authority: Authority, name: str) -> None:
    """Write `path` for the holder of the certificate `name`."""
    certificate, key = authority.pair(name)
    user = {"client-certificate-data": _encoded(certificate), "client-key-data": _encoded(key)}
    cluster = {"server": server, "certificate-authority-data": _encoded(authority.ca_file)}
    body = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "xnovu", "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": "xnovu", "context": {"cluster": "xnovu", "user": name}}],
        "current-context": "xnovu",
    }
    write_private(path, json.dumps(body, indent=2) + "\n")


@dataclass(frozen=True, slots=True)
class Access:
    """Where an API server is and how it is spoken to."""

    server: str
    tls: ssl.SSLContext


def read(path: Path) -> Access:
    """The current context of a kubeconfig with embedded client certificates, as `write` makes them.

    Raises StackError when it has none. The key is on the disk for the moment in which it is loaded: the standard
    library loads client certificates from files only.
    """
    body = yaml.safe_load(path.read_text())
    try:
        wanted = next(
            c["context"] for c in body["contexts"] if c["name"] == body["current-context"]
        )
        cluster = next(c["cluster"] for c in body["clusters"] if c["name"] == wanted["cluster"])
        user = next(u["user"] for u in body["users"] if u["name"] == wanted["user"])
        ca = base64.b64decode(cluster["certificate-authority-data"]).decode()
        pair = [base64.b64decode(user[k]) for k in ("client-certificate-data", "client-key-data")]
        server = str(cluster["server"])
    except (KeyError, TypeError, StopIteration, ValueError) as error:
        raise StackError(f"{path} is no kubeconfig with embedded certificates: {error!r}") from None
    context = ssl.create_default_context(cadata=ca)
    with tempfile.NamedTemporaryFile(prefix="xnovu-") as file:
        file.write(b"\n".join(pair))
        file.flush()
        context.load_cert_chain(file.name)
    return Access(server, context)


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
