"""A real Chromium for the tests, driven by Playwright."""

from pathlib import Path

from playwright.sync_api import Browser, Playwright

from tests.components.programs import find_chromium

_QUIET = (
    "--no-sandbox",  # root and containers have no other way; the pages are our own
    "--disable-dev-shm-usage",  # containers give it 64 MB, and it crashes when they are full
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_FAKE_MEDIA = (
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--auto-select-desktop-capture-source=Entire screen",
    "--autoplay-policy=no-user-gesture-required",
)


def chromium_path() -> Path:
    """The browser the tests start; raises ComponentMissing."""
    return find_chromium()


def launch(playwright: Playwright, *, fake_media: bool = False) -> Browser:
    """Start Chromium; with `fake_media` it has a camera, a microphone and says yes when asked."""
    return playwright.chromium.launch(
        executable_path=chromium_path(),
        args=[*_QUIET, *(_FAKE_MEDIA if fake_media else ())],
    )
