"""The folder of one stack: where each thing is in it, and how secrets are written there.

Knows paths and locks and nothing of the servers. Locks are the kernel's: a killed holder leaves none behind.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700


def write_private(path: Path, text: str) -> None:
    """Replace `path` at once or not at all; nobody else can read it, at no moment."""
    half = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    half.replace(path)


def private_folder(path: Path) -> Path:
    """The folder, made when it is not there."""
    path.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    return path


@contextmanager
def lock(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold the lock `path` in the block; gives False where somebody else holds it and `wait` is not asked for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Home:
    """`root` is absolute."""

    root: Path

    @property
    def stack_file(self) -> Path:
        """Where everything is, once all is ready; gone when the stack is stopped."""
        return self.root / "stack.json"

    @property
    def processes_file(self) -> Path:
        """What each process is doing; kept up to date by the supervisor."""
        return self.root / "processes.json"

    @property
    def progress_file(self) -> Path:
        return self.root / "progress.jsonl"

    @property
    def ports_file(self) -> Path:
        return self.root / "ports.json"

    @property
    def keys_file(self) -> Path:
        return self.root / "keys.json"

    @property
    def start_lock(self) -> Path:
        """Held by who starts or stops."""
        return self.root / "start.lock"

    @property
    def supervisor_lock(self) -> Path:
        """Held by the supervisor as long as it lives."""
        return self.root / "supervisor.lock"

    @property
    def certificates(self) -> Path:
        return self.root / "certificates"

    @property
    def kubeconfig(self) -> Path:
        return self.root / "kubeconfig"

    @property
    def operator_kubeconfig(self) -> Path:
        return self.root / "operator.kubeconfig"

    @property
    def credentials(self) -> Path:
        """The files of the worker's `credentials_dir`."""
        return self.root / "credentials"

    def log(self, name: str) -> Path:
        return self.root / "logs" / f"{name}.log"

    def data(self, name: str) -> Path:
        """The data of one server; `reset` removes it."""
        return self.root / "data" / name

    def forgotten(self) -> tuple[Path, ...]:
        """What `reset` removes. Not the folder itself: somebody may keep something else in it."""
        names = (self.processes_file, self.progress_file, self.ports_file, self.keys_file)
        more = (self.kubeconfig, self.operator_kubeconfig, self.certificates, self.credentials)
        return (self.stack_file, *names, *more, self.root / "data", self.root / "logs")

    def supervised(self) -> bool:
        """Whether a supervisor lives here."""
        if not self.supervisor_lock.exists():
            return False
        with lock(self.supervisor_lock, wait=False) as free:
            return not free

    def supervisor_pid(self) -> int | None:
        """The living supervisor's process id. It is in the lock's file, and counts only while the lock is held."""
        if not self.supervised():
            return None
        text = self.supervisor_lock.read_text().strip()
        return int(text) if text.isdigit() else None
