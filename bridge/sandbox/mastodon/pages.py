"""The page that a post's own address leads to, for people who follow a link.

Shows public and unlisted posts only, and no part of any API. Must not show what a stranger could
not see on a real server.
"""

from __future__ import annotations

from html import escape

from aiohttp import web

from bridge.sandbox.mastodon.door import Door

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{name} (@{acct})</title>
<style>.invisible {{ font-size: 0 }} .ellipsis::after {{ content: "\u2026" }}</style></head>
<body><article><h1>{name} (@{acct})</h1>{warning}<div dir="auto">{content}</div>
<p><time>{at}</time>, {visibility}</p></article></body></html>
"""

_NO_SCRIPTS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
"""A server that passes HTML on keeps the addresses of links, whatever they begin with."""


class PageRoutes:
    """The handler, at every address that a post of this kind of server has."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        where = {
            "mastodon": "/@{name}/{id}",
            "gotosocial": "/@{name}/statuses/{id}",
            "minimal": "/@{name}/p/{id}",
            "pleroma": "/notice/{id}",
        }
        return [web.get(where[self._door.profile.dialect], self.page)]

    async def page(self, request: web.Request) -> web.Response:
        """The post as a page; 404 where a stranger may not see it."""
        status = self._door.state.visible(request.match_info["id"], None)
        author = self._door.state.account(status.account_id) if status else None
        name = author.username if author else ""
        if status is None or author is None or request.match_info.get("name", name) != name:
            return web.Response(status=404, text="There is nothing here.")
        shown = self._door.show.status(status, None, self._door.origin(request))
        page = _PAGE.format(
            name=escape(author.display_name or author.username),
            acct=escape(author.acct),
            warning=f"<p>{escape(status.spoiler_text)}</p>" if status.spoiler_text else "",
            content=shown["content"],
            at=shown["created_at"],
            visibility=status.visibility,
        )
        return web.Response(text=page, content_type="text/html", headers=_NO_SCRIPTS)
