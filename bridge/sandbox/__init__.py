"""Stand-ins for both networks, served over real HTTP: for the demo, rehearsals and the suite.

Written from what the networks publish, never from what the bridge happens to send, so that they
refuse what the networks refuse. Must not import anything of the bridge but `bridge.core`, keep
anything on disk, or reach beyond the address it is served on.
"""
