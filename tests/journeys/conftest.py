"""A whole site on a free port, with its clock, and real browsers in front of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Playwright
from werkzeug.serving import make_server

from config import Config
from tests.components.chromium import launch
from tests.components.servers import free_port
from tests.components.smtp import SmtpSink
from tests.conftest import SECRET
from webinar.app import create_app
from webinar.jobs.clock import start_in_background
from webinar.jobs.toolbox import Toolbox
from webinar.models import User


@dataclass(frozen=True)
class Site:
    """A running site: its address, its program, its data folder."""

    url: str
    app: Flask
    config: Config

    def cookie_for(self, user: User) -> dict[str, str]:
        """A sign-in cookie for the person, as a browser keeps it."""
        return {"name": "webinar", "value": sign_in_cookie(self.app, user), "url": self.url}


def sign_in_cookie(app: Flask, user: User) -> str:
    """The value of the cookie that says who this is."""
    signer = app.session_interface.get_signing_serializer(app)
    return signer.dumps({"_user_id": user.get_id(), "_fresh": True})


@pytest.fixture
def smtp() -> Iterator[SmtpSink]:
    with SmtpSink() as sink:
        yield sink


@pytest.fixture
def site(database_url: str, tmp_path: Path, smtp: SmtpSink) -> Iterator[Site]:
    """The program served by real threads over real sockets, with its clock."""
    port = free_port()
    config = Config(
        SECRET_KEY=SECRET,
        DATABASE_URL=database_url,
        DATA_DIR=tmp_path / "data",
        PUBLIC_URL=f"http://localhost:{port}",
        SMTP_URL=smtp.url,
    )
    app = create_app(config)
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    clock = start_in_background(Toolbox.from_config(config))
    yield Site(config.PUBLIC_URL, app, config)
    clock.shutdown(wait=True)
    server.shutdown()
    thread.join()
    server.server_close()
    app.extensions["engine"].dispose()


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium with a fake camera and microphone."""
    browser = launch(playwright, fake_media=True)
    yield browser
    browser.close()


@pytest.fixture
def context(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=site.url, permissions=["camera", "microphone"])
    yield context
    context.close()


@pytest.fixture(autouse=True)
def _close_what_was_opened(request: pytest.FixtureRequest) -> Iterator[None]:
    """A page that a journey left open would go on playing beside the next one.

    It closes while what it asks is still there: a server that is gone before it would be asked in
    vain, and its late requests would meet the database of the next test.
    """
    for name in ("site", "served"):
        if name in request.fixturenames:
            request.getfixturevalue(name)
    yield
    if "browser" in request.fixturenames:
        browser: Browser = request.getfixturevalue("browser")
        for context in browser.contexts:
            context.close()
