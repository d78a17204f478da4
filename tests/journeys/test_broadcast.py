"""From a fake camera in one browser to a picture in another, and to a recording that plays."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.builders import make_faculty, make_registration, make_session, make_user
from tests.journeys.conftest import Site
from webinar.db import open_db
from webinar.domain.session import FacultyPart
from webinar.models import User, WebinarSession


def season(now: datetime) -> tuple[WebinarSession, User, User]:
    """A session that starts in five minutes, its speaker and one participant."""
    with open_db.begin() as db:
        session = make_session(db, starts_at=(now + timedelta(minutes=5)).replace(microsecond=0))
        speaker = make_user(db, name="Prof Elena Marchetti")
        make_faculty(db, session, FacultyPart.PRESENTER, user=speaker)
        make_faculty(db, session, FacultyPart.MODERATOR, user=speaker)
        participant = make_user(db, name="Dr Anna Keller")
        make_registration(db, session, participant)
    return session, speaker, participant


def page_of(browser: Browser, site: Site, user: User) -> Page:
    context: BrowserContext = browser.new_context(
        base_url=site.url, permissions=["camera", "microphone"]
    )
    context.add_cookies([site.cookie_for(user)])
    return context.new_page()


def wait_for(page: Page, expression: str, *, seconds: int = 30) -> None:
    """Until the expression holds on the page. (Playwright's own waiting needs eval: our CSP.)"""
    for _ in range(seconds * 5):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(200)
    raise AssertionError(f"did not come true in {seconds} s: {expression}")


def wait_until_time_passes(page: Page, seconds: float) -> None:
    """The picture really moves: currentTime advances by that much."""
    wait_for(page, "document.querySelector('video').readyState >= 3")
    start = page.evaluate("document.querySelector('video').currentTime")
    wait_for(page, f"document.querySelector('video').currentTime >= {start + seconds}")


def test_a_session_is_broadcast_watched_and_recorded(site: Site, browser: Browser) -> None:
    session, speaker, participant = season(datetime.now(UTC))
    studio = page_of(browser, site, speaker)
    watcher = page_of(browser, site, participant)

    watcher.goto(f"/sessions/{session.public_id}/live")
    expect(watcher.get_by_text("You are in the right place")).to_be_visible()

    studio.goto(f"/studio/{session.public_id}")
    go_live = studio.get_by_role("button", name="Go live")
    expect(go_live).to_be_enabled(timeout=15_000)
    go_live.click()
    expect(studio.get_by_text("On air", exact=True)).to_be_visible()

    wait_until_time_passes(watcher, 3)
    watcher.get_by_label("Your question").fill("Which margin do you accept?")
    watcher.get_by_role("button", name="Send").click()
    expect(watcher.get_by_text("Sent to the moderator")).to_be_visible()
    expect(studio.get_by_text("Which margin do you accept?")).to_be_visible(timeout=10_000)

    studio.get_by_role("button", name="Stop").click()
    studio.get_by_role("button", name="End the session").click()
    expect(studio.get_by_text("The broadcast has ended")).to_be_visible(timeout=15_000)

    expect(watcher.get_by_role("link", name="Watch the recording")).to_be_visible(timeout=40_000)
    watcher.get_by_role("link", name="Watch the recording").click()
    watcher.evaluate("document.querySelector('video').play()")
    wait_until_time_passes(watcher, 2)
