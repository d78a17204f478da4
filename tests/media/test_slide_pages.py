"""Slides of a PDF become pictures, in their order and shape; what is no PDF ends in a sentence."""

import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from webinar.domain.errors import NotFound
from webinar.media.pdf_pages import NotDrawn
from webinar.media.slide_pages import SlidePages

HASH = "ab" * 32


def pdf(*sizes: tuple[int, int]) -> bytes:
    """A PDF with an empty page of each size (points)."""
    kids = " ".join(f"{number + 3} 0 R" for number in range(len(sizes)))
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {len(sizes)}/Kids[{kids}]>>",
        *(f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {w} {h}]>>" for w, h in sizes),
    ]
    body = "%PDF-1.4\n" + "".join(
        f"{number} 0 obj\n{text}\nendobj\n" for number, text in enumerate(objects, start=1)
    )
    return (body + "trailer<</Root 1 0 R>>\n%%EOF\n").encode()


def size_of(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_every_page_becomes_a_picture_as_large_as_the_screen_takes(tmp_path: Path) -> None:
    deck = tmp_path / "deck.pdf"
    deck.write_bytes(pdf((960, 540), (600, 800)))
    pages = SlidePages(tmp_path / "data")

    count = pages.make(deck, HASH)
    deck.unlink()
    again = pages.make(deck, HASH)

    assert (count, again) == (2, 2)
    assert size_of(pages.page(HASH, 1)) == (1280, 720)
    assert size_of(pages.page(HASH, 2)) == (540, 720)
    with pytest.raises(NotFound):
        pages.page(HASH, 3)


def test_a_broken_pdf_is_refused_with_what_to_do(tmp_path: Path) -> None:
    deck = tmp_path / "deck.pdf"
    deck.write_bytes(b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n")

    with pytest.raises(NotDrawn, match="broken, or protected by a password"):
        SlidePages(tmp_path / "data").make(deck, HASH)


def test_pictures_nobody_asks_for_are_forgotten(tmp_path: Path) -> None:
    deck = tmp_path / "deck.pdf"
    deck.write_bytes(pdf((960, 540)))
    pages = SlidePages(tmp_path / "data")
    pages.forget(older_than=datetime.now(UTC))
    pages.make(deck, HASH)

    pages.forget(older_than=datetime.now(UTC) - timedelta(hours=1))
    kept = size_of(pages.page(HASH, 1))
    pages.forget(older_than=datetime.now(UTC) + timedelta(hours=1))

    assert kept == (1280, 720)
    with pytest.raises(NotFound):
        pages.page(HASH, 1)
