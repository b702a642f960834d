"""The bridge's memory in SQLite: what was read, decided, tried and delivered, and what it cost.

`bridge.ledger.sqlite` opens it; the other modules are its rooms. Must not decide anything about a
post, and must not know networks: ids and addresses are opaque here.
"""
