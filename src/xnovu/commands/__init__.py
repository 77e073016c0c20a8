"""What people do by hand: look at notifications, withdraw and replay them, try templates, prepare Novu.

One group of commands a module; `xnovu.__main__` puts them together. Each group has an `app` (its commands, thin), values
and decisions that are tested without a server, and a view that prints. Nothing here is used by the processes.
"""
