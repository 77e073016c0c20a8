"""`xnovu …` as a process of its own, with the settings of a stack, and what it left behind. Not for production code.

The processes are forked from one that has imported everything already: loading the clients takes longer than most
commands. A forked one gets its arguments, environment, folder and files, and runs the console script's entry point.
"""

import json
import multiprocessing
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xnovu_dev.state import Stack

SECONDS = 60
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(
    [
        "xnovu.__main__",
        "xnovu.commands.deadletters_work",
        "xnovu.commands.notification_work",
        "xnovu.commands.novu_work",
        "xnovu.commands.template_work",
    ]
)


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int | None
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self
        return json.loads(self.out)

    def is_one_line(self, *parts: str, code: int = 1) -> bool:
        """Whether it failed with one line that holds all of `parts`, and printed nothing else."""
        assert (self.code, self.out) == (code, ""), self
        assert self.err.count("\n") == 1, self.err
        for part in parts:
            assert part in self.err, self.err
        return self.err.startswith("xnovu: ")


@dataclass(frozen=True)
class CommandLine:
    """Runs `xnovu` in `folder`. `settings`: its variables; `secrets`: what it must never print."""

    settings: dict[str, str]
    folder: Path
    secrets: tuple[str, ...] = field(repr=False)

    def __call__(self, *arguments: str, **settings: str | None) -> Said:
        """`settings` replaces variables, by their name without XNOVU_; None takes one away."""
        mine = self.settings | {f"XNOVU_{k}": v for k, v in settings.items()}
        environment = {k: v for k, v in mine.items() if v is not None}
        files = [str(self.folder / name) for name in ("stdout", "stderr")]
        process = _processes.Process(
            target=_run, args=(arguments, environment, str(self.folder), files)
        )
        process.start()
        process.join(SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
        said = Said(process.exitcode, *(Path(f).read_text("utf-8") for f in files))
        assert "Traceback" not in said.err, said.err
        for secret in self.secrets:
            assert secret not in said.out + said.err
        return said


def of_stack(stack: Stack, folder: Path) -> CommandLine:
    """With the settings that its worker has."""
    secrets = (stack.supabase.service_role_key, stack.novu.secret_key)
    settings = {
        "XNOVU_SUPABASE__URL": stack.supabase.url,
        "XNOVU_SUPABASE__SERVICE_ROLE_KEY": stack.supabase.service_role_key,
        "XNOVU_NOVU__API_URL": stack.novu.url,
        "XNOVU_NOVU__SECRET_KEY": stack.novu.secret_key,
        "XNOVU_TEMPORAL__ADDRESS": stack.temporal.address,
    }
    return CommandLine(settings, folder, secrets)


def _run(
    arguments: tuple[str, ...], settings: dict[str, str], folder: str, files: list[str]
) -> None:
    """In the new process."""
    environ = os.environ  # noqa: TID251  # its own, made for this command
    for name in [name for name in environ if name.startswith("XNOVU_")]:
        del environ[name]
    environ.update(settings)
    os.chdir(folder)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, file in enumerate(files, 1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.argv = ["xnovu", *arguments]
    from xnovu.__main__ import main

    main()
