"""The files of a home: locks, private files, progress, keys, and the mirror of credentials."""

import base64
import hashlib
import hmac
import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from xnovu_dev import keys
from xnovu_dev.credentials_mirror import mirror
from xnovu_dev.home import Home, lock, write_private
from xnovu_dev.progress import ProgressFile, ProgressReader
from xnovu_dev.state import read_processes, read_stack

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_private_file_is_never_readable_by_others(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        write_private(tmp_path / "secret", "s")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["secret"]


def test_a_lock_is_free_again_when_its_holder_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    code = (
        "import sys, pathlib; from xnovu_dev.home import lock\n"
        "with lock(pathlib.Path(sys.argv[1]), wait=False) as ours:\n"
        "    print(ours, flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    with holder.stdin, holder.stdout:
        assert holder.stdout.readline() == b"True\n"
        with lock(path, wait=False) as ours:
            assert not ours
        holder.kill()
        holder.wait()
        with lock(path, wait=False) as ours:
            assert ours


def test_a_pid_in_a_lock_file_that_nobody_holds_counts_for_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.supervisor_lock.write_text("1\n")
    assert home.supervisor_pid() is None
    with lock(home.supervisor_lock, wait=False):
        assert home.supervisor_pid() == 1


def test_what_is_no_stack_file_is_no_stack(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.stack_file.write_text('{"kubeconfig": "half')
    home.processes_file.write_text("[]")
    assert read_stack(home) is None
    assert read_processes(home) == {}


def test_progress_is_told_once_and_half_a_line_waits(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    assert ProgressReader(path).news() == []
    report = ProgressFile(path)
    reader = ProgressReader(path)
    report("etcd", "starting", "ü\n")
    assert reader.news() == [("etcd", "starting", "ü\n")]
    with path.open("a") as file:
        file.write('["etcd", "re')
        file.flush()
        assert reader.news() == []
        file.write('ady", ""]\n')
    assert reader.news() == [("etcd", "ready", "")]


def test_a_service_key_is_a_signed_token_with_its_role() -> None:
    head, body, signature = keys.token("service_role", "s3cret", NOW).split(".")
    expected = hmac.digest(b"s3cret", f"{head}.{body}".encode(), hashlib.sha256)
    assert base64.urlsafe_b64decode(signature + "=") == expected
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert (claims["role"], claims["iat"]) == ("service_role", int(NOW.timestamp()))


def test_a_home_keeps_its_keys_and_none_looks_like_an_option(tmp_path: Path) -> None:
    made = [keys.of_home(Home(tmp_path)) for _ in range(2)]
    assert made[0] == made[1]
    assert not [v for v in made[0].model_dump().values() if v.startswith("-")]
    assert made[0].novu_secret_key not in repr(made[0])


def test_the_mirror_writes_changes_and_removes(tmp_path: Path) -> None:
    mirror([{"e.novu.apiUrl": encoded("a")}, {"f.novu.apiUrl": encoded("b")}], tmp_path)
    untouched = (tmp_path / "f.novu.apiUrl").stat().st_mtime_ns
    mirror([{"e.novu.apiUrl": encoded("c")}, {"f.novu.apiUrl": encoded("b")}], tmp_path)
    assert (tmp_path / "e.novu.apiUrl").read_text() == "c"
    assert (tmp_path / "f.novu.apiUrl").stat().st_mtime_ns == untouched
    mirror([], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_mirror_writes_nothing_outside_and_no_bytes(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    bad = {"../up": encoded("x"), "..": encoded("x"), ".hidden": encoded("x"), "bytes": "//79"}
    mirror([{**bad, "e.novu.apiUrl": encoded("a")}], folder)
    assert [p.name for p in folder.iterdir()] == ["e.novu.apiUrl"]
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]
