"""The pure core: what a post is, what may be done with it, how it is fitted and what that costs.

Nothing in here performs I/O, reads a clock or a random source, or knows asyncio.
"""
