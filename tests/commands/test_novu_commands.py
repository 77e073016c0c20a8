"""`xnovu novu sync` against the sandbox: made when it is missing, left alone when it is right."""

import httpx
import pytest
from support.command_line import CommandLine

from xnovu_dev.state import Stack

pytestmark = pytest.mark.stack


def test_the_generic_workflow_is_made_and_then_left_alone(
    xnovu: CommandLine, servers: Stack
) -> None:
    key = {"Authorization": f"ApiKey {servers.novu.secret_key}"}
    url = f"{servers.novu.url}/v2/workflows/xnovu-dynamic"
    httpx.delete(url, headers=key).raise_for_status()
    assert xnovu("novu", "sync").out == "Novu's workflow xnovu-dynamic: created\n"
    assert xnovu("novu", "sync", "-o", "json").json["result"] == "unchanged"
    assert httpx.get(url, headers=key).is_success
    assert xnovu("novu", "sync", NOVU__SECRET_KEY="wrong").is_one_line("401", "secretKey")
    assert xnovu("novu", "sync", NOVU__SECRET_KEY=None).is_one_line(
        "XNOVU_NOVU__SECRET_KEY", code=2
    )
