"""Signing in: how a bridge comes by tokens of both networks, and where they are kept.

`logins` is what is kept; `server` and `pkce` and `redirect` are pure; `mastodon` and `x` are the
two flows; `wire` and `loopback` are all there is of I/O. Must not know commands or posts, and no
message of it ever carries a code, a token or a secret.
"""
