"""OAuth 1.0a as X checks it: HMAC-SHA1 over the very address that was asked, fresh and only once.

Signatures are verified by oauthlib. The time window is measured against the machine's clock, not
the sandbox's: client libraries sign with the machine's time and cannot follow a shift.
"""

from __future__ import annotations

import time
from collections import OrderedDict

from aiohttp import web
from oauthlib.oauth1 import RequestValidator, ResourceEndpoint

from bridge.sandbox.x.accounts import XAccount

WINDOW_SECONDS = 300
"""How far a signature's timestamp may be from now, either way."""


class SignatureCheck:
    """Knows every account's keys, and every nonce of the last minutes."""

    def __init__(self) -> None:
        self._validator = _Validator()
        self._endpoint = ResourceEndpoint(self._validator)

    def add(self, account: XAccount) -> None:
        """Accept `account`'s keys from now on."""
        keys = account.oauth1
        self._validator.secrets[keys.consumer_key, keys.access_token] = (
            keys.consumer_secret,
            keys.access_token_secret,
            account.id,
        )

    async def account_id(self, request: web.Request) -> str | None:
        """Whose valid signature `request` carries, if it does."""
        headers = {"Authorization": request.headers.get("Authorization", "")}
        body = None
        try:
            if request.content_type == "application/x-www-form-urlencoded":
                headers["Content-Type"] = request.content_type
                body = await request.text()
            valid, signed = self._endpoint.validate_protected_resource_request(
                f"{request.scheme}://{request.host}{request.raw_path}",
                request.method,
                body,
                headers,
            )
        except (ValueError, LookupError):
            # A header or a body that cannot be taken apart is no signature.
            return None
        if not valid:
            return None
        key = (signed.client_key, signed.resource_owner_key)
        return self._validator.secrets[key][2]


class _Validator(RequestValidator):
    """What oauthlib asks about keys. Unknown ones are compared like known ones, then refused."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets: dict[tuple[str, str], tuple[str, str, str]] = {}
        self._nonces: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    allowed_signature_methods = ("HMAC-SHA1",)
    enforce_ssl = False
    timestamp_lifetime = WINDOW_SECONDS
    dummy_client = "unknown-client"
    dummy_access_token = "unknown-token"  # noqa: S105 - stands for no token at all

    def check_client_key(self, client_key: str) -> bool:
        return bool(client_key)

    def check_access_token(self, request_token: str) -> bool:
        return bool(request_token)

    def check_nonce(self, nonce: str) -> bool:
        return bool(nonce)

    def validate_client_key(self, client_key: str, request: object) -> bool:  # noqa: ARG002
        return any(key == client_key for key, _ in self.secrets)

    def validate_access_token(self, client_key: str, token: str, request: object) -> bool:  # noqa: ARG002
        return (client_key, token) in self.secrets

    def validate_realms(self, *_args: object, **_kwargs: object) -> bool:
        return True

    def get_client_secret(self, client_key: str, request: object) -> str:  # noqa: ARG002
        found = (secret for (key, _), (secret, _, _) in self.secrets.items() if key == client_key)
        return next(found, "unknown-secret")

    def get_access_token_secret(self, client_key: str, token: str, request: object) -> str:  # noqa: ARG002
        return self.secrets.get((client_key, token), ("", "unknown-secret", ""))[1]

    def validate_timestamp_and_nonce(  # noqa: PLR0917 - oauthlib's signature
        self,
        client_key: str,
        timestamp: str,
        nonce: str,
        request: object,  # noqa: ARG002
        request_token: str | None = None,  # noqa: ARG002
        access_token: str | None = None,
    ) -> bool:
        del timestamp  # its window was checked before
        now = time.time()
        while self._nonces and next(iter(self._nonces.values())) < now - 2 * WINDOW_SECONDS:
            self._nonces.popitem(last=False)
        key = (client_key, access_token or "", nonce)
        if key in self._nonces:
            return False
        self._nonces[key] = now
        return True
