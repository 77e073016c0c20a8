"""`stack.json` and `processes.json` as values: where a running stack is, and what each of its processes does.

Written by the supervisor, read by everybody: the command line, the demo, the tests and people. `stack.json` is there
exactly while the stack is up; its keys are part of what XNovu promises, and it holds secrets of this stack only.
"""

from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from xnovu_dev.home import Home, write_private


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True
    )


class TemporalPart(_Part):
    """Temporal's dev server."""

    address: str
    namespace: str
    ui: str


class SupabasePart(_Part):
    """Postgres with PostgREST under `/rest/v1`."""

    url: str
    service_role_key: str = Field(repr=False)
    dsn: str = Field(repr=False)


class NovuPart(_Part):
    """The Novu sandbox."""

    url: str
    secret_key: str = Field(repr=False)
    inbox: str


class ProcessPart(_Part):
    """The operator or the worker: addresses of its metrics and of its health."""

    metrics: str
    health: str


class Stack(_Part):
    """Where everything is. `operator` and `worker` are absent where only the servers were started."""

    kubeconfig: Path
    temporal: TemporalPart
    supabase: SupabasePart
    novu: NovuPart
    operator: ProcessPart | None = None
    worker: ProcessPart | None = None
    pids: dict[str, int]


class ProcessState(_Part):
    """One process. `started`: since when (epoch seconds of the kernel), which with the pid says which process it is."""

    pid: int
    state: str
    started: float
    restarts: int = 0
    last_exit: str | None = None
    last_exit_at: datetime | None = None


_PROCESSES = TypeAdapter(dict[str, ProcessState])


def read_stack(home: Home) -> Stack | None:
    """The stack as last written, None where there is none or the file is not ours."""
    try:
        return Stack.model_validate_json(home.stack_file.read_text())
    except (FileNotFoundError, ValidationError):
        return None


def write_stack(home: Home, stack: Stack) -> None:
    text = stack.model_dump_json(by_alias=True, indent=2, exclude_none=True)
    write_private(home.stack_file, text + "\n")


def read_processes(home: Home) -> dict[str, ProcessState]:
    """What the processes did when it was last written, in the order of their start."""
    try:
        return _PROCESSES.validate_json(home.processes_file.read_text())
    except (FileNotFoundError, ValidationError):
        return {}


def write_processes(home: Home, processes: dict[str, ProcessState]) -> None:
    text = _PROCESSES.dump_json(processes, by_alias=True, indent=2, exclude_none=True)
    write_private(home.processes_file, text.decode() + "\n")
