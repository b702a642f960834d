"""What snac makes of a text: from its documents and sources, and from nothing else.

Every text is its own Markdown with HTML in it, whoever sent it and however.
"""

import html
import re

EMOTICONS = {":-)": "🙂", ":-D": "😀", ";-)": "😉", ":-(": "😞", ":-/": "😕", "<3": "❤️"}
PAIRED = {
    "***": "<b><i>%s</i></b>",
    "**": "<b>%s</b>",
    "*": "<i>%s</i>",
    "`": "<code>%s</code>",
    "~~": "<s>%s</s>",
    "__": "<u>%s</u>",
}
MARKS = re.compile(
    r"`[^`]+`|~~[^~]+~~|\*{1,3}[^*]+\*{1,3}|__[^_]+__|\[[^]]+\]\([^)]+\)"
    r"|https?://[^\s,.)]+(?:[,.)]+[^\s,.)]+)*"
)
TAGS = re.compile(
    "a|p|br|blockquote|ul|ol|li|cite|small|span|i|b|u|s|pre|code|em|strong|hr|img|del|bdi|h2|h3"
)


def marked_up(text: str) -> str:
    """The `content` of a status whose text is `text`."""
    made, verbatim = "", False
    for line in text.split("\n"):
        if line == "```":
            verbatim = not verbatim
            made += "<pre>" if verbatim else "</pre>"
        elif verbatim:
            made += html.escape(line) + "<br>"
        else:
            made += begun(MARKS.sub(marked, line).strip())
    for emoticon, emoji in EMOTICONS.items():
        made = made.replace(emoticon, emoji)
    return re.sub(r"</?([^>]+)>", sanitized, made)


def begun(line: str) -> str:
    """A line by what it begins with."""
    if line.startswith("---"):
        return "<hr>" + line[3:].strip()
    if heading := re.match("(#{1,3}) ", line):
        level = "h3" if len(heading[1]) == 3 else "h2"
        return f"<{level}>{line[heading.end() :]}</{level}>"
    if line.startswith(">"):
        return f"<blockquote>{line[1:].strip()}<br></blockquote>"
    if line.startswith(("* ", "- ")):
        return f"<ul><li>{line[2:]}</li></ul>"
    return f"{line}<br>"


def marked(found: re.Match[str]) -> str:
    said = found[0]
    for mark, around in PAIRED.items():
        if said.startswith(mark):
            return around % said[len(mark) : -len(mark)]
    if said.startswith("["):
        name, _, address = said[1:-1].partition("](")
        return f'<a href="{address}">{name}</a>'
    # The address of a picture becomes an attachment.
    picture = re.search(r"\.(?:png|jpe?g|gif|webp)$", said)
    return "" if picture else f'<a href="{said}" target="_blank">{said}</a>'


def sanitized(found: re.Match[str]) -> str:
    name = found[1].split(" ")[0].lower().rstrip("/")
    if not TAGS.fullmatch(name):
        return "<p>"
    kept = re.findall(r'(?:src|href|rel|class|target)="[^"]*"', found[0])
    return f"<{'/' if found[0][1] == '/' else ''}{' '.join([name, *kept])}>"


def typed(text: str) -> str:
    """What one has to type so that `text` is shown."""
    return re.sub("[&<>*_`~]", lambda found: f"&#{ord(found[0])};", text)


def read(content: str) -> str:
    """What people see of a `content`, of any make of server."""
    lines = re.sub(r"</p>\s*<p>", "\n\n", content)
    return html.unescape(re.sub("<[^>]*>", "", re.sub(r"<br ?/?>", "\n", lines))).strip()
