"""The fault suite: breaks what the worker depends on, and the worker, and counts what was lost or sent twice.

`python -m xnovu_dev.faults` prints the table, `tests/faults` asserts it, `python -m xnovu_dev.faults soak` adds chance and
length. docs/faults.md explains all three. Nothing in here runs in production.
"""
