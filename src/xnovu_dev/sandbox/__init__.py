"""The Novu sandbox: a server on loopback that honours Novu's API as far as XNovu and its tests use it.

As weak as the real thing (a transaction id is checked by a worker that lags behind), can be told to fail in every way
that matters, keeps a ledger of what each recipient got, and shows an inbox page. Not Novu, and not for production:
what it leaves out stands in docs/reference/sandbox.md. Started as `python -m xnovu_dev.sandbox` by the local stack.
"""
