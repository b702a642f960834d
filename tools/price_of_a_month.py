"""Prints what a month of mirroring costs, from the same price table that the bridge charges by.

The figures in README.md come from here: `.venv/bin/python tools/price_of_a_month.py`.
"""

from bridge.core.model import Microdollars
from bridge.core.prices import X_PRICES, creation, in_dollars

DAYS = 30
PATTERNS = (
    ("one post a day on each side, no links", 1, 1, 0.0),
    ("three posts a day on each side, no links", 3, 3, 0.0),
    ("three posts a day on each side, one in five toward X with a link", 3, 3, 0.2),
    ("ten posts a day from Mastodon only, no links", 10, 0, 0.0),
    ("ten posts a day from X only", 0, 10, 0.0),
)


def month(to_x: int, from_x: int, with_link: float) -> Microdollars:
    """The price of a month: mirrors sent to X, and own posts read there where X is watched.

    Whoever watches X also reads each mirror back once.
    """
    sent = to_x * DAYS
    read = (from_x + to_x) * DAYS if from_x else 0
    linked = round(sent * with_link)
    posts = linked * creation(X_PRICES, has_link=True) + (sent - linked) * creation(
        X_PRICES, has_link=False
    )
    return Microdollars(posts + read * X_PRICES.owned_read)


def main() -> None:
    """Print the table."""
    print(f"prices as of {X_PRICES.as_of}; Mastodon costs nothing")
    for words, to_x, from_x, with_link in PATTERNS:
        print(f"{in_dollars(month(to_x, from_x, with_link)):>8}  {words}")


if __name__ == "__main__":
    main()
