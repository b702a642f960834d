"""Everything that speaks the Mastodon API: Mastodon itself and the other servers behind it."""
