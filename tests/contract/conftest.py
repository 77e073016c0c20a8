"""Fixtures of the contract tests."""

from support.sandbox import novu_sandbox, novu_sandbox_process

__all__ = ["novu_sandbox", "novu_sandbox_process"]
