"""A video sent by hand in a browser: paused, the page reloaded, gone on with, packaged."""

import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, CDPSession, Page

from tests.builders import make_session, make_user
from tests.journeys.conftest import Site
from tests.media.films import H264, film
from webinar.db import open_db
from webinar.domain.access import Role
from webinar.domain.session import SessionStatus
from webinar.media.uploads import UploadStore

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

MEGABYTE = 1024 * 1024
PADDING = 40 * MEGABYTE
PATIENCE = 60_000  # milliseconds


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Four seconds and a box that players skip, so that sending takes a while."""
    talk = film(tmp_path / "talk.mp4", seconds=4, how=[*H264, "-g", "50", "-c:a", "aac"])
    with talk.open("ab") as file:
        file.write((PADDING + 8).to_bytes(4, "big") + b"free" + secrets.token_bytes(PADDING))
    return talk


def line_of(page: Page) -> CDPSession:
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    return line


def slow_down(line: CDPSession, *, megabytes_a_second: int) -> None:
    line.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": 5,
            "downloadThroughput": -1,
            "uploadThroughput": megabytes_a_second * MEGABYTE,
        },
    )


def test_a_video_is_paused_gone_on_with_after_a_reload_and_packaged(
    site: Site, browser: Browser, video: Path
) -> None:
    site.app.extensions["config"] = replace(site.config, LOW_DISK_MEGABYTES=0)
    ended = datetime.now(UTC) - timedelta(days=1)
    with open_db.begin() as db:
        session = make_session(db, starts_at=ended, status=SessionStatus.ENDED)
        organiser = make_user(db, roles=(Role.ORGANISER,))
    context = browser.new_context()
    context.add_cookies([site.cookie_for(organiser)])
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("dialog", lambda dialog: dialog.accept())
    line = line_of(page)
    # Twenty seconds in which to press Pause.
    slow_down(line, megabytes_a_second=2)

    page.goto(f"{site.url}/manage/sessions/{session.public_id}/recording/upload")
    page.set_input_files("#video", video)
    page.locator('[data-say="sending"]', has_text="MB/s").wait_for(timeout=PATIENCE)
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("are safe on the server").wait_for(timeout=PATIENCE)
    page.reload()
    slow_down(line, megabytes_a_second=8)
    page.get_by_text("Choose it again to go on").wait_for(timeout=PATIENCE)
    page.set_input_files("#video", video)
    page.locator('[data-part="packaging"]').wait_for(timeout=PATIENCE)
    page.get_by_text("It is ready").wait_for(timeout=PATIENCE)

    assert page.locator('[data-say="done"]').inner_text() == (
        "talk.mp4 is packaged: MP4, 320 × 180, h264 and aac, 4 s."
    )
    assert UploadStore(site.config.DATA_DIR).names() == []
    assert said == []
    context.close()
