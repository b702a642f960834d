"""The composition root: settings become a wired bridge.

The only floor that knows every one below. It decides nothing: it opens, connects and closes. A
module for each occasion, so that a glance at the ledger does not load the clients of both networks.
"""
