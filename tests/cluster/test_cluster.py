"""Two nodes behind nginx, and everything in them killed: no page breaks, nothing is lost.

Recordings lie in a bucket that both nodes reach.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from itertools import islice
from urllib.parse import urljoin

import psutil
import pytest
from flask import Flask
from sqlalchemy import select

from tests.builders import make_registration, make_session, make_user
from tests.cluster.load import Load, Viewer, ask, press, unclean
from tests.components.bucket import BucketServer
from tests.components.cluster import Cluster
from tests.components.smtp import SmtpSink
from tests.evidence import make_ended_session, make_recording
from tests.journeys.conftest import sign_in_cookie
from tests.patience import wait_for
from webinar.app import create_app
from webinar.db import DbSession, open_db
from webinar.domain.attendance import ViewingMode
from webinar.domain.recording import RecordingState
from webinar.models import Recording, Registration, User, ViewingPass, WatchSegment, WebinarSession
from webinar.services import attendance

COMERS = 500
LOADS = 5
VIEWERS = 2
REDIS_AWAY_SECONDS = 30
OK = frozenset({200})
OK_OR_AWAY = frozenset({200, 503})
LINE_BROKE = 0


@dataclass
class Site:
    """The cluster with its season, and people who come to it."""

    cluster: Cluster
    sink: SmtpSink
    app: Flask
    demo: str
    pages: tuple[str, ...]
    session: str
    emails: dict[str, str]
    comers: Iterator[str]
    viewers: list[Viewer]
    reader: str

    @property
    def port(self) -> int:
        """Where nginx is."""
        return self.cluster.port

    def load(self) -> Load:
        """Some of those who have not come yet, and the viewers."""
        comers = list(islice(self.comers, COMERS // LOADS))
        return Load(self.port, self.pages, comers, self.session, self.viewers, self.reader)

    def nothing_is_lost(self, load: Load) -> None:
        """Who was told so has a place and its mail, and beats called durable are stored."""
        told = {self.emails[cookie] for cookie in load.registered}
        assert len(told) > 0
        with open_db() as db:
            places = set(
                db.scalars(
                    select(User.email)
                    .join(Registration, Registration.user_id == User.id)
                    .join(WebinarSession, WebinarSession.id == Registration.session_id)
                    .where(WebinarSession.public_id == self.session)
                )
            )
            rows = db.execute(
                select(WatchSegment.pass_id, WatchSegment.number).join(
                    ViewingPass, ViewingPass.id == WatchSegment.pass_id
                )
            )
            stored = {(pass_id, number) for pass_id, number in rows}
        assert told - places == set()
        promised = {
            (viewer.pass_id, seq) for viewer in self.viewers for seq in range(viewer.durable + 1)
        }
        assert len(promised) > 0
        assert promised - stored == set()
        # All of them, also who was told nothing because the line broke.
        wait_for(lambda: places - self.mailed() == set())

    def mailed(self) -> set[str]:
        """Whom a mail about the place reached."""
        return {parseaddr(str(mail["To"]))[1] for mail in self.sink.messages}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("cluster")
    with SmtpSink() as sink, BucketServer() as bucket:
        settings = {"SMTP_URL": sink.url, "STORAGE_URL": bucket.url}
        with Cluster(folder / "data", is_demo=True, settings=settings) as cluster:
            demo = cluster.run("demo", "load", "--quick")
            app = create_app(cluster.config)
            with open_db.begin() as db:
                session = make_session(
                    db,
                    title="Frozen section at night",
                    starts_at=datetime.now(UTC) + timedelta(days=20),
                )
                viewers = _viewers(db, cluster)
                comers = {_cookie(app, user): user.email for user in _people(db, COMERS)}
                reader = _cookie(app, *_people(db, 1))
                public_id = session.public_id
            cluster.serve()
            pages = ("/", "/sessions/", f"/sessions/{public_id}", "/calendar/all.ics")
            yield Site(
                cluster,
                sink,
                app,
                demo,
                pages,
                public_id,
                comers,
                iter(comers),
                viewers,
                reader,
            )
            app.extensions["engine"].dispose()


def _people(db: DbSession, many: int) -> list[User]:
    people = [make_user(db) for _ in range(many)]
    db.flush()
    return people


def _cookie(app: Flask, user: User) -> str:
    return sign_in_cookie(app, user)


def _viewers(db: DbSession, cluster: Cluster) -> list[Viewer]:
    now = datetime.now(UTC)
    session = make_ended_session(db)
    make_recording(db, session, seconds=100_000, closes_at=now + timedelta(days=1)).opens_at = now
    found = []
    for user in _people(db, VIEWERS):
        make_registration(db, session, user)
        issued = attendance.issue_pass(
            db,
            session,
            user.id,
            mode=ViewingMode.RECORDED,
            secret=cluster.settings["SECRET_KEY"].encode(),
            now=now,
        )
        found.append(Viewer(issued.token, issued.pass_id))
    return found


def test_the_season_comes_through_nginx(site: Site) -> None:
    listed = site.demo.partition("Look at")[2].partition("Sign in")[0]
    paths = re.findall(rf"{site.cluster.url}(/\S*)", listed)
    public = [path for path in paths if path.startswith(("/calendar/", "/series")) or path == "/"]
    gated = [path for path in paths if path.startswith("/manage")]

    shown = {path: ask(site.port, path).status for path in [*public, "/sessions/", "/topics/"]}
    refused = {ask(site.port, path).status for path in gated}

    assert len(paths) > 10
    assert {path: status for path, status in shown.items() if status != 200} == {"/topics/": 404}
    assert refused <= {302, 303, 401}


def test_a_sign_in_holds_at_every_node_and_needs_none_in_particular(site: Site) -> None:
    link = re.search(rf"Participant .*{site.cluster.url}(/sign-in/\S+)", site.demo)
    assert link is not None
    door = ask(site.port, link[1])

    inside = press(site.port, link[1], link[1], cookie=door.cookie)
    pages = [ask(site.port, "/my/", cookie=inside.cookie) for _ in range(6)]
    nodes = [
        ask(site.cluster.ports[name], "/my/", cookie=inside.cookie).status
        for name in ("web-1", "web-2")
    ]

    assert inside.status == 303
    assert {page.status for page in pages} == {200}
    assert nodes == [200, 200]


def test_a_recording_in_the_bucket_comes_from_either_node(site: Site) -> None:
    with open_db() as db:
        session_id, recording_id = db.execute(
            select(WebinarSession.public_id, Recording.public_id)
            .join(Recording, Recording.session_id == WebinarSession.id)
            .where(Recording.state == RecordingState.PUBLISHED, WebinarSession.is_demo)
            .where(Recording.closes_at > datetime.now(UTC) + timedelta(hours=1))
            .limit(1)
        ).one()
    page = f"/sessions/{session_id}"
    place = press(site.port, page, f"{page}/register", cookie=site.reader)

    playlist = ask(site.port, f"/recordings/{recording_id}/main/recording.m3u8", cookie=site.reader)
    segment = re.findall(r"^[^#]\S*\.ts$", playlist.body, re.M)[0]
    path = urljoin(playlist.path, segment)
    got = [
        ask(port, path, cookie=site.reader)
        for port in (site.port, site.cluster.ports["web-1"], site.cluster.ports["web-2"])
    ]

    assert place.status == 303
    assert {answer.status for answer in got} == {200}
    assert len({answer.body for answer in got}) == 1
    assert len(got[0].body) > 10_000


def test_any_one_process_is_killed_and_no_page_breaks(site: Site) -> None:
    cluster = site.cluster
    before = len(cluster.endings)
    killed = []

    with site.load() as load:
        assert load.is_served(10)
        # One that serves in each node, the others of its node go on; then whole nodes.
        for name in ("web-1", "web-2"):
            psutil.Process(cluster.pids(name)[1]).kill()
            assert load.is_served(10)
        for name in ("web-1", "worker-1", "clock-1", "web-2", "worker-2", "clock-2", "redis"):
            killed.extend(cluster.kill(name))
            assert load.is_served(10)
            wait_for(lambda name=name, past=tuple(killed): _lives_again(cluster, name, past))
            if name.startswith("web"):
                cluster.wait_for(name)

    assert {ending.name for ending in cluster.endings[before:]} == {
        *("web-1", "worker-1", "clock-1", "web-2", "worker-2", "clock-2", "redis")
    }
    assert unclean(load.answers, allowed=OK) == []
    assert unclean(load.beats, allowed=OK_OR_AWAY) == []
    assert unclean(load.presses, allowed=frozenset({303, 503})) == []
    site.nothing_is_lost(load)


def test_an_nginx_process_is_killed_and_only_what_it_was_doing_breaks(site: Site) -> None:
    cluster = site.cluster

    with site.load() as load:
        assert load.is_served(10)
        workers = _serving(cluster)
        for pid in workers:
            psutil.Process(pid).kill()
            assert load.is_served(15)
        wait_for(lambda: len(_serving(cluster)) == len(workers))
        assert load.is_served(15)

    broken = [answer for answer in load.answers if answer.status == LINE_BROKE]
    assert unclean(load.answers, allowed=frozenset({200, LINE_BROKE})) == []
    # Each of the two readers was doing one thing when each of the workers died.
    assert len(broken) <= 2 * len(workers)
    site.nothing_is_lost(load)


def test_redis_stops_for_half_a_minute_and_no_page_breaks(site: Site) -> None:
    cluster = site.cluster

    with site.load() as load:
        assert load.is_served(10)
        cluster.pause("redis")
        load.lasts(REDIS_AWAY_SECONDS)
        cluster.go_on("redis")
        assert load.is_served(10)

    assert unclean(load.answers, allowed=OK) == []
    assert unclean(load.beats, allowed=OK) == []
    assert unclean(load.presses, allowed=frozenset({303})) == []
    site.nothing_is_lost(load)


@pytest.mark.parametrize("way", ["restarted", "killed"])
def test_the_database_goes_and_comes_under_load(site: Site, way: str) -> None:
    cluster = site.cluster
    former = cluster.pids("postgres")[0]

    with site.load() as load:
        assert load.is_served(10)
        cluster.restart("postgres") if way == "restarted" else cluster.kill("postgres")
        wait_for(lambda: cluster.pids("postgres")[:1] not in ([], [former]))
        wait_for(lambda: ask(site.port, "/sessions/").status == 200)
        seen = len(load.answers)
        load.lasts(3)
        assert load.is_served(20)

    assert unclean(load.answers, allowed=OK_OR_AWAY) == []
    assert unclean(load.beats, allowed=OK_OR_AWAY) == []
    assert unclean(load.presses, allowed=frozenset({200, 303, 503})) == []
    assert {answer.status for answer in load.answers[seen + 10 :]} == {200}
    site.nothing_is_lost(load)


def _lives_again(cluster: Cluster, name: str, past: tuple[int, ...]) -> bool:
    now: list[int] = []
    with suppress(psutil.Error):
        now = cluster.pids(name)
    return now != [] and now[0] not in past


def _serving(cluster: Cluster) -> list[int]:
    """The processes of nginx that talk to people."""
    found = []
    for pid in cluster.pids("nginx")[1:]:
        with suppress(psutil.Error):
            if "worker process" in " ".join(psutil.Process(pid).cmdline()):
                found.append(pid)
    return found
