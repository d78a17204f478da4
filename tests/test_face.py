"""The face keeps its promises: contrast in both themes, weight of the fonts, files as they came."""

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "webinar" / "static"
CSS = STATIC / "css"

# WCAG 2.2, 1.4.3 for text and 1.4.11 for the edges of controls.
TEXT_AT_LEAST = 4.5
EDGE_AT_LEAST = 3.0

PAPERS = ("paper", "paper-raised", "paper-sunk")
TINTS = ("accent-soft", "live-soft", "credit-soft", "closing-soft", "closed-soft", "wrong-soft")
COLOURS = ("accent", "accent-strong", "live", "credit", "closing", "closed", "wrong")

TEXT_PAIRS = [
    *[(text, paper) for text in ("ink", "ink-soft", *COLOURS) for paper in PAPERS],
    *[(text, tint) for text in ("ink", "ink-soft") for tint in TINTS],
    *[(tint.removesuffix("-soft"), tint) for tint in TINTS],
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("on-live", "live-fill"),
    ("on-screen", "screen"),
    ("on-screen-soft", "screen"),
    ("on-screen-accent", "screen-accent"),
    ("on-screen-accent", "screen-accent-strong"),
]
EDGE_PAIRS = [
    *[(edge, paper) for edge in ("line-strong", "accent") for paper in PAPERS],
    ("live-fill", "paper"),
    ("live-fill", "paper-raised"),
]


def declared(block: str) -> dict[str, str]:
    """Custom properties of one block, name without dashes to value."""
    return dict(re.findall(r"--([\w-]+):\s*([^;]+);", block))


def blocks() -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """Light, dark by system, dark by data-theme."""
    css = (CSS / "tokens.css").read_text()
    light = re.search(r":root \{(.*?)\n  \}", css, re.S)
    system = re.search(r':root:not\(\[data-theme="light"\]\) \{(.*?)\n    \}', css, re.S)
    chosen = re.search(r':root\[data-theme="dark"\] \{(.*?)\n  \}', css, re.S)
    assert light
    assert system
    assert chosen
    return declared(light[1]), declared(system[1]), declared(chosen[1])


def theme(name: str) -> dict[str, str]:
    light, dark, _ = blocks()
    return light if name == "light" else {**light, **dark}


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2, glossary)."""
    assert re.fullmatch(r"#[0-9a-f]{6}", colour), colour
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_contrast_formula_gives_the_known_extremes() -> None:
    assert contrast("#000000", "#ffffff") == 21.0
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


@pytest.mark.parametrize("name", ["light", "dark"])
def test_every_text_can_be_read_on_every_ground_it_stands_on(name: str) -> None:
    tokens = theme(name)

    too_weak = {
        pair: round(contrast(tokens[pair[0]], tokens[pair[1]]), 2)
        for pair in TEXT_PAIRS
        if contrast(tokens[pair[0]], tokens[pair[1]]) < TEXT_AT_LEAST
    }

    assert too_weak == {}


@pytest.mark.parametrize("name", ["light", "dark"])
def test_edges_of_controls_and_the_focus_ring_stand_out(name: str) -> None:
    tokens = theme(name)

    too_weak = {
        pair: round(contrast(tokens[pair[0]], tokens[pair[1]]), 2)
        for pair in EDGE_PAIRS
        if contrast(tokens[pair[0]], tokens[pair[1]]) < EDGE_AT_LEAST
    }

    assert too_weak == {}


def test_every_colour_token_is_checked() -> None:
    light, _, _ = blocks()
    colours = {name for name, value in light.items() if value.startswith("#")}

    checked = {name for pair in TEXT_PAIRS + EDGE_PAIRS for name in pair}

    assert colours - checked == {"line"}  # hairlines carry no meaning


def test_both_dark_blocks_say_the_same() -> None:
    _, system, chosen = blocks()

    assert system == chosen


def test_colours_are_written_in_the_token_file_only() -> None:
    for name in ("site.css", "pieces.css", "controls.css", "stage.css"):
        literals = re.findall(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(", (CSS / name).read_text())

        assert (name, literals) == (name, [])


def test_every_token_used_is_declared() -> None:
    light, _, _ = blocks()
    used = {
        name
        for path in CSS.glob("*.css")
        for name in re.findall(r"var\(--([\w-]+)", path.read_text())
    }

    assert used - light.keys() == set()


def test_a_latin_reader_loads_at_most_40_kilobytes_of_fonts() -> None:
    fonts = STATIC / "fonts"
    latin = [path for path in fonts.glob("*.woff2") if "-latin" in path.name]

    assert len(latin) == 2
    assert sum(path.stat().st_size for path in latin) <= 40_000
    assert (fonts / "LICENSE-OFL.txt").read_text().count("SIL OPEN FONT LICENSE") >= 1


def test_fonts_cover_latin_latin_extended_and_greek() -> None:
    css = (CSS / "tokens.css").read_text()
    ranges = re.findall(r"U\+([0-9A-F]+)(?:-([0-9A-F]+))?", css)

    def covered(letter: str) -> bool:
        point = ord(letter)
        return any(int(low, 16) <= point <= int(high or low, 16) for low, high in ranges)

    assert [letter for letter in "AzéÅœőłčĞșΑωή–“”" if not covered(letter)] == []


def test_the_style_sheets_of_every_page_stay_under_40_kilobytes() -> None:
    # stage.css comes on top on the live, recording and studio pages.
    sheets = ("tokens.css", "site.css", "pieces.css", "controls.css")

    assert sum((CSS / name).stat().st_size for name in sheets) <= 40_000


@pytest.mark.parametrize("folder", [STATIC / "vendor", ROOT / "tests" / "vendor" / "axe"])
def test_vendored_files_are_as_they_came(folder: Path) -> None:
    listed = dict(
        re.findall(
            r"^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$", (folder / "README.md").read_text(), re.M
        )
    )
    found = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in (".js", ".mjs")
    }

    assert found == listed


def test_every_piece_stands_in_the_list_of_pieces() -> None:
    offered = re.findall(r"{% set (\w+) =", (ROOT / "templates" / "_macros.html").read_text())
    listed = re.findall(
        r"^\| `(\w+)\(", (ROOT / "templates" / "_pieces" / "README.md").read_text(), re.M
    )

    assert sorted(listed) == sorted(offered)


def test_every_piece_is_shown_in_the_style_guide() -> None:
    offered = re.findall(r"{% set (\w+) =", (ROOT / "templates" / "_macros.html").read_text())
    guide = (ROOT / "templates" / "styleguide.html").read_text()

    missing = {name for name in offered if f"ui.{name}(" not in guide}

    # These stand inside other pieces: a time beside a leaf, a countdown beside a time.
    assert missing == {"compact_time", "countdown", "form_field"}
