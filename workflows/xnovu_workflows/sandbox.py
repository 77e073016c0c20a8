"""Imports of our own modules that decide something for a workflow. Used by the workflows' files only."""

from contextlib import AbstractContextManager

from temporalio import workflow


def reloaded() -> AbstractContextManager[None]:
    """Let Temporal's sandbox load what is imported here with the workflow, so that it watches that code too.

    Values (contracts, policies, errors) are passed through instead. Outside the sandbox this does nothing.
    """
    silent = workflow.SandboxImportNotificationPolicy.SILENT
    return workflow.unsafe.sandbox_import_notification_policy(silent)
