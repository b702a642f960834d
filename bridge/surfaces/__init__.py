"""Floor 4: what people and machines look at and press. Each only translates to the engine's words.

Surfaces know nothing of each other, of networks or of the ledger. Must not decide anything.
"""
