"""What the journeys do again and again: sign in, wait, watch."""

from datetime import datetime, timedelta

from playwright.sync_api import Browser, Page
from playwright.sync_api import Error as BrowserError

from tests.builders import make_faculty, make_registration, make_session, make_user
from tests.journeys.conftest import Site
from webinar.db import open_db
from webinar.domain.session import FacultyPart
from webinar.models import User, WebinarSession

# Until the first picture, on a machine that has other things to do than to encode.
PICTURE_SECONDS = 90


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


def page_of(browser: Browser, site: Site, user: User | None = None) -> Page:
    """A browser of its own, with the person signed in if there is one."""
    context = browser.new_context(base_url=site.url, permissions=["camera", "microphone"])
    if user is not None:
        context.add_cookies([site.cookie_for(user)])
    context.set_default_timeout(60_000)
    return context.new_page()


def follow(page: Page, link: str) -> None:
    """Press the link and wait for the page behind it: one that still loads moves under a press."""
    with page.expect_navigation():
        page.get_by_role("link", name=link).click()


def wait_for(page: Page, expression: str, *, seconds: int = 60) -> None:
    """Until the expression holds on the page. (Playwright's own waiting needs eval: our CSP.)

    A page that is still being read may not have what the expression speaks of: not yet, then.
    """
    said = "it was false"
    for _ in range(seconds * 5):
        try:
            if page.evaluate(expression):
                return
        except BrowserError as error:
            said = error.message
        page.wait_for_timeout(200)
    raise AssertionError(f"did not come true in {seconds} s: {expression} ({said})")


def wait_until_time_passes(page: Page, seconds: float, *, within: int = 60) -> None:
    """The picture really moves: currentTime advances by that much."""
    wait_for(page, "document.querySelector('video').readyState >= 3", seconds=PICTURE_SECONDS)
    start = page.evaluate("document.querySelector('video').currentTime")
    wait_for(
        page, f"document.querySelector('video').currentTime >= {start + seconds}", seconds=within
    )
