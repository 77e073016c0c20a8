"""`python -m xnovu_dev …`: the bare local stack, without the show of `xnovu up`, for scripts and for the stack itself.

`supervise` is what `xnovu_dev.stack` starts: it detaches and owns the stack. Exit codes: 0 done, 1 failed with a line,
130 interrupted.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from xnovu_dev import environment
from xnovu_dev.home import Home, lock
from xnovu_dev.problems import StackError

INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="xnovu_dev", description=__doc__)
    parser.add_argument("--home", type=Path, help="default: XNOVU_HOME, else .xnovu")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="start the stack")
    commands.add_parser("down", help="stop it; the data stays")
    commands.add_parser("reset", help="stop it and forget its data")
    commands.add_parser("status", help="what its processes do")
    commands.add_parser("restart", help="start one process anew").add_argument("name")
    commands.add_parser("program", help="find or make a program").add_argument("name")
    commands.add_parser("programs", help="find or make all of them, with progress")
    supervise = commands.add_parser("supervise", help="own the stack (started by `up`)")
    supervise.add_argument("--home", type=Path, required=True)
    supervise.add_argument("--components", required=True)
    supervise.add_argument("--programs", required=True)
    supervise.add_argument("--owner", type=int)
    given = parser.parse_args(arguments)
    try:
        if given.command == "supervise":
            return _supervise(given)
        return _command(given)
    except StackError as error:
        print(f"xnovu: {error}", file=sys.stderr)  # noqa: T201 - a message for people
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def _say(component: str, state: str, detail: str) -> None:
    print(f"{component}: {state}{f', {detail}' if detail else ''}", flush=True)  # noqa: T201 - its purpose


def _command(given: argparse.Namespace) -> int:
    # The supervisor detaches before it imports anything that starts threads.
    from xnovu_dev import programs, stack  # noqa: PLC0415

    environ = environment.inherited()
    home = environment.home(given.home, environ)
    match given.command:
        case "up":
            stack.start(home, _say)
        case "down" | "reset":
            stack.stop(home, forget=given.command == "reset", report=_say)
        case "restart":
            _say(given.name, "ready", f"pid {stack.restart(home, given.name).pid}")
        case "program":
            wanted = programs.PROGRAMS.get(given.name)
            if wanted is None:
                raise StackError(f"no such program: {given.name}; {', '.join(programs.PROGRAMS)}")
            found = programs.find(wanted, environ, environment.cache(environ), lambda *_: None)
            print(found.path)  # noqa: T201 - its purpose
        case "programs":
            programs.find_all((*programs.SERVERS, "temporal-test-server"), environ, _say)
        case _:
            states = stack.processes(home)
            for name, state in states.items():
                _say(name, state.state, f"pid {state.pid}, {state.restarts} restarts")
            return 0 if stack.load(home) is not None else 1
    return 0


def _supervise(given: argparse.Namespace) -> int:
    home = Home(given.home)
    with lock(home.supervisor_lock, wait=False) as ours:
        if not ours:
            raise StackError("another supervisor is at work here")
        # The lock goes along to the child, which is nobody's: it stays when its starter leaves.
        if os.fork():
            os._exit(0)
        home.supervisor_lock.write_text(f"{os.getpid()}\n")
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
        logging.getLogger("httpx").setLevel(logging.WARNING)
        components = tuple(filter(None, given.components.split(",")))
        return _serve(home, components, json.loads(given.programs), given.owner)


def _serve(
    home: Home, components: tuple[str, ...], programs: dict[str, str], owner: int | None
) -> int:
    from xnovu_dev import keys, ports, supervisor  # noqa: PLC0415 - after the fork
    from xnovu_dev.context import Context  # noqa: PLC0415
    from xnovu_dev.progress import FAILED, ProgressFile  # noqa: PLC0415

    report = ProgressFile(home.progress_file)

    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        context = Context(
            home=home,
            ports=ports.of_home(home, supervisor.PORTS),
            keys=keys.of_home(home),
            programs={name: Path(path) for name, path in programs.items()},
            environ=environment.inherited(),
        )
        await supervisor.Supervisor(context, components, report, owner).run(stop)

    try:
        asyncio.run(run())
    except StackError as error:
        logging.getLogger(__name__).error("%s", error)  # noqa: TRY400 - a message for people
        report(supervisor.STACK, FAILED, str(error))
        return 1
    except Exception as error:
        logging.getLogger(__name__).exception("a defect of the stack")
        report(supervisor.STACK, FAILED, f"{type(error).__name__}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
