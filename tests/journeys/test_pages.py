"""Every page a person can reach, light on a desk and dark on a phone: readable, quiet, in place."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Page
from werkzeug.routing import Rule
from werkzeug.serving import make_server

from config import Config
from tests.components.servers import free_port
from tests.conftest import SECRET
from tests.journeys.conftest import sign_in_cookie
from tests.journeys.small_season import People, Season, make_people, make_season
from webinar.app import create_app
from webinar.db import open_db
from webinar.domain.mail_marks import stop_token
from webinar.domain.mail_wishes import MailTopic
from webinar.media.storage import Storage
from webinar.tools import media_shelf
from webinar.web.access import MARK

AXE = (Path(__file__).parents[1] / "vendor" / "axe" / "axe.min.js").read_text()
# A theme changes colours, a screen the layout: each is seen once, with every rule.
LOOKS = [(1280, "light"), (390, "dark")]
RUN_AXE = """
async () => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target}`));
}
"""

# What answers a GET with something else than a page: feeds, media, answers for scripts, pieces.
NOT_PAGES = {
    "certificates.badge",
    "certificates.badge_json",
    "certificates.extract",
    "certificates.key_json",
    "certificates.keys_pem",
    "certificates.pdf",
    "certificates.status",
    "transcript.csv",
    "transcript.pdf",
    "faculty.own_photo",
    "faculty.own_slides",
    "faculty_files.portrait",
    "feeds.everything",
    "feeds.personal",
    "feeds.series",
    "feeds.session",
    "feeds.society",
    "feeds.topic",
    "feeds.unknown",
    "health.alive",
    "health.ready",
    "hooks.bigbluebutton_ended",
    "ingest.show",
    "live.state",
    "manage.audit_export",
    "manage.export_file",
    "manage.faculty_photo",
    "manage.faculty_slides",
    "manage.mail_preview_page",
    "manage.recording_captions_download",
    "manage.recording_scenes",
    "manage.recording_slide",
    "manage.recording_upload_state",
    "manage.season_export",
    "manage.season_template",
    "manage.window_record",
    "media.caption",
    "media.key",
    "media.live",
    "media.live_of",
    "media.poster",
    "media.segment",
    "media.slide",
    "media.whole",
    "media.whole_of",
    "metrics.show",
    "own_data.download",
    "presence.show",
    "rooms.enter",
    "static",
    "studio_desk.state",
    "studio_questions.passed_on",
    "studio_questions.show",
    "studio_rehearsal.picture",
    "studio_slides.page",
    "watch_places.show",
}


def values(season: Season) -> dict[str, list[dict[str, str]]]:
    """What stands in the address of each page that needs something there."""
    sessions = [
        {"public_id": public_id}
        for public_id in (season.upcoming, season.on_air, season.cancelled, season.attended)
    ]
    return {
        "auditor.again": [{"token": season.desk.door, "public_id": season.attended}],
        "auditor.index": [{"token": season.desk.door}, {"token": "never-was-one"}],
        "auditor.person": [
            {
                "token": season.desk.door,
                "public_id": season.attended,
                "pseudonym": season.desk.pseudonym,
            }
        ],
        "auditor.session": [{"token": season.desk.door, "public_id": season.attended}],
        "auth.open_link": [{"token": season.link}],
        "auth.open_verification": [{"token": "spent"}],
        "certificates.verify": [{"number": season.certificate}, {"number": "nonsense"}],
        "credits.show": [{"public_id": season.attended}],
        "evaluations.show": [{"public_id": season.attended}, {"public_id": season.in_test}],
        "faculty.show": [
            {"token": season.faculty_page},
            {"token": season.faculty_page_of_draft},
            {"token": "1.spent"},
        ],
        "live.show": [
            {"public_id": season.upcoming},
            {"public_id": season.on_air},
            {"public_id": season.in_room},
            {"public_id": season.cancelled},
        ],
        "manage.attendance_imports": [
            {"public_id": season.attended},
            {"public_id": season.draft},
        ],
        "manage.attendance_review": [
            {"public_id": season.attended, "import_id": season.desk.report}
        ],
        "manage.attendance_person": [
            {
                "public_id": season.attended,
                "import_id": season.desk.report,
                "visit_id": season.desk.visit,
            }
        ],
        "manage.corrections_list": [{"public_id": season.attended}, {"public_id": season.draft}],
        "manage.correction_show": [
            {"public_id": season.attended, "correction_id": season.desk.correction}
        ],
        "manage.correction_new": [
            {"public_id": season.attended},
            {"public_id": season.attended, "user": "1", "appeal": "1"},
        ],
        "manage.faculty_credit": [{"public_id": season.attended}],
        "manage.incidents_show": [{"public_id": season.attended}],
        "manage.session_reports": [{"public_id": season.attended}, {"public_id": season.draft}],
        "manage.report_show": [{"public_id": season.attended, "grant_id": season.earned}],
        "manage.export_show": [
            {"public_id": season.attended, "grant_id": season.earned, "kind": kind}
            for kind in ("eiv", "pars_learners")
        ],
        "manage.certificate": [{"number": season.certificate}],
        "manage.auditor_door_new": [{"slug": season.society}],
        "manage.appeal_show": [{"public_id": season.attended, "appeal_id": "1"}],
        "manage.credit_person": [{"public_id": season.attended, "user_id": "1"}],
        "manage.credit_people": [{"public_id": season.attended}, {"public_id": season.draft}],
        "manage.mail_preview": [{"kind": "weekly_digest"}, {"kind": "sign_in_link"}],
        "manage.mails_person": [{"user_id": "1"}, {"user_id": "3"}],
        "manage.session_mails": [{"public_id": season.attended}, {"public_id": season.draft}],
        "manage.person_show": [{"user_id": "1"}, {"user_id": "3"}],
        "manage.society_edit": [{"slug": season.society}],
        "manage.topic_edit": [{"topic_id": "1"}],
        "manage.session_auspices": [{"public_id": season.upcoming}],
        "manage.session_room": [{"public_id": season.upcoming}, {"public_id": season.in_room}],
        "manage.session_history": [{"public_id": season.attended}, {"public_id": season.draft}],
        "manage.grant_edit": [{"public_id": season.in_test, "grant_id": season.grant}],
        "manage.grant_new": [{"public_id": season.upcoming}],
        "manage.grants_show": [{"public_id": season.in_test}, {"public_id": season.draft}],
        "manage.body_show": [{"body": "eaccme"}],
        "manage.planner_show": [{"slug": season.series, "body": "eaccme"}],
        "manage.policy_edit": [{"name": "eaccme-3.0-live"}],
        "manage.policy_show": [{"name": "eaccme-3.0-live"}],
        "manage.recording_window": [
            {"public_id": season.upcoming},
            {"public_id": season.attended},
        ],
        "more_time.show": [{"public_id": season.attended}],
        "manage.recording_upload": [
            {"public_id": season.attended},
            {"public_id": season.upcoming},
        ],
        "manage.recording_captions": [{"public_id": season.attended, "language": "en"}],
        "manage.recording_desk": [
            {"public_id": season.upcoming},
            {"public_id": season.attended},
        ],
        "manage.quiz": [{"public_id": season.in_test}, {"public_id": season.draft}],
        "manage.quiz_item": [{"public_id": season.in_test, "item_id": season.question}],
        "manage.season_copy_page": [
            {},
            {
                "show": "y",
                "series": "*",
                "old_from": "2026-01-01",
                "old_to": "2026-12-31",
                "new_from": "2027-01-01",
                "titles": "y",
            },
        ],
        "manage.series_change": [{"slug": season.series}],
        "manage.series_edit": [{"slug": season.series}],
        "manage.series_show": [{"slug": season.series}],
        "manage.session_faculty": [{"public_id": season.attended}, {"public_id": season.draft}],
        "manage.session_figures": [{"public_id": season.attended}, {"public_id": season.draft}],
        "manage.session_duplicate": [{"public_id": season.draft}],
        "manage.session_move": [{"public_id": season.draft}],
        "manage.session_edit": [{"public_id": season.draft}, {"public_id": season.attended}],
        "quizzes.show": [{"public_id": season.in_test}],
        "recordings.show": [{"public_id": season.attended}, {"public_id": season.closed}],
        "series.show": [{"slug": season.series}],
        "sessions.index": [{}, {"view": "month"}, {"when": "past"}, {"q": "no such words"}],
        "sessions.show": sessions,
        "societies.show": [{"slug": season.society}],
        "studio.show": [
            {"public_id": season.upcoming},
            {"public_id": season.on_air},
            {"public_id": season.attended},
        ],
        "topics.show": [{"slug": season.topic}],
        "unsubscribe.show": [
            {"token": stop_token(SECRET, 1, MailTopic.DIGEST)},
            {"token": "nonsense"},
        ],
    }


# The small season has no films; the other journeys have.
NO_BYTES = "/recording.m3u8"

# Open to everybody, and another page for a person who is signed in.
ALSO_PERSONAL = {"home.index", "series.show", "sessions.index", "sessions.show"}

# A page that is as it should be with another status than 200.
REFUSALS = {
    "auditor.index": {200, 410},  # one of the two addresses never was one
    "auth.open_verification": {400, 404, 410},  # the link is spent
    "certificates.verify": {200, 404},  # one of the two numbers is nonsense
    "faculty.show": {200, 410},  # the last address never was one
    "recordings.show": {200, 410},  # one of the two windows is closed
    "unsubscribe.show": {200, 404},  # one of the two addresses never was one
}


@dataclass(frozen=True)
class Served:
    """The program on SQLite behind a port, without its clock: nothing changes by itself."""

    app: Flask
    url: str
    people: People
    storage: Storage


@pytest.fixture
def served(sqlite_template: Path, tmp_path: Path) -> Iterator[Served]:
    shutil.copy(sqlite_template, tmp_path / "pages.sqlite3")
    port = free_port()
    config = Config(
        SECRET_KEY=SECRET,
        DATABASE_URL=f"sqlite:///{tmp_path / 'pages.sqlite3'}",
        DATA_DIR=tmp_path / "data",
        PUBLIC_URL=f"http://localhost:{port}",
    )
    app = create_app(config)
    app.config.update(RATELIMIT_ENABLED=False)
    with open_db.begin() as db:
        people = make_people(db)
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Served(app, config.PUBLIC_URL, people, media_shelf(config).storage)
    server.shutdown()
    thread.join()
    server.server_close()
    app.extensions["engine"].dispose()


def pages(app: Flask) -> list[Rule]:
    """Every GET route that draws a page."""
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or set())]
    return sorted(
        (rule for rule in rules if rule.endpoint not in NOT_PAGES), key=lambda rule: rule.rule
    )


def belongs_to(app: Flask, rule: Rule, kind: str) -> bool:
    """Who walks there: staff pages are the organiser's, the studio is the speaker's."""
    mark = getattr(app.view_functions[rule.endpoint], MARK)
    if rule.endpoint.startswith("studio."):
        return kind == "speaker"
    if mark in ("public", "token"):
        return kind == "visitor" or (kind == "participant" and rule.endpoint in ALSO_PERSONAL)
    if mark == "signed in":
        return kind == "participant"
    return kind == "organiser"


def walk(served: Served, kind: str, season: Season | None) -> list[tuple[str, str]]:
    """Endpoint and address of every page this kind of person can reach."""
    wanted = values(season) if season else {}
    adapter = served.app.url_map.bind("localhost")
    found = []
    for rule in pages(served.app):
        if belongs_to(served.app, rule, kind):
            samples = wanted.get(rule.endpoint, [] if rule.arguments else [{}])
            found += [(rule.endpoint, adapter.build(rule.endpoint, each)) for each in samples]
    return found


def complaint(message: ConsoleMessage, url: str, status: int) -> list[str]:
    """What the console says, unless it says that this page is a refusal, as we know."""
    where = message.location["url"]
    is_known = (where == url and status != 200) or where.partition("?")[0].endswith(NO_BYTES)
    if message.type != "error" or is_known:
        return []
    return [f"console: {message.text} {where}"]


def look_at(page: Page, endpoint: str, path: str) -> list[str]:
    """Everything that is wrong with the page, one line each; an empty list if it is good."""
    heard: list[str] = []
    said: list[ConsoleMessage] = []

    page.on("console", lambda message: said.append(message))
    page.on("pageerror", lambda error: heard.append(f"error: {error}"))
    page.set_viewport_size({"width": 1280, "height": 900})
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    answer = page.goto(path, wait_until="load")
    assert answer is not None
    if answer.status not in REFUSALS.get(endpoint, {200}):
        heard.append(f"answered {answer.status}")
    if page.locator("h1").count() != 1:
        heard.append(f"has {page.locator('h1').count()} h1")
    if not page.title().strip(" ·"):
        heard.append("has no title")
    page.evaluate(AXE)
    for width, theme in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        heard += [f"{width} {theme} {line}" for line in page.evaluate(RUN_AXE)]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            heard.append(f"{width} {theme} scrolls sideways")
    heard += [line for message in said for line in complaint(message, page.url, answer.status)]
    return [f"{path} ({endpoint}): {line}" for line in heard]


def look_at_all(served: Served, browser: Browser, kind: str, season: Season | None) -> list[str]:
    context = browser.new_context(base_url=served.url, permissions=["camera", "microphone"])
    person = served.people.named(kind)
    if person is not None:
        cookie = sign_in_cookie(served.app, person)
        context.add_cookies([{"name": "webinar", "value": cookie, "url": served.url}])
    addresses = walk(served, kind, season)
    assert addresses != []
    found = []
    for endpoint, path in addresses:
        page = context.new_page()
        found += look_at(page, endpoint, path)
        page.close()
    context.close()
    return found


def test_every_page_has_values_for_its_address(served: Served) -> None:
    with open_db.begin() as db:
        season = make_season(db, served.people, served.storage, now=datetime.now(UTC))

    missing = {
        rule.endpoint
        for rule in pages(served.app)
        if rule.arguments and set(rule.arguments) != set(values(season).get(rule.endpoint, [{}])[0])
    }

    assert missing == set()


@pytest.mark.browser
@pytest.mark.parametrize("kind", ["visitor", "participant", "speaker", "organiser"])
def test_every_page_of_a_season_is_good(served: Served, browser: Browser, kind: str) -> None:
    with open_db.begin() as db:
        season = make_season(db, served.people, served.storage, now=datetime.now(UTC))

    assert look_at_all(served, browser, kind, season) == []


@pytest.mark.browser
@pytest.mark.parametrize("kind", ["visitor", "participant", "organiser"])
def test_every_page_without_anything_on_it_is_good(
    served: Served, browser: Browser, kind: str
) -> None:
    assert look_at_all(served, browser, kind, None) == []
