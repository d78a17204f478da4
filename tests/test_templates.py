"""Every page has a title, every mail folder its three files, and no page styles itself inline."""

import re
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
MAIL_FILES = {"subject.txt", "body.txt", "body.html"}


def pages() -> list[Path]:
    return [
        path
        for path in sorted(TEMPLATES.rglob("*.html"))
        if "mail" not in path.relative_to(TEMPLATES).parts
        and not any(part.startswith("_") for part in path.relative_to(TEMPLATES).parts)
        and path.name != "base.html"
    ]


@pytest.mark.parametrize("path", pages(), ids=lambda p: str(p.relative_to(TEMPLATES)))
def test_every_page_is_titled(path: Path) -> None:
    title = re.search(r"{%-?\s*block title\s*-?%}(.*?){%-?\s*endblock", path.read_text(), re.S)

    assert title is not None
    assert title.group(1).strip() != ""


def test_every_mail_folder_is_complete() -> None:
    folders = [p for p in (TEMPLATES / "mail").iterdir() if p.is_dir() and p.name[0] != "_"]

    incomplete = {p.name for p in folders if {f.name for f in p.iterdir()} != MAIL_FILES}

    assert folders != []
    assert incomplete == set()


def test_no_page_has_inline_script_or_style() -> None:
    # The Content-Security-Policy would silently drop them.
    inline = re.compile(
        r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|<style|\sstyle=|\son[a-z]+="
    )

    found = {
        str(path.relative_to(TEMPLATES))
        for path in TEMPLATES.rglob("*.html")
        if "mail" not in path.relative_to(TEMPLATES).parts and inline.search(path.read_text())
    }

    assert found == set()
