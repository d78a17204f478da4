"""Every route is public on purpose or guarded: the list of public ones stands here."""

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from webinar.domain.session import LIFE, StepName
from webinar.web import beats, media_doors
from webinar.web.access import MARK

FRONT = Path(__file__).parent.parent / "deploy" / "nginx.conf"

PUBLIC = {
    "auth.check_mail",
    "auth.open_account",
    "auth.register",
    "auth.send_link",
    "auth.sign_in",
    "auth.sign_in_by_password",
    "auth.sign_out",
    "certificates.ask",
    "certificates.check_file",
    "certificates.key_json",
    "certificates.keys_pem",
    "certificates.status",
    "certificates.verify",
    "faculty_files.portrait",
    "feeds.everything",
    "feeds.series",
    "feeds.session",
    "feeds.society",
    "feeds.topic",
    "feeds.unknown",
    "health.alive",
    "health.ready",
    "home.index",
    "hooks.bigbluebutton",
    "hooks.bigbluebutton_ended",
    "hooks.zoom",
    "ingest.rtmp",
    "pages.about",
    "pages.privacy",
    "registrations.register",
    "registrations.register_series",
    "series.show",
    "sessions.index",
    "sessions.show",
    "societies.show",
    "static",
    "styleguide.show",
    "topics.show",
    "zone.remember",
}
BY_TOKEN = {
    "auditor.again",
    "auditor.draw",
    "auditor.index",
    "auditor.person",
    "auditor.session",
    "auth.open_link",
    "auth.open_verification",
    "auth.sign_in_by_link",
    "auth.verify_email",
    "faculty.open_studio",
    "faculty.own_photo",
    "faculty.own_slides",
    "faculty.remove_photo",
    "faculty.remove_slides",
    "faculty.save_consent",
    "faculty.save_disclosure",
    "faculty.save_words",
    "faculty.send_photo",
    "faculty.send_slides",
    "faculty.show",
    "feeds.personal",
    "metrics.show",
    "unsubscribe.show",
    "unsubscribe.stop",
}


def rules(app: Flask) -> list[Rule]:
    return list(app.url_map.iter_rules())


def test_every_view_carries_a_mark(app: Flask) -> None:
    bare = {name for name, view in app.view_functions.items() if not hasattr(view, MARK)}

    assert bare == set()


def test_the_public_views_are_these_and_no_others(app: Flask) -> None:
    public = {n for n, view in app.view_functions.items() if getattr(view, MARK) == "public"}

    assert public == PUBLIC


def test_the_views_opened_by_a_secret_in_the_address_are_these(app: Flask) -> None:
    opened = {n for n, view in app.view_functions.items() if getattr(view, MARK) == "token"}

    assert opened == BY_TOKEN


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_other_route_sends_a_stranger_to_sign_in(app: Flask, client: FlaskClient) -> None:
    let_in = []
    for rule in rules(app):
        if rule.endpoint in PUBLIC | BY_TOKEN:
            continue
        values = {name: _sample(rule, name) for name in rule.arguments}
        path = app.url_map.bind("localhost").build(rule.endpoint, values, method=None)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            answer = client.open(path, method=method)
            sent_away = answer.status_code == 401 or (
                answer.status_code == 302 and answer.location.startswith("/sign-in")
            )
            if not sent_away:
                let_in.append(f"{method} {rule.rule}: {answer.status_code}")

    assert let_in == []


def test_what_is_answered_in_front_of_flask_says_why() -> None:
    assert set(beats.UNROUTED) == {"/beats"}
    assert set(media_doors.UNROUTED) == {
        "/recordings/<id>/keys/<number>",
        "/recordings/<id>/live.m3u8",
        "/recordings/<id>/<rendition>/live.m3u8",
        "/recordings/<id>/segments/<name>",
        "/recordings/<id>/may",
    }


def _sample(rule: Rule, name: str) -> str | int:
    return 1 if type(rule._converters[name]).__name__ == "IntegerConverter" else "x"


STEP_OF = {
    "manage.session_publish": StepName.PUBLISH,
    "manage.session_unpublish": StepName.UNPUBLISH,
    "manage.session_cancel": StepName.CANCEL,
    "manage.session_restore": StepName.RESTORE,
    "manage.session_discard": StepName.DISCARD,
}


@pytest.mark.parametrize(("endpoint", "name"), STEP_OF.items())
def test_a_step_of_a_session_asks_what_its_row_asks(
    app: Flask, endpoint: str, name: StepName
) -> None:
    action = LIFE[name].action

    assert action is not None
    assert getattr(app.view_functions[endpoint], MARK) == action.value


def test_no_secret_of_an_address_stands_in_the_log_of_the_front(app: Flask) -> None:
    found = re.search(r"map \$request_uri \$webinar_logged \{(.*?)\n\}", FRONT.read_text(), re.S)
    assert found is not None
    hidden = [re.compile(sign) for sign in re.findall(r"^\s*~(\^\S+)", found[1], re.M)]

    told = sorted(
        rule.rule
        for rule in app.url_map.iter_rules()
        if "token" in rule.arguments
        and not any(sign.match(re.sub("<[^>]*>", "SECRET", rule.rule)) for sign in hidden)
    )

    assert told == []
