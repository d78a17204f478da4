"""The pieces, drawn: every state in every zone, readable by everyone."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask, render_template_string
from flask_wtf import FlaskForm
from playwright.sync_api import ConsoleMessage, Playwright
from werkzeug.serving import make_server
from wtforms import BooleanField, EmailField, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Email

from config import Config
from tests.components.chromium import launch
from webinar.app import create_app
from webinar.web.styleguide import READER_ZONES

AXE = Path(__file__).resolve().parent.parent / "vendor" / "axe" / "axe.min.js"
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Form(FlaskForm):
    """One field of each common kind."""

    name = StringField("Your name", [DataRequired("Write your name.")])
    email = EmailField("E-mail", [Email("Write the whole address.")])
    password = PasswordField("Password", [DataRequired("Choose a password.")])
    country = SelectField(
        "Country", choices=[SelectChoice("CH", "Switzerland"), SelectChoice("GR", "Greece")]
    )
    agree = BooleanField("I agree")


@pytest.fixture
def guide(tmp_path: Path) -> Iterator[Flask]:
    config = Config(
        SECRET_KEY="s" * 40,
        DATABASE_URL=f"sqlite:///{tmp_path / 'unused.sqlite3'}",
        DATA_DIR=tmp_path,
        DEVELOPMENT=True,
    )
    app = create_app(config)
    app.config.update(WTF_CSRF_ENABLED=False)
    yield app
    app.extensions["engine"].dispose()


@pytest.fixture
def address(guide: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, guide, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("zone", READER_ZONES)
def test_every_piece_can_be_drawn_for_a_reader_of_any_zone(guide: Flask, zone: str) -> None:
    answer = guide.test_client().get("/styleguide", query_string={"zone": zone})

    assert answer.status_code == 200


def test_a_reader_elsewhere_sees_both_times_and_a_neighbour_only_one(guide: Flask) -> None:
    client = guide.test_client()

    tokyo = client.get("/styleguide?zone=Asia/Tokyo").text
    berlin = client.get("/styleguide?zone=Europe/Berlin").text

    assert tokyo.count("your time Fri 27 Nov 2026, ") > 0
    assert berlin.count("your time") == 0


def test_a_refused_form_keeps_what_was_typed_and_says_what_is_wrong_beside_it(guide: Flask) -> None:
    typed = {"name": "", "email": "agnes@", "password": "secret of mine", "country": "GR"}
    page = (
        '{% import "_macros.html" as ui %}{{ ui.error_summary(form.errors) }}'
        "{% for field in form %}{{ ui.form_field(field) }}{% endfor %}"
    )

    with guide.test_request_context("/", method="POST", data=typed):
        guide.preprocess_request()
        form = Form()
        form.validate()
        html = render_template_string(page, form=form)

    assert html.count('<a href="#f-email">Write the whole address.</a>') == 1
    assert html.count('<p class="field-error" id="f-email-error">Write the whole address.</p>') == 1
    assert html.count('value="agnes@" aria-describedby="f-email-error" aria-invalid="true"') == 1
    assert html.count('<option value="GR" selected>') == 1
    assert html.count("secret of mine") == 0


@pytest.mark.browser
def test_the_pieces_are_accessible_in_both_themes_on_both_screens(
    address: str, playwright: Playwright
) -> None:
    found: list[str] = []

    def note(message: ConsoleMessage) -> None:
        found.append(message.text)

    browser = launch(playwright)
    for width in (1280, 390):
        for theme in ("light", "dark"):
            context = browser.new_context(
                viewport={"width": width, "height": 900}, color_scheme=theme
            )
            page = context.new_page()
            page.on("console", note)
            page.goto(f"{address}/styleguide")
            page.evaluate(AXE.read_text())
            result = page.evaluate("tags => axe.run(document, {runOnly: tags})", STANDARDS)
            found += [f"{width} {theme}: {rule['id']}" for rule in result["violations"]]
            wider = "document.documentElement.scrollWidth > innerWidth"
            found += [f"{width} {theme}: scrolls sideways"] if page.evaluate(wider) else []
            context.close()
    browser.close()

    assert found == []


@pytest.mark.browser
def test_the_browsers_own_zone_reaches_the_server_and_the_menu_closes_on_escape(
    address: str, guide: Flask, playwright: Playwright
) -> None:
    browser = launch(playwright)
    context = browser.new_context(viewport={"width": 390, "height": 900}, timezone_id="Asia/Tokyo")
    page = context.new_page()
    with page.expect_response("**/zone") as told:
        page.goto(f"{address}/styleguide")
    page.goto(f"{address}/styleguide")
    zone = page.evaluate("document.documentElement.dataset.zone")
    page.get_by_text("Menu", exact=True).click()
    page.keyboard.press("Escape")
    still_open = page.evaluate("document.querySelector('details.menu').open")
    status = told.value.status
    browser.close()

    assert status == 204
    assert zone == "Asia/Tokyo"
    assert still_open is False
