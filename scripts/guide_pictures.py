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
from datetime import UTC, datetime, timedelta
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
from webinar.demo.people import ADMINISTRATOR, ORGANISER
from webinar.demo.season import ROUNDS
from webinar.domain.session import SessionStatus
from webinar.media.ffmpeg import run
from webinar.models import Series, Topic, User, WebinarSession
from webinar.services import faculty_links

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "images" / "organiser"
WIDTHS = (1280, 390)
TALLEST = 1500
"""Pixels: a picture shows what a page is for, not all of its rows."""
QUALITY = 60
SOCIETY = "academy"
POLICY = "eaccme-3.0-live"


@dataclass(frozen=True)
class Places:
    """What stands in the addresses of the guide."""

    upcoming: str
    draft: str
    ended: str
    faculty: str
    topic: int
    person: int


def pictures(places: Places) -> dict[str, str]:
    """Every page of the guide by the name of its pictures, in its order."""
    upcoming, ended = f"/manage/sessions/{places.upcoming}", f"/manage/sessions/{places.ended}"
    year = datetime.now(UTC) + timedelta(days=150)
    return {
        "today": "/manage/",
        "season": "/manage/?view=season#season",
        "series-new": "/manage/series/new",
        "series": f"/manage/series/{ROUNDS}?until={year + timedelta(days=60):%Y-%m-%d}",
        "series-rule": f"/manage/series/{ROUNDS}/rule",
        "series-list": "/manage/series/",
        "series-edit": f"/manage/series/{ROUNDS}/edit",
        "sessions": "/manage/sessions/",
        "month": "/manage/sessions/?view=month",
        "session": upcoming,
        "draft": f"/manage/sessions/{places.draft}",
        "move": f"{upcoming}/move",
        "duplicate": f"{upcoming}/duplicate",
        "session-new": "/manage/sessions/new",
        "faculty": f"{upcoming}/faculty",
        "faculty-page": f"/faculty/{places.faculty}",
        "auspices": f"{upcoming}/auspices",
        "figures": f"{ended}/figures",
        "history": f"{upcoming}/history",
        "import": "/manage/import",
        "copy": "/manage/copy",
        "accreditation": "/manage/accreditation/",
        "grants": f"{upcoming}/accreditation",
        "grant-rules": f"{upcoming}/accreditation/new",
        "test": f"{upcoming}/test",
        "policies": "/manage/policies/",
        "policy": f"/manage/policies/{POLICY}",
        "policy-new": f"/manage/policies/{POLICY}/new-version",
        "simulator": "/manage/simulator/",
        "planner": "/manage/planner/",
        "planner-series": f"/manage/series/{ROUNDS}/planner/eaccme",
        "bodies": "/manage/bodies/",
        "body": "/manage/bodies/eaccme",
        "recordings": "/manage/recordings/",
        "societies": "/manage/societies/",
        "society": f"/manage/societies/{SOCIETY}",
        "topics": "/manage/topics/",
        "topic": f"/manage/topics/{places.topic}",
        "people": "/manage/people/",
        "person": f"/manage/people/{places.person}",
        "invite": "/manage/people/invite",
        "audit": "/manage/audit/",
    }


def main(wanted: list[str]) -> int:
    """Take all pictures, or those named."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder)) as (app, url),
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        for name, path in pictures(places_of_demo()).items():
            if not wanted or name in wanted:
                take(browser, app, url, name, path)
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
    """The next announced session and draft, the last one that was held, and a few people."""
    now = datetime.now(UTC)
    with open_db.begin() as db:

        def first(status: SessionStatus, *, over: bool = False) -> WebinarSession:
            rounds = select(WebinarSession).join(Series).where(Series.slug == ROUNDS)
            found = rounds.where(WebinarSession.status == status)
            if over:
                found = found.where(WebinarSession.ends_at <= now)
                return db.scalars(found.order_by(WebinarSession.starts_at.desc())).all()[0]
            found = found.where(WebinarSession.starts_at > now)
            return db.scalars(found.order_by(WebinarSession.starts_at)).all()[0]

        upcoming, draft = first(SessionStatus.PUBLISHED), first(SessionStatus.DRAFT)
        return Places(
            upcoming=upcoming.public_id,
            draft=draft.public_id,
            ended=first(SessionStatus.ENDED, over=True).public_id,
            faculty=faculty_links.issue(db, upcoming.faculty[0], now=now),
            topic=db.scalars(select(Topic.id).order_by(Topic.id)).all()[0],
            person=db.scalars(select(User.id).where(User.email == ORGANISER.email)).one(),
        )


def take(browser: Browser, app: Flask, url: str, name: str, path: str) -> None:
    """Both pictures of a page, from its top or from the part the address names."""
    for width in WIDTHS:
        context = browser.new_context(
            base_url=url,
            locale="en-GB",
            viewport={"width": width, "height": 900},
            reduced_motion="reduce",
        )
        context.add_cookies([cookie(app, url)])
        page = context.new_page()
        answer = page.goto(path, wait_until="load")
        if answer is None or answer.status != 200:
            raise SystemExit(f"{path} answered {answer and answer.status}")
        part = path.partition("#")[2]
        box = page.locator(f"#{part}").bounding_box() if part else None
        top = page.evaluate("scrollY") + box["y"] - 24 if box else 0
        tall = page.evaluate("document.documentElement.scrollHeight") - top
        size = {"x": 0, "y": top, "width": width, "height": min(tall, TALLEST)}
        png = page.screenshot(full_page=True, clip=size)
        context.close()
        with tempfile.NamedTemporaryFile(suffix=".png") as file:
            file.write(png)
            file.flush()
            picture = PICTURES / f"{name}-{width}.webp"
            shrink = ["-i", file.name, "-quality", str(QUALITY), "-y", str(picture)]
            run(shrink, timeout_seconds=60)
    sys.stderr.write(f"{name}\n")


def cookie(app: Flask, url: str) -> dict[str, str]:
    """Signs the administrator of the demonstration in."""
    with open_db() as db:
        person = db.scalars(select(User).where(User.email == ADMINISTRATOR.email)).one()
    return {"name": "webinar", "value": sign_in_cookie(app, person), "url": url}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
