"""Slides of the faculty as pictures, page by page, for the studio to show."""

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

from webinar.domain.errors import NotFound
from webinar.media.durable import make_folder
from webinar.media.pdf_pages import draw_pages

LARGEST_WIDTH, LARGEST_HEIGHT = 1280, 720
FOLDER = re.compile(r"[a-f0-9]{64}")


class SlidePages:
    """Pictures of slides under one folder, by the hash of what they were made of."""

    def __init__(self, data_dir: Path) -> None:
        self.root = data_dir / "slide-pages"

    def make(self, pdf: Path, sha256: str) -> int:
        """Make the pictures unless they are there, and return how many. Raises NotDrawn."""
        folder = self._folder(sha256)
        if not (pages := _count(folder)):
            unfinished = folder.with_suffix(".part")
            shutil.rmtree(unfinished, ignore_errors=True)
            make_folder(unfinished, mode=0o700)
            draw_pages(pdf, unfinished, width=LARGEST_WIDTH, height=LARGEST_HEIGHT)
            shutil.rmtree(folder, ignore_errors=True)
            unfinished.rename(folder)
            pages = _count(folder)
        folder.touch()
        return pages

    def page(self, sha256: str, number: int) -> bytes:
        """Page `number` (from 1) as PNG; raises NotFound."""
        try:
            return (self._folder(sha256) / f"{number:04d}.png").read_bytes()
        except FileNotFoundError as missing:
            raise NotFound("There is no such slide. Choose the slides again.") from missing

    def forget(self, *, older_than: datetime) -> None:
        """Delete what nobody has asked for since then."""
        if not self.root.is_dir():
            return
        for folder in self.root.iterdir():
            if datetime.fromtimestamp(folder.stat().st_mtime, UTC) < older_than:
                shutil.rmtree(folder, ignore_errors=True)

    def _folder(self, sha256: str) -> Path:
        if FOLDER.fullmatch(sha256) is None:
            raise NotFound("There are no such slides.")
        return self.root / sha256


def _count(folder: Path) -> int:
    return sum(1 for _ in folder.glob("*.png")) if folder.is_dir() else 0
