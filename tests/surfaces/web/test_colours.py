"""Every colour can be told from what it stands on, by day and by night (WCAG 2.2, AA)."""

import re
from itertools import product
from pathlib import Path

import pytest

import bridge.surfaces.web as package

STATIC = Path(str(package.__file__)).parent / "static"
TOKENS = (STATIC / "tokens.css").read_text(encoding="utf-8")
SHEETS = "".join(path.read_text(encoding="utf-8") for path in sorted(STATIC.glob("*.css")))

Colour = tuple[float, float, float]
TEXT, SHAPE = 4.5, 3.0
"""The least ratios: of words, and of what else has to be seen."""


def themes() -> dict[str, dict[str, Colour]]:
    found = re.findall(r"--(\w+): light-dark\((#\w{6}), (#\w{6})\)", TOKENS)
    assert len(found) >= 10
    return {
        name: {token: parsed(pair[place]) for token, *pair in found}
        for place, name in enumerate(("light", "dark"))
    }


def parsed(text: str) -> Colour:
    red, green, blue = (int(text[at : at + 2], 16) for at in (1, 3, 5))
    return (red, green, blue)


def mixed(top: Colour, percent: float, below: Colour) -> Colour:
    share = percent / 100
    red, green, blue = (
        one * share + other * (1 - share) for one, other in zip(top, below, strict=True)
    )
    return (red, green, blue)


def ratio(one: Colour, other: Colour) -> float:
    def light(colour: Colour) -> float:
        red, green, blue = (
            value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
            for value in (each / 255 for each in colour)
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


TONES = ("bridge", "warn", "bad", "soft")
INKS = ("ink", "mastodon", "x", *TONES)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "below"), list(product(INKS, ("ground", "card"))))
def test_words_can_be_read_on_either_ground(theme: str, ink: str, below: str) -> None:
    colours = themes()[theme]
    assert ratio(colours[ink], colours[below]) >= TEXT


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("button", ["bridge", "bad", "ink"])
def test_words_can_be_read_on_buttons(theme: str, button: str) -> None:
    colours = themes()[theme]
    brighter = mixed((255, 255, 255), 8, colours[button])
    for ground in (colours[button], brighter):
        assert ratio(colours["card" if button != "ink" else "ground"], ground) >= TEXT


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_can_be_read_where_a_ground_is_tinted(theme: str) -> None:
    colours = themes()[theme]
    card, ground = colours["card"], colours["ground"]
    for tone in TONES:
        glance = mixed(colours[tone], 12, card)
        assert ratio(colours[tone], glance) >= TEXT, tone
        assert ratio(colours["soft"], glance) >= TEXT, tone
    assert ratio(colours["bridge"], mixed(colours["bridge"], 14, card)) >= TEXT, (
        "the page one is on"
    )
    for below in (card, ground):
        assert ratio(colours["ink"], mixed(colours["ink"], 8, below)) >= TEXT, "commands"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_shapes_can_be_seen(theme: str) -> None:
    colours = themes()[theme]
    card, ground = colours["card"], colours["ground"]
    for tone in (*TONES, "mastodon", "x"):
        assert ratio(colours[tone], card) >= SHAPE, "bars, dots, edges"
    for below in (card, ground):
        assert ratio(colours["bridge"], below) >= SHAPE, "the focus"
        border = mixed(colours["soft"], 70, colours["line"])
        assert ratio(border, below) >= SHAPE, "the edge of a field"
    track = mixed(colours["ink"], 12, card)
    for tone in ("bridge", "warn", "bad"):
        assert ratio(colours[tone], track) >= SHAPE, "how much of the budget is spent"


def test_no_sheet_has_a_colour_of_its_own() -> None:
    """What is mixed is tested above with the same shares."""
    rest = SHEETS.replace(TOKENS, "")
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)|\brgba?\(|\bhsla?\(", rest) == []
    shares = {(ink, int(share)) for ink, share in re.findall(r"var\(--(\w+)\) (\d+)%", rest)}
    assert shares == {
        ("ink", 8), ("ink", 12), ("soft", 70), ("bridge", 14), ("tone", 12), ("tone", 35),
    }  # fmt: skip
