"""Takes the pictures of docs/guide-organiser.md anew: every page, on a desk and on a phone.

usage: PYTHONPATH=. python scripts/guide_pictures.py [name of a picture ...]
Loads the demonstration season into a folder of its own, serves it, and walks through it.
"""

import logging
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

from flask import Flask
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import select
from werkzeug.serving import make_server

from config import Config
from tests.components.chromium import launch
from tests.components.servers import free_port
from tests.journeys.conftest import sign_in_cookie
from webinar.app import create_app
from webinar.db import open_db
from webinar.demo.people import ADMINISTRATOR
from webinar.domain.session import SessionStatus
from webinar.models import User, WebinarSession

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "images" / "organiser"
WIDTHS = (1280, 390)
TALLEST = {1280: 1400, 390: 1500}
"""Pixels: a picture shows what a page is for, not all of its rows."""
JPEG_QUALITY = 62


@dataclass(frozen=True)
class Places:
    """What stands in the addresses of the guide."""

    upcoming: str
    draft: str
    ended: str


@dataclass(frozen=True)
class Picture:
    """One page: the name of its pictures, and its address."""

    name: str
    path: str


def pictures(places: Places) -> list[Picture]:
    """Every page of the guide, in its order."""
    upcoming = f"/manage/sessions/{places.upcoming}"
    return [
        Picture("today", "/manage/"),
        Picture("sessions", "/manage/sessions/"),
        Picture("session", upcoming),
        Picture("draft", f"/manage/sessions/{places.draft}"),
    ]


def main(wanted: list[str]) -> int:
    """Take all pictures, or those named."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder)) as (app, url),
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        for picture in pictures(places_of_demo()):
            if not wanted or picture.name in wanted:
                take(browser, app, url, picture)
        browser.close()
    return 0


@contextmanager
def served(folder: Path) -> Iterator[tuple[Flask, str]]:
    """The program with the demonstration season in it."""
    port = free_port()
    url = f"http://localhost:{port}"
    app = create_app(
        Config(
            SECRET_KEY=secrets.token_hex(),
            DATABASE_URL=f"sqlite:///{folder / 'pictures.sqlite3'}",
            DATA_DIR=folder,
            PUBLIC_URL=url,
            DEVELOPMENT=True,
            DEMO=True,
        )
    )
    for command in (["db", "upgrade"], ["demo", "load"]):
        app.test_cli_runner().invoke(args=command, catch_exceptions=False)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield app, url
    finally:
        server.shutdown()
        thread.join()


def places_of_demo() -> Places:
    """The next announced session, the next draft, and the last one that was held."""
    now = datetime.now(UTC)
    with open_db() as db:

        def first(status: SessionStatus, *, over: bool) -> str:
            found = select(WebinarSession.public_id).where(WebinarSession.status == status)
            if over:
                found = found.where(WebinarSession.ends_at <= now)
                return db.scalars(found.order_by(WebinarSession.starts_at.desc())).first() or ""
            found = found.where(WebinarSession.starts_at > now)
            return db.scalars(found.order_by(WebinarSession.starts_at)).first() or ""

        return Places(
            upcoming=first(SessionStatus.PUBLISHED, over=False),
            draft=first(SessionStatus.DRAFT, over=False),
            ended=first(SessionStatus.ENDED, over=True),
        )


def take(browser: Browser, app: Flask, url: str, picture: Picture) -> None:
    """Both pictures of a page."""
    for width in WIDTHS:
        context = browser.new_context(
            base_url=url, viewport={"width": width, "height": 900}, reduced_motion="reduce"
        )
        context.add_cookies([cookie(app, url)])
        page = context.new_page()
        answer = page.goto(picture.path, wait_until="load")
        if answer is None or answer.status != 200:
            raise SystemExit(f"{picture.path} answered {answer and answer.status}")
        tall = page.evaluate("document.documentElement.scrollHeight")
        page.screenshot(
            path=PICTURES / f"{picture.name}-{width}.jpg",
            type="jpeg",
            quality=JPEG_QUALITY,
            full_page=True,
            clip={"x": 0, "y": 0, "width": width, "height": min(tall, TALLEST[width])},
        )
        context.close()
    sys.stderr.write(f"{picture.name}\n")


def cookie(app: Flask, url: str) -> dict[str, str]:
    """Signs the administrator of the demonstration in."""
    with open_db() as db:
        person = db.scalars(select(User).where(User.email == ADMINISTRATOR.email)).one()
    return {"name": "webinar", "value": sign_in_cookie(app, person), "url": url}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
