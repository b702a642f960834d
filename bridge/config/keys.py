"""Every key there is, declared once: what it means, what it may hold, what it defaults to.

Data only. The reader, the JSON Schema and the tests of the documentation are driven by it.
"""

from __future__ import annotations

from bridge.config import values
from bridge.config.crossing import BOTH_WAYS, TO_MASTODON, TO_X
from bridge.config.declared import Key, Section, choice, switch
from bridge.config.money import MONEY
from bridge.config.surface_keys import LOG, METRICS, MQTT, NOTICES
from bridge.config.web import WEB


def _secret(name: str, doc: str, *, required: bool = True) -> Key:
    return Key(name, doc, values.token, required=required, secret=True)


def _route(
    name: str, doc: str, delay: str, visibility: Key, own: tuple[Key | Section, ...]
) -> Section:
    return Section(
        name,
        doc,
        (
            switch("enabled", "Whether this direction runs.", default=True),
            Key(
                "every",
                "How often the source is read: a duration of 1s or more, or a cron expression of "
                "five fields in UTC. Reading nothing new costs nothing.",
                values.every,
                default="60s",
            ),
            Key(
                "delay",
                "How long a post waits before it is mirrored.",
                values.duration,
                default=delay,
            ),
            Key(
                "start",
                "From where on posts are mirrored when the bridge first runs: `now` (the first "
                "pass only takes note of where the timeline stands), an ISO date, or `beginning`.",
                values.start,
                default="now",
            ),
            visibility,
            *BOTH_WAYS,
            *own,
        ),
    )


OAUTH1 = Section(
    "oauth1",
    "OAuth 1.0a: the four values from X's developer console, valid until revoked.",
    (
        _secret("consumer_key", "The app's key."),
        _secret("consumer_secret", "The app's secret."),
        _secret("access_token", "Your own access token for that app, with read and write."),
        _secret("access_token_secret", "The secret that belongs to the access token."),
    ),
)

OAUTH2 = Section(
    "oauth2",
    "OAuth 2.0: tokens of your account. They rotate; the current ones stand in the state folder.",
    (
        _secret("client_id", "The app's client id."),
        _secret(
            "client_secret", "The app's client secret; none for a public client.", required=False
        ),
        _secret(
            "access_token",
            "Your access token, valid for two hours; none where `twinpost login x` gets one.",
            required=False,
        ),
        _secret("refresh_token", "The refresh token that came with it.", required=False),
    ),
)

BRIDGE = Section(
    "bridges",
    "One entry for each pair of accounts.",
    (
        Key(
            "name",
            "What this bridge is called in logs and commands; do not change it later, since the "
            "ledger knows posts by it.",
            values.bridge_name,
            required=True,
        ),
        Section(
            "mastodon",
            "The account on Mastodon, or on any server that speaks its API.",
            (
                Key("url", "The server's address.", values.url, required=True),
                _secret(
                    "access_token",
                    "A token with read:statuses, read:accounts (or profile), write:statuses and "
                    "write:media; on GoToSocial read and write. Left out, `twinpost login "
                    "mastodon` gets one.",
                    required=False,
                ),
                choice(
                    "custom_emoji",
                    "Whether the server's own emoji stay as :shortcodes: in mirrors (`keep`) or "
                    "are left out (`remove`).",
                    "keep",
                    "remove",
                ),
            ),
            required=True,
        ),
        Section(
            "x",
            "The account on X. Give `oauth1` or `oauth2`, not both, or neither and sign in with "
            "`twinpost login x`.",
            (
                Key("url", "The API's address.", values.url, default="https://api.x.com"),
                OAUTH1,
                OAUTH2,
                choice(
                    "dialect",
                    "What the API's fields are called: `post` (2026 and later), `tweet` (before), "
                    "or `auto` to find out.",
                    "auto",
                    "post",
                    "tweet",
                ),
                Key(
                    "max_length",
                    "How long a post on X may be: 280, or up to 25000 on Premium. Where X says "
                    "that the account has no Premium, 280 is kept, whatever stands here.",
                    values.x_length_limit,
                    default="280",
                    shape="integer",
                ),
                switch(
                    "premium",
                    "Whether the account has Premium, and so can edit its posts. Left out, a "
                    "max_length above 280 says so.",
                    default=None,
                ),
                *MONEY,
            ),
            required=True,
        ),
        _route(
            "mastodon_to_x",
            "From Mastodon to X.",
            "30s",
            Key(
                "visibility",
                "Which posts may cross: public, unlisted. Private and direct posts never do.",
                values.source_audience,
                default="[public]",
                many=True,
                choices=("public", "unlisted"),
            ),
            TO_X,
        ),
        _route(
            "x_to_mastodon",
            "From X to Mastodon.",
            "0s",
            Key(
                "visibility",
                "The visibility of mirrors on Mastodon: public, unlisted or private.",
                values.mirror_visibility,
                default="public",
                choices=("public", "unlisted", "private"),
            ),
            TO_MASTODON,
        ),
        Key(
            "people",
            "Who is who: handles on Mastodon and on X that are one person, so that naming one "
            "names the other. Everybody else is named in a form that pings nobody.",
            values.handle,
            default="{}",
            mapping=True,
        ),
    ),
    required=True,
    many=True,
)

LEDGER = Section(
    "ledger",
    "How the ledger, the bridge's memory, is kept.",
    (
        Key(
            "backups",
            "How many copies of it are kept in the folder `backups` of the state folder; 0 for "
            "none.",
            values.whole(0, 1000),
            default="7",
            shape="integer",
        ),
        Key(
            "backup_every",
            "How often a copy is made: a duration of 10m or more.",
            values.at_least("10m"),
            default="24h",
        ),
        Key(
            "keep_text",
            "How long the text of a mirror is kept after it was sent: 2d or more, or `for_ever`. "
            "Ids and digests are kept in any case; copies of the ledger keep it until they go.",
            # What is compared with what stands on the other network must still be there.
            values.at_least("2d", "for_ever"),
            default="7d",
        ),
    ),
)

ROOT = Section(
    "",
    "The configuration of twinpost.",
    (
        Key(
            "state",
            "The folder for the ledger and rotating tokens, relative to this file. Default: "
            "$STATE_DIRECTORY, else the platform's folder for such things.",
            str,
        ),
        Key(
            "ca_file",
            "A file of certificates (PEM) that are trusted beside the system's own: for a proxy or "
            "a server of one's own. Relative to this file.",
            str,
        ),
        LEDGER,
        WEB,
        MQTT,
        METRICS,
        NOTICES,
        LOG,
        BRIDGE,
    ),
)
