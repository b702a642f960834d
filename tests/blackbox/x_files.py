"""Files that were handed to X, or that stand on its posts."""

from dataclasses import dataclass, field


@dataclass
class XFile:
    """One file; `looks_left` is how often it is asked for before it is processed."""

    id: str
    category: str
    mime: str
    content: bytes
    alt: str = ""
    warned: bool = False
    ready: bool = False
    announced: int = 0
    segments: int = 0
    looks_left: int = 0


@dataclass
class XFiles:
    """All of them, by their ids, which are numbers of 19 digits."""

    by_id: dict[str, XFile] = field(default_factory=dict)

    def made(self, category: str, mime: str, content: bytes, alt: str = "") -> XFile:
        """A new one."""
        file = XFile(str(1_900_000_000_000_000_000 + len(self.by_id)), category, mime, content, alt)
        self.by_id[file.id] = file
        return file
