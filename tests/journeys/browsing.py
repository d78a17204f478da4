"""What the journeys do again and again: sign in, wait, watch."""

from playwright.sync_api import Browser, Page

from tests.journeys.conftest import Site
from webinar.models import User


def page_of(browser: Browser, site: Site, user: User | None = None) -> Page:
    """A browser of its own, with the person signed in if there is one."""
    context = browser.new_context(base_url=site.url, permissions=["camera", "microphone"])
    if user is not None:
        context.add_cookies([site.cookie_for(user)])
    context.set_default_timeout(15_000)
    return context.new_page()


def wait_for(page: Page, expression: str, *, seconds: int = 30) -> None:
    """Until the expression holds on the page. (Playwright's own waiting needs eval: our CSP.)"""
    for _ in range(seconds * 5):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(200)
    raise AssertionError(f"did not come true in {seconds} s: {expression}")


def wait_until_time_passes(page: Page, seconds: float, *, within: int = 30) -> None:
    """The picture really moves: currentTime advances by that much."""
    wait_for(page, "document.querySelector('video').readyState >= 3")
    start = page.evaluate("document.querySelector('video').currentTime")
    wait_for(
        page, f"document.querySelector('video').currentTime >= {start + seconds}", seconds=within
    )
