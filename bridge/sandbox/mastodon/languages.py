"""Which language a post gets: the one asked for if the server knows it, else a fallback.

Must not detect anything from a text; no Mastodon of today does.
"""

from __future__ import annotations

import re

_KNOWN = frozenset(
    """
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da
    de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gu gv ha he hi ho hr ht hu hy hz ia
    id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo
    lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl
    ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sn so sq sr ss st su sv sw ta te tg th ti tk tl
    tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
    zh-CN zh-HK zh-TW zh-YUE ast chr ckb cnr csb gsw jbo kab ldn lfn moh nds pdc sco sma smj szl
    tok vai xal zba zgh
    """.split()  # noqa: SIM905 - a table of words is read more easily than 200 strings
)


def posting_language(asked: str | None, default: str | None) -> str:
    """`asked` if known, its part before the region if only that is, the default, else English."""
    for candidate in (asked, default):
        if not candidate:
            continue
        if candidate in _KNOWN:
            return candidate
        language = re.split("[_-]", candidate)[0]
        if language in _KNOWN:
            return language
    return "en"
