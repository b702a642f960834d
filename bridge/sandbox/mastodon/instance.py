"""What the server says of itself: instance v1 and v2, and the way to sign in.

As complete as real answers are, so that readers meet what they will meet. Figures come from the
profile and nowhere else.
"""

from __future__ import annotations

from aiohttp import web

from bridge.sandbox.mastodon.door import Door
from bridge.sandbox.mastodon.oauth import SCOPES, VAPID_KEY
from bridge.sandbox.mastodon.problems import NOT_FOUND, ApiError, Json

MIME_TYPES = (
    "image/jpeg", "image/png", "image/gif", "image/heic", "image/heif", "image/webp", "image/avif",
    "video/webm", "video/mp4", "video/quicktime", "video/ogg", "audio/wave", "audio/wav",
    "audio/x-wav", "audio/x-pn-wave", "audio/vnd.wave", "audio/ogg", "audio/vorbis", "audio/mpeg",
    "audio/mp3", "audio/webm", "audio/flac", "audio/aac", "audio/m4a", "audio/x-m4a", "audio/mp4",
    "audio/3gpp", "video/x-ms-asf",
)  # fmt: skip
_SOURCES = {
    "mastodon": "https://github.com/mastodon/mastodon",
    "gotosocial": "https://codeberg.org/superseriousbusiness/gotosocial",
    "minimal": "https://comam.es/what-is-snac",
    "pleroma": "https://git.pleroma.social/pleroma/pleroma",
    "old": "https://github.com/tootsuite/mastodon",
}


class InstanceRoutes:
    """The handlers."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def routes(self) -> list[web.RouteDef]:
        """What is served; the library that most clients use asks with a slash at the end."""
        listed = [
            web.get("/api/v1/instance", self.version_1),
            web.get("/api/v1/instance/", self.version_1),
        ]
        if self._door.profile.instance_v2:
            listed += [
                web.get("/api/v2/instance", self.version_2),
                web.get("/api/v2/instance/", self.version_2),
            ]
        if self._door.profile.metadata:
            path = "/.well-known/oauth-authorization-server"
            listed.append(web.get(path, self.authorization_server))
        if self._door.profile.websocket or self._door.profile.events:
            listed.append(web.get("/api/v1/streaming/health", self.health))
        return listed

    async def version_1(self, request: web.Request) -> web.Response:
        """``GET /api/v1/instance``."""
        streaming = self._streaming(request)
        accounts = self._door.state.accounts()
        body: Json = {
            "uri": request.host,
            "title": f"Sandbox ({self._door.profile.name})",
            "short_description": "A stand-in for a server, for rehearsals.",
            "description": "",
            "email": "admin@sandbox.example",
            "version": self._door.profile.version,
            "urls": {"streaming_api": streaming} if streaming else {},
            "stats": {
                "user_count": len(accounts),
                "status_count": sum(self._door.state.count(one.id) for one in accounts),
                "domain_count": 1,
            },
            "thumbnail": f"{self._door.origin(request)}/packs/media/images/preview.png",
            "languages": ["en"],
            "registrations": False,
            "approval_required": False,
            "invites_enabled": False,
            "contact_account": None,
            "rules": [],
        }
        if self._door.profile.configured:
            body["configuration"] = self._configuration()
        if self._door.profile.dialect == "pleroma":
            body["max_toot_chars"] = self._door.profile.max_characters
            body["pleroma"] = {"metadata": {"features": ["mastodon_api", "editing"]}}
        return web.json_response(body)

    async def version_2(self, request: web.Request) -> web.Response:
        """``GET /api/v2/instance``."""
        profile = self._door.profile
        configuration = self._configuration()
        configuration["urls"] = {"streaming": self._streaming(request)}
        configuration["translation"] = {"enabled": False}
        body: Json = {
            "domain": request.url.host,
            "title": f"Sandbox ({profile.name})",
            "version": profile.version,
            "source_url": _SOURCES[profile.name],
            "description": "A stand-in for a server, for rehearsals.",
            "usage": {"users": {"active_month": len(self._door.state.accounts())}},
            "thumbnail": {"url": f"{self._door.origin(request)}/packs/media/images/preview.png"},
            "languages": ["en"],
            "configuration": configuration,
            "registrations": {"enabled": False, "approval_required": False, "message": None},
            "contact": {"email": "admin@sandbox.example", "account": None},
            "rules": [],
        }
        if profile.dialect == "mastodon":
            open_to_all: Json = {"local": "public", "remote": "public"}
            configuration |= {
                "vapid": {"public_key": VAPID_KEY},
                "limited_federation": False,
                "timelines_access": {
                    "live_feeds": open_to_all,
                    "hashtag_feeds": open_to_all,
                    "trending_link_feeds": open_to_all,
                },
            }
            body |= {"icon": [], "api_versions": {"mastodon": profile.api_version}}
        return web.json_response(body)

    async def authorization_server(self, request: web.Request) -> web.Response:
        """``GET /.well-known/oauth-authorization-server``."""
        origin = self._door.origin(request)
        body: Json = {
            "issuer": f"{origin}/",
            "service_documentation": "https://docs.joinmastodon.org/",
            "authorization_endpoint": f"{origin}/oauth/authorize",
            "token_endpoint": f"{origin}/oauth/token",
            "app_registration_endpoint": f"{origin}/api/v1/apps",
            "revocation_endpoint": f"{origin}/oauth/revoke",
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "fragment", "form_post"],
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
        }
        return web.json_response(body)

    async def health(self, _request: web.Request) -> web.Response:
        """``GET /api/v1/streaming/health``."""
        if self._door.profile.dialect != "mastodon":
            raise ApiError(404, NOT_FOUND)
        return web.Response(text="OK")

    def _streaming(self, request: web.Request) -> str:
        if not self._door.profile.websocket:
            return ""
        return f"{'wss' if request.scheme == 'https' else 'ws'}://{request.host}"

    def _configuration(self) -> Json:
        profile = self._door.profile
        media: Json = {
            "supported_mime_types": list(MIME_TYPES),
            "image_size_limit": profile.media.image_size,
            "image_matrix_limit": profile.media.image_matrix,
            "video_size_limit": profile.media.video_size,
            "video_frame_rate_limit": profile.media.frame_rate,
            "video_matrix_limit": profile.media.video_matrix,
        }
        statuses: Json = {
            "max_characters": profile.max_characters,
            "max_media_attachments": profile.max_media,
            "characters_reserved_per_url": profile.url_characters,
        }
        if profile.dialect != "minimal":
            media["description_limit"] = profile.media.alt_length
        if profile.dialect == "gotosocial":
            media["description_minimum"] = profile.media.alt_least
            statuses["supported_mime_types"] = ["text/plain", "text/markdown"]
        polls = profile.polls
        return {
            "accounts": {"max_featured_tags": 10, "max_pinned_statuses": 5},
            "statuses": statuses,
            "media_attachments": media,
            "polls": {
                "max_options": polls.max_options if polls else 0,
                "max_characters_per_option": polls.option_length if polls else 0,
                "min_expiration": polls.min_seconds if polls else 0,
                "max_expiration": polls.max_seconds if polls else 0,
            },
        }
