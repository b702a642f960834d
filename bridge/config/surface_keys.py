"""The keys of what the daemon tells outside: MQTT, metrics, notices, the log. Data only."""

from __future__ import annotations

from bridge.config import places, values
from bridge.config.declared import Key, Section, choice, switch
from bridge.config.web import host, listen

HOME_ASSISTANT = Section(
    "home_assistant",
    "How Home Assistant finds the bridge by itself.",
    (
        switch("enabled", "Whether each bridge is announced as a device.", default=True),
        Key(
            "prefix",
            "The discovery prefix that Home Assistant is set to.",
            places.topic_prefix,
            default="homeassistant",
        ),
    ),
)

MQTT = Section(
    "mqtt",
    "A broker that hears what happens; see docs/mqtt.md. Needs the extra `mqtt`.",
    (
        Key("host", "The broker's name or address.", host, required=True),
        Key("port", "Its port. Default: 1883, with TLS 8883.", places.port, shape="integer"),
        switch("tls", "Whether the connection is encrypted.", default=False),
        Key(
            "tls_ca_file",
            "A file of certificates (PEM) that are trusted for the broker beside those that are "
            "trusted anyway. Relative to this file.",
            str,
        ),
        Key("username", "The name to sign in with.", places.password),
        Key(
            "password",
            "The password that goes with it.",
            places.password,
            secret=True,
        ),
        choice("version", "The version of MQTT that is spoken: 3.1.1 or 5.", "3.1.1", "5"),
        Key(
            "topic",
            "What all topics begin with. Two daemons on one broker need two of them.",
            places.topic_prefix,
            default="twinpost",
        ),
        switch("include_text", "Whether events carry the text of mirrors.", default=False),
        switch(
            "commands",
            "Whether pause, resume and sync-now are taken from the broker.",
            default=False,
        ),
        HOME_ASSISTANT,
    ),
)

METRICS = Section(
    "metrics",
    "Figures for Prometheus; see docs/metrics.md. Needs the extra `metrics`.",
    (
        switch("enabled", "Whether they are served.", default=False),
        Key(
            "listen",
            "Where: an address of this machine and a port.",
            listen,
            default="127.0.0.1:8431",
        ),
        Key(
            "hosts",
            "Names by which that address may be asked, beside localhost and IP addresses.",
            host,
            default="[]",
            many=True,
            may_be_empty=True,
        ),
    ),
)

WEBHOOK = Section(
    "webhook",
    "Posts a notice as JSON to an address.",
    (Key("url", "The address; often it is a secret.", places.hook, required=True, secret=True),),
)

NTFY = Section(
    "ntfy",
    "Sends a notice to phones by ntfy.",
    (
        Key("url", "The server.", values.url, default="https://ntfy.sh"),
        Key(
            "topic",
            "The topic; on a public server, who knows it can read it.",
            places.ntfy_topic,
            required=True,
            secret=True,
        ),
        Key("token", "An access token, where the server wants one.", values.token, secret=True),
    ),
)

EMAIL = Section(
    "email",
    "Sends a notice by e-mail.",
    (
        Key("host", "The mail server.", host, required=True),
        Key(
            "port",
            "Its port. Default: 587 for starttls, 465 for tls, 25 for none.",
            places.port,
            shape="integer",
        ),
        choice(
            "security",
            "How the connection is encrypted: `starttls`, `tls` from the start, or `none`, which "
            "is for this machine only.",
            "starttls",
            "tls",
            "none",
        ),
        Key("username", "The name to sign in with, where the server wants one.", places.password),
        Key("password", "The password that goes with it.", places.password, secret=True),
        Key("from", "The sender's address.", places.mailbox, required=True),
        Key("to", "The addresses it goes to.", places.mailbox, required=True, many=True),
    ),
)

NOTICES = Section(
    "notices",
    "Who is told when the bridge needs its owner; see docs/notices.md. Each way that is given is "
    "used.",
    (
        Key(
            "remind_every",
            "How often one is reminded of what still waits: 1h or more.",
            values.at_least("1h"),
            default="24h",
        ),
        Key(
            "silent_after",
            "For how long nothing may be mirrored, though posts came, before that is told: 1d or "
            "more, or `never`.",
            values.at_least("1d", "never"),
            default="3d",
        ),
        WEBHOOK,
        NTFY,
        EMAIL,
        Key(
            "command",
            "A program with its arguments, started without a shell; the notice is its standard "
            "input.",
            places.argument,
            many=True,
        ),
    ),
)

LOG = Section(
    "log",
    "How the log is written.",
    (
        choice(
            "format",
            "`text` for people, `json` for programs: one line an event in both.",
            "text",
            "json",
        ),
    ),
)
