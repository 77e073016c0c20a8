"""The errors of the local stack: each a line for a person, with what to do next. A traceback is a defect."""

from pathlib import Path


class StackError(Exception):
    """Something of the stack did not work. `log`: where it says more."""

    def __init__(self, message: str, log: Path | None = None) -> None:
        super().__init__(message if log is None else f"{message} (see {log})")
        self.message = message
        self.log = log


class SupervisorEnded(StackError):
    """It ended while somebody waited for it, and reported no failure."""


class ProgramMissing(StackError):
    """A program is in none of the places where it may be, and cannot be made here."""
