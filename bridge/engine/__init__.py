"""What the daemon does: watch, take in, deliver, reconcile, on a schedule, under supervision.

Knows ports and core only; everything that touches the world is handed in by `bridge.app`.
"""
