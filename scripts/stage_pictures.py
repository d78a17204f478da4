"""Takes the pictures of live and recorded sessions anew, on a desk and a phone, light and dark.

usage: PYTHONPATH=. python scripts/stage_pictures.py
Loads the demonstration season into a folder of its own, lets its speaker talk, goes on air with a
fake camera, watches, and walks through the recording, its desk and its end.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread

from flask import Flask
from playwright.sync_api import Browser, Page, expect, sync_playwright
from sqlalchemy import select

from scripts.guide_pictures import QUALITY, served
from tests.components.chromium import launch
from tests.journeys.conftest import sign_in_cookie
from webinar.db import open_db
from webinar.demo import speaker
from webinar.demo.live import OPEN_ROUND, REHEARSAL
from webinar.demo.people import ADMINISTRATOR, FACULTY, PARTICIPANT, Part
from webinar.domain.recording import RecordingState
from webinar.jobs.clock import start_in_background
from webinar.jobs.toolbox import Toolbox
from webinar.media.ffmpeg import run
from webinar.models import Recording, User, WebinarSession
from webinar.services import registrations

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "images" / "stage"
LOOKS = [(width, theme) for width in (1280, 390) for theme in ("light", "dark")]
TALLEST = 1300
VIDEO = "document.querySelector('video')"


def main() -> int:
    """Take all of them."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder)) as (app, url),
        on_air(app),
        sync_playwright() as playwright,
    ):
        browser = launch(playwright, fake_media=True)
        studio(browser, app, url)
        live(browser, app, url)
        recorded(browser, app, url)
        browser.close()
    return 0


@contextmanager
def on_air(app: Flask) -> Iterator[None]:
    """The clock, and the demonstration's speaker, talking."""
    config = app.extensions["config"]
    clock = start_in_background(Toolbox.from_config(config))
    is_over = Event()
    talking = Thread(
        target=speaker.speak, args=(config,), kwargs={"is_wanted": lambda: not is_over.is_set()}
    )
    talking.start()
    try:
        yield
    finally:
        is_over.set()
        talking.join()
        clock.shutdown(wait=True)


def studio(browser: Browser, app: Flask, url: str) -> None:
    """Ready, on air, in a break, and what the recording's progress looks like after the end."""
    page = page_of(browser, app, url, FACULTY)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"/studio/{session_called(REHEARSAL.title)}")
    expect(page.get_by_role("button", name="Go live")).to_be_enabled(timeout=20_000)
    take(page, "studio-ready")
    page.get_by_role("button", name="Go live").click()
    expect(page.get_by_text("On air", exact=True)).to_be_visible(timeout=20_000)
    page.wait_for_timeout(8_000)
    take(page, "studio-on-air")
    page.get_by_role("button", name="Technical break").click()
    page.wait_for_timeout(1_000)
    take(page, "studio-break")
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="End the session").click()
    expect(page.get_by_text("The broadcast has ended")).to_be_visible(timeout=30_000)
    take(page, "studio-ended")
    page.context.close()


def live(browser: Browser, app: Flask, url: str) -> None:
    """The picture, the sound alone, and the card of a break."""
    public_id = session_called(OPEN_ROUND.title)
    with open_db.begin() as db:
        person = db.scalars(select(User).where(User.email == PARTICIPANT.email)).one()
        row = db.scalars(select(WebinarSession).where(WebinarSession.public_id == public_id)).one()
        registrations.register(db, row.id, person.id, now=datetime.now(UTC))
    page = page_of(browser, app, url, PARTICIPANT)
    page.goto(f"/sessions/{public_id}/live")
    plays(page)
    take(page, "live")
    page.get_by_label("Picture").select_option("audio")
    plays(page)
    take(page, "live-sound")
    page.context.close()


def recorded(browser: Browser, app: Flask, url: str) -> None:
    """The recording with what lies beside it, a closed one, and the organiser's pages of both."""
    watched, closed = recording_in(RecordingState.PUBLISHED), closed_recording()
    page = page_of(browser, app, url, ADMINISTRATOR)
    page.goto(f"/sessions/{watched}/recording")
    plays(page)
    page.get_by_label("Captions").select_option("en")
    page.evaluate(f"{VIDEO}.currentTime = 40")
    page.wait_for_timeout(2_000)
    page.evaluate(f"{VIDEO}.pause()")
    page.wait_for_timeout(500)
    take(page, "recording")
    page.goto(f"/sessions/{closed}/recording")
    take(page, "closed")
    for name, path in (
        ("desk", f"/manage/sessions/{watched}/recording"),
        ("upload", f"/manage/sessions/{watched}/recording/upload"),
        ("window", f"/manage/sessions/{watched}/recording/window"),
        ("destroyed", f"/manage/sessions/{closed}/recording/window"),
        ("room", f"/manage/sessions/{upcoming()}/room"),
    ):
        page.goto(path)
        page.wait_for_timeout(500)
        take(page, name)
    page.context.close()


def page_of(browser: Browser, app: Flask, url: str, part: Part) -> Page:
    with open_db() as db:
        person = db.scalars(select(User).where(User.email == part.email)).one()
    context = browser.new_context(
        base_url=url, locale="en-GB", permissions=["camera", "microphone"], reduced_motion="reduce"
    )
    cookie = {"name": "webinar", "value": sign_in_cookie(app, person), "url": url}
    context.add_cookies([cookie])  # type: ignore[list-item]
    context.set_default_timeout(20_000)
    return context.new_page()


def plays(page: Page) -> None:
    """Until the picture moves."""
    page.evaluate(f"{VIDEO}.play()")
    for _ in range(150):
        if page.evaluate(f"{VIDEO}.currentTime > 0.5 && {VIDEO}.readyState >= 3"):
            return
        page.wait_for_timeout(200)
    raise SystemExit(f"{page.url} does not play")


def take(page: Page, name: str) -> None:
    """The page as it is, in every look."""
    for width, theme in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.wait_for_timeout(300)
        tall = page.evaluate("document.documentElement.scrollHeight")
        size = {"x": 0, "y": 0, "width": width, "height": min(tall, TALLEST)}
        png = page.screenshot(full_page=True, clip=size)  # type: ignore[arg-type]
        with tempfile.NamedTemporaryFile(suffix=".png") as file:
            file.write(png)
            file.flush()
            picture = PICTURES / f"{name}-{width}-{theme}.webp"
            shrink = ["-i", file.name, "-quality", str(QUALITY), "-y", str(picture)]
            run(shrink, timeout_seconds=60)
    sys.stderr.write(f"{name}\n")


def session_called(title: str) -> str:
    with open_db() as db:
        found = select(WebinarSession.public_id).where(WebinarSession.title == title)
        return db.scalars(found.order_by(WebinarSession.starts_at.desc())).all()[0]


def upcoming() -> str:
    with open_db() as db:
        found = select(WebinarSession.public_id).where(
            WebinarSession.starts_at > datetime.now(UTC), WebinarSession.title != ""
        )
        return db.scalars(found.order_by(WebinarSession.starts_at)).all()[1]


def recording_in(state: RecordingState) -> str:
    with open_db() as db:
        found = select(WebinarSession.public_id).join(Recording).where(Recording.state == state)
        return db.scalars(found.order_by(WebinarSession.starts_at.desc())).all()[1]


def closed_recording() -> str:
    """One the clock has destroyed meanwhile."""
    return recording_in(RecordingState.DESTROYED)


if __name__ == "__main__":
    sys.exit(main())
