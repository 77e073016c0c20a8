"""Temporal's sandbox as the tests use it: what is not deterministic fails, and so does an import that nobody meant.

Production runs without it (docs/adr/0012-evolution.md); so whatever it would catch must be caught here.
"""

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import SandboxImportNotificationPolicy as Policy

POLICY = Policy.WARN_ON_DYNAMIC_IMPORT | Policy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
"""A warning is an error in our tests (pyproject.toml). A module that is neither named here nor imported under
`imports_passed_through` would be loaded anew for every run: meant for none."""


def sandboxed() -> SandboxedWorkflowRunner:
    """A runner for `build`, a Worker or a Replayer."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules("xnovu", "pydantic")
    return SandboxedWorkflowRunner(
        restrictions=restrictions.with_import_notification_policy(POLICY)
    )
