"""The web page: one glance says whether all is well, one click mends what is not.

Rendered by the server, with little script and nothing from elsewhere. Must not hold any rule of the
bridge: it asks `engine.control`, tells `engine.commands`, and knows no other surface.
"""
