"""Notices to the owner: once for each cause, again after a while, and when it is mended.

    causes    what needs the owner, from how things stand
    told      who was told of what, across restarts
    ways      webhook, ntfy, a command
    mail      e-mail
    surface   the listener, and the task that looks and tells

Must not delay anything: the task looks on its own, and each way has a bound of time.
"""
