"""Prints what a month of mirroring costs, from the same price table that the bridge charges by.

The figures in README.md come from here: `.venv/bin/python tools/price_of_a_month.py`.
"""

from bridge.core.model import Microdollars
from bridge.core.prices import X_PRICES, creation, in_dollars

DAYS = 30
WINDOW = 20
"""How many posts each look for edits and deletions goes back, as configured by default."""

PATTERNS = (
    ("one post a day on each side, no links", 1, 1, 0.0),
    ("three posts a day on each side, no links", 3, 3, 0.0),
    ("three posts a day on each side, one in five toward X with a link", 3, 3, 0.2),
    ("ten posts a day from Mastodon only, no links", 10, 0, 0.0),
    ("ten posts a day from X only", 0, 10, 0.0),
)


EXTRAS = (
    (
        "a picture with a description, each",
        creation(X_PRICES, has_link=False, media=1, alt_texts=1),
    ),
    (
        "four pictures with descriptions, each",
        creation(X_PRICES, has_link=False, media=4, alt_texts=4),
    ),
    ("an edit on X (with Premium, within the hour), each", X_PRICES.create),
    ("a deletion on X, each", X_PRICES.delete),
    ("a repost on X, each", X_PRICES.repost),
)


def looks(on_x: int) -> Microdollars:
    """The most that looking for edits and deletions on X adds to a month, of so many posts a day.

    X charges a post once a day, so all looks of a day cost what one does.
    """
    again = max(0, WINDOW - on_x) * DAYS
    return Microdollars(again * X_PRICES.owned_read)


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
    print("besides, at most:")
    for on_x in (2, 6, 10):
        print(f"{in_dollars(looks(on_x)):>8}  looking for edits, with {on_x} posts a day on X")
    for words, price in EXTRAS:
        print(f"{in_dollars(price):>8}  {words}")


if __name__ == "__main__":
    main()
