"""The codec server as a process, asked by Temporal's own command line about what a real Temporal holds."""

import base64
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.operator_process import eventually, free_port
from support.temporal import a_case

from xnovu_dev import environment, programs
from xnovu_dev.progress import silent

pytestmark = pytest.mark.stack


def started(log: Path, **settings: str) -> "subprocess.Popen[bytes]":
    inherited = {k: v for k, v in environment.inherited().items() if not k.startswith("XNOVU_")}
    with log.open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "xnovu", "codec-server"],
            env={**inherited, **settings},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )


@contextmanager
def serving(
    folder: Path, log: Path, **settings: str
) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    port = free_port()
    process = started(
        log,
        XNOVU_TEMPORAL__CODEC_KEYS_DIR=str(folder),
        XNOVU_CODEC_SERVER__PORT=str(port),
        **settings,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: "serving on port" in log.read_text(), f"it serves: {log.read_text()}")
        yield url, process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def shown(home: Path, temporal: str, workflow_id: str, *more: str) -> str:
    """What `temporal workflow show` prints, with a home of its own: no settings of a person's."""
    environ = environment.inherited()
    program = programs.find(
        programs.PROGRAMS["temporal"], environ, environment.cache(environ), silent
    )
    done = subprocess.run(
        [
            *(str(program.path), "workflow", "show", "--address", temporal),
            *("--workflow-id", workflow_id, "--output", "json", *more),
        ],
        env={**environ, "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.stdout + done.stderr


async def test_temporals_command_line_reads_through_it(
    temporal_address: str, keys: Callable[..., Path], tmp_path: Path
) -> None:
    folder, log = keys("keys", "k1"), tmp_path / "codec-server.log"
    case = await a_case(temporal_address, codec_keys_dir=folder, codec_active_key="k1")
    handle = await case.start(case.database.add(1))
    token = "canary-access-token"
    with serving(folder, log, XNOVU_CODEC_SERVER__ACCESS_TOKEN=token) as (url, process):
        sealed = shown(tmp_path, temporal_address, handle.id)
        assert "YmluYXJ5L2VuY3J5cHRlZA" in sealed, sealed  # binary/encrypted
        opened = shown(
            tmp_path,
            temporal_address,
            handle.id,
            "--codec-endpoint",
            url,
            "--codec-auth",
            f"Bearer {token}",
        )
        first: Any = json.loads(opened)["events"][0]
        given = first["workflowExecutionStartedEventAttributes"]["input"]
        data = given["payloads"][0]["data"]
        assert case.enterprise.id in base64.b64decode(data).decode()
        assert data not in sealed
        refused = shown(tmp_path, temporal_address, handle.id, "--codec-endpoint", url)
        assert data not in refused
        assert httpx.get(f"{url}/healthz").status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
    text = log.read_text()
    assert token not in text
    assert (folder / "k1").read_text() not in text
    assert "Traceback" not in text
    await handle.terminate()


@pytest.mark.parametrize("process", ["codec-server", "worker", "operator"])
def test_a_bad_key_ends_every_process_at_its_start_with_one_line(
    keys: Callable[..., Path], process: str
) -> None:
    folder = keys("keys", "k1")
    (folder / "k2").write_text("canary-not-a-key")
    inherited = {k: v for k, v in environment.inherited().items() if not k.startswith("XNOVU_")}
    done = subprocess.run(
        [sys.executable, "-m", "xnovu", process],
        env={
            **inherited,
            "XNOVU_TEMPORAL__CODEC_KEYS_DIR": str(folder),
            "XNOVU_TEMPORAL__CODEC_ACTIVE_KEY": "k1",
            "XNOVU_TEMPORAL__ADDRESS": "127.0.0.1:9",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    told = " ".join((done.stdout + done.stderr).split())
    assert "k2 is no readable key" in told
    assert "canary" not in told
    assert "Traceback" not in told
