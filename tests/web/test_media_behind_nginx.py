"""deploy/nginx.conf before a real gunicorn: segments from the disk, to nobody without asking."""

import http.client
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from config import Config
from tests.builders import make_registration, make_user
from tests.components.front import DEPLOY, front
from tests.components.nginx import NginxServer
from tests.components.servers import GuardedServer, ServerFolder, free_port
from tests.web.evening import BASE, RECORDING, Evening, make_evening
from webinar.app import create_app
from webinar.db import open_db
from webinar.models import Recording, User, WebinarSession

SECRET = "a secret of the tests, long enough to start"
ROOT = DEPLOY.parent
LONGEST_WAIT_SECONDS = 20.0


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Site:
    """nginx and gunicorn, and what lies behind them."""

    nginx: NginxServer
    program_port: int
    app: Flask
    evening: Evening

    def get(self, path: str, user: User | None = None, **headers: str) -> Answer:
        """Through nginx, as this person."""
        return self._get(self.nginx.port, path, user, headers)

    def get_past_nginx(self, path: str, user: User) -> Answer:
        """Straight from gunicorn."""
        return self._get(self.program_port, path, user, {})

    def _get(self, port: int, path: str, user: User | None, headers: dict[str, str]) -> Answer:
        if user is not None:
            headers["Cookie"] = f"webinar={self._cookie(user)}"
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        answer = Answer(response.status, response.read(), dict(response.getheaders()))
        connection.close()
        return answer

    def _cookie(self, user: User) -> str:
        serializer = SecureCookieSessionInterface().get_signing_serializer(self.app)
        assert serializer is not None
        return str(serializer.dumps({"_user_id": user.get_id()}))

    def newcomer(self) -> User:
        """Somebody with a place whom nobody asked about yet."""
        with open_db.begin() as db:
            user = make_user(db)
            make_registration(db, db.get_one(WebinarSession, self.evening.session_id), user)
        return user

    def close_at(self, instant: datetime) -> None:
        """End the window there."""
        with open_db.begin() as db:
            db.get_one(Recording, self.evening.recording_id).closes_at = instant


@pytest.fixture(scope="module")
def site(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(sqlite_template, folder / "site.sqlite3")
    config = Config(
        SECRET_KEY=SECRET,
        DATABASE_URL=f"sqlite:///{folder / 'site.sqlite3'}",
        DATA_DIR=folder / "data",
        NGINX=True,
    )
    app = create_app(config)
    with open_db() as db:
        evening = make_evening(app, db)
    port = free_port()
    settings = config.to_env() | {"BIND": f"127.0.0.1:{port}", "WEB_CONCURRENCY": "1"}
    program = GuardedServer(
        [
            *("env", *(f"{name}={value}" for name, value in settings.items())),
            *(sys.executable, "-m", "gunicorn", "--chdir", ROOT),
            *("-c", DEPLOY / "gunicorn_server.py", "--no-control-socket", "wsgi:app"),
        ],
        ServerFolder("gunicorn"),
    )
    with front(free_port(), program_port=port, media=config.DATA_DIR / "media") as nginx:
        found = Site(nginx, port, app, evening)
        program.wait_until(lambda: found.get("/healthz").status == 200, seconds=60)
        yield found
    program.stop()
    app.extensions["engine"].dispose()


@pytest.fixture(autouse=True)
def _open_window(site: Site) -> None:
    site.close_at(site.evening.closes_at)


def test_key_playlists_segment_poster_slide_and_captions_come_through(site: Site) -> None:
    found = {url: site.get(url, site.evening.watcher).status for url in site.evening.urls}

    assert set(found.values()) == {200}


def test_a_segment_from_the_disk_is_the_one_the_program_would_send(site: Site) -> None:
    url, user = site.evening.segments[1], site.evening.watcher

    ours, programs = site.get(url, user), site.get_past_nginx(url, user)

    assert (ours.status, ours.body) == (200, programs.body)
    for name in ("Content-Type", "Cache-Control", "X-Content-Type-Options"):
        assert ours.headers[name] == programs.headers[name]


def test_a_part_of_a_segment_can_be_asked_for(site: Site) -> None:
    url, user = site.evening.segments[1], site.evening.watcher
    whole = site.get(url, user).body

    part = site.get(url, user, Range="bytes=16-31")

    assert (part.status, part.body) == (206, whole[16:32])


def test_poster_and_slide_are_sent_by_nginx_and_kept_by_nobody(site: Site) -> None:
    user = site.evening.watcher
    poster = site.get(f"{BASE}/poster.jpg", user)
    slide = site.get(f"{BASE}/slides/1.jpg", user)
    by_program = site.get_past_nginx(f"{BASE}/poster.jpg", user)

    assert (poster.body, slide.body) == (b"picture", b"slide")
    assert (poster.headers["Content-Type"], slide.headers["Cache-Control"]) == (
        "image/jpeg",
        "no-store",
    )
    assert by_program.body == b""
    assert by_program.headers["X-Accel-Redirect"] == f"/_media/recordings/{RECORDING}/poster.jpg"


def test_nginx_gives_nothing_away_by_itself(site: Site) -> None:
    user = site.evening.watcher
    tricks = (
        f"/_media/recordings/{RECORDING}/poster.jpg",
        "/_may",
        f"{BASE}/segments/..%2fposter.jpg",
        f"{BASE}/segments/%2e%2e/poster.jpg",
        f"{BASE}/segments/../../../_media/recordings/{RECORDING}/poster.jpg",
        f"{BASE}/segments/main-000009-0011aabb.ts",
        f"{BASE}/segments/main-000000-0011aabb.ts%00.jpg",
        "/hooks/rtmp",
    )

    refused = {path: site.get(path, user).status for path in tricks}

    assert {path: status for path, status in refused.items() if status not in (400, 404)} == {}


def test_who_may_not_have_it_is_told_why_by_the_program(site: Site) -> None:
    with open_db.begin() as db:
        stranger = make_user(db)
    segment = site.evening.segments[0]

    nobody, no_place = site.get(segment), site.get(segment, stranger)

    assert (nobody.status, no_place.status) == (401, 403)
    assert no_place.body == b"Register for this session first; it is free and takes one press.\n"
    assert {each.headers["Cache-Control"] for each in (nobody, no_place)} == {"no-store"}


def test_after_the_window_every_address_is_gone(site: Site) -> None:
    user = site.newcomer()

    site.close_at(datetime.now(UTC) - timedelta(seconds=1))
    found = {url: site.get(url, user) for url in site.evening.urls}

    assert {each.status for each in found.values()} == {410}
    assert {each.headers["Cache-Control"] for each in found.values()} == {"no-store"}


def test_what_nginx_remembers_of_a_yes_ends_before_the_window_does(site: Site) -> None:
    user = site.newcomer()
    segment = site.evening.segments[0]
    end = datetime.now(UTC) + timedelta(seconds=2.5)
    site.close_at(end)

    served_at = []
    gives_up = time.monotonic() + LONGEST_WAIT_SECONDS
    status = 200
    while status == 200 and time.monotonic() < gives_up:
        asked_at = datetime.now(UTC)
        status = site.get(segment, user).status
        if status == 200:
            served_at.append(asked_at)

    assert status == 410
    assert len(served_at) > 1
    assert max(served_at) < end


def test_playlists_are_packed_for_who_can_unpack_them(site: Site) -> None:
    packed = site.get(
        f"{BASE}/main/recording.m3u8", site.evening.watcher, **{"Accept-Encoding": "gzip"}
    )

    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Cache-Control"] == "no-store"


def test_handed_out_to_anybody_is_ciphertext_alone(site: Site) -> None:
    port = free_port()
    locations = (DEPLOY / "nginx-ciphertext.conf").read_text()
    media = site.app.extensions["config"].DATA_DIR / "media"
    ours = locations.replace("/var/lib/webinar/media", str(media))
    name = f"recordings/{RECORDING}/{site.evening.segments[0].rpartition('/')[2]}"
    plain = ("poster.jpg", "slide-1.jpg", "en.vtt", "", "..%2f..%2f..%2fkeys/abc123/000000.key")

    with NginxServer(port, http=f"server {{ listen 127.0.0.1:{port}; {ours} }}"):
        elsewhere = Site(site.nginx, port, site.app, site.evening)
        segment = elsewhere.get_past_nginx(f"/{name}", site.evening.watcher)
        refused = [
            elsewhere.get_past_nginx(f"/recordings/{RECORDING}/{each}", site.evening.watcher).status
            for each in plain
        ]

    assert segment.body == site.get(site.evening.segments[0], site.evening.watcher).body
    assert segment.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert set(refused) - {400, 404} == set()
