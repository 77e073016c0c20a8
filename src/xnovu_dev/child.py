"""Runs before each program of the stack, in its process: ties its life to the supervisor's, then becomes the program.

A script of its own, started by `python -I -S child.py PARENT SIGNAL USER -- COMMAND…`: between fork and exec of a process
with threads nothing of Python may run. Linux only (prctl). Facts from prctl(2) and capabilities(7):

* PR_SET_PDEATHSIG is forgotten when the user changes, so it is set last; a parent that died before is seen by getppid.
* Ambient capabilities survive exec. A Postgres that may not be root keeps CAP_DAC_OVERRIDE where root has it, so that
  it reaches a home that only root may enter (0700), as it would if it were not for its refusal to be root.
"""

import contextlib
import ctypes
import os
import pwd
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def become(name: str) -> None:
    """Change to the user; its one capability is kept where we have it."""
    user = pwd.getpwnam(name)
    _check(_libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
    os.setgroups([])
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    bit = 1 << CAP_DAC_OVERRIDE
    data = (_Data * 2)(_Data(bit, bit, bit), _Data(0, 0, 0))
    with contextlib.suppress(OSError):
        _check(_libc.capset(ctypes.byref(_Header(CAPABILITY_VERSION_3, 0)), data))
        _check(_libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0))


def main(arguments: list[str]) -> None:
    """Become the command; does not return."""
    parent, death, user, _, *command = arguments
    if user != "-":
        become(user)
    _check(_libc.prctl(PR_SET_PDEATHSIG, int(death), 0, 0, 0))
    if os.getppid() != int(parent):
        os.kill(os.getpid(), signal.SIGKILL)
    os.execvp(command[0], command)  # noqa: S606 - this is what the script is for


if __name__ == "__main__":
    main(sys.argv[1:])
