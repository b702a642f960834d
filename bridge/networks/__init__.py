"""Adapters: one folder for each network, unaware of each other.

Raw JSON, markup and third-party clients live and die in here; what leaves is `bridge.core`'s.
"""
