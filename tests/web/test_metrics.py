"""What /metrics counts, in one process and in several."""

import http.client
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from config import Config
from tests.builders import make_user
from tests.components.postgres import PostgresServer
from tests.components.servers import free_port
from webinar.app import create_app
from webinar.db import DbSession
from webinar.domain.attendance import PassFacts, ViewingMode, pass_id_from, sign_pass
from webinar.domain.span import Span
from webinar.models import BackupRun, Delivery, RetentionRun, TickRun
from webinar.services import parked, processes, ticks
from webinar.web import metrics, service_metrics

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a token for whoever watches the service"
Counts = dict[tuple[str, str], float]


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, METRICS_TOKEN=TOKEN)


@pytest.fixture(autouse=True)
def two_ticks(request: pytest.FixtureRequest) -> Iterator[None]:
    if "app" in request.fixturenames:
        request.getfixturevalue("app")
    plan = ticks.plan()
    ticks.bind({"send mails that are due": 1, "freeze": 60})
    yield
    ticks.bind(plan)


def facts(mode: ViewingMode, *, window: Span[int]) -> PassFacts:
    now = datetime.now(UTC)
    return PassFacts(
        pass_id=pass_id_from(bytes(16)),
        user_id=1,
        session_id=1,
        mode=mode,
        issued_at=now - timedelta(minutes=5),
        expires_at=now + timedelta(hours=1),
        window=window,
    )


def read(text: str) -> Counts:
    found: Counts = {}
    families: list[Metric] = list(text_string_to_metric_families(text))
    for family in families:
        for sample in family.samples:
            found[sample.name, ",".join(sample.labels.values())] = sample.value
    return found


def counts(client: FlaskClient) -> Counts:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    return read(answer.text)


def grown(before: Counts, after: Counts, *names: tuple[str, str]) -> list[float]:
    return [after.get(name, 0) - before.get(name, 0) for name in names]


@pytest.mark.parametrize("sent", [{}, {"Authorization": "Bearer x"}, {"Authorization": TOKEN}])
def test_who_does_not_know_the_token_finds_no_such_page(
    client: FlaskClient, sent: dict[str, str]
) -> None:
    assert client.get("/metrics", headers=sent).status_code == 404


def test_refused_beats_are_counted_by_why(client: FlaskClient, config: Config) -> None:
    recording = facts(ViewingMode.RECORDED, window=Span(0, 600))
    token = sign_pass(config.SECRET_KEY.encode(), recording)
    before = counts(client)

    for segments in ([[0, 0, 10**9]], [[0, 0, 599_000], [1, 0, 599_000]], "x"):
        client.post("/beats", json={"pass": token, "seq": 0, "segments": segments})
    client.post("/beats", json={"pass": "forged", "seq": 0, "segments": []})

    assert grown(
        before,
        counts(client),
        ("webinar_beats_total", "refused"),
        ("webinar_beats_refused_total", "outside"),
        ("webinar_beats_refused_total", "too_fast"),
        ("webinar_beats_refused_total", "malformed"),
        ("webinar_beats_refused_total", "pass_forged"),
    ) == [4, 1, 1, 1, 1]


def test_segments_that_were_cut_are_counted_by_why(client: FlaskClient, config: Config) -> None:
    secret = config.SECRET_KEY.encode()
    now = int(datetime.now(UTC).timestamp())
    on_air = facts(ViewingMode.LIVE, window=Span(now - 3600, now + 3600))
    live = sign_pass(secret, on_air)
    recorded = sign_pass(secret, facts(ViewingMode.RECORDED, window=Span(0, 600)))
    came = int(on_air.issued_at.timestamp())
    before = counts(client)
    # Two seconds more than is taken: by then the server's clock may be one or nearly two ahead.
    soon = int(datetime.now(UTC).timestamp()) + 12

    answers = [
        client.post("/beats", json={"pass": live, "seq": 0, "segments": [one]})
        for one in (
            [1, (now - 5) * 1000, soon * 1000],
            [0, (came - 300) * 1000, (came - 200) * 1000],
        )
    ]
    answers.append(
        client.post("/beats", json={"pass": recorded, "seq": 0, "segments": [[0, 0, 601_000]]})
    )
    in_time = [0, (now - 20) * 1000, (now - 10) * 1000]
    answers.append(client.post("/beats", json={"pass": live, "seq": 1, "segments": [in_time]}))

    assert [answer.status_code for answer in answers] == [200] * 4
    assert grown(
        before,
        counts(client),
        ("webinar_beats_total", "accepted"),
        ("webinar_beats_clipped_total", "before_pass"),
        ("webinar_beats_clipped_total", "ahead"),
        ("webinar_beats_clipped_total", "window"),
    ) == [4, 1, 1, 1]


def test_each_count_stands_in_the_documentation() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    documented = set(re.findall(r"^\| `(webinar_\w+)`", text, re.MULTILINE))
    counted = {
        sample
        for thing in vars(metrics).values()
        if isinstance(thing, metrics.Counter | metrics.Gauge | metrics.Histogram)
        and not thing._labelvalues
        for family in thing.describe()
        for sample in [family.name + ("_total" if family.type == "counter" else "")]
    }

    assert documented == counted | {gauge.name for gauge in service_metrics.GAUGES}


def test_all_that_is_said_of_the_service_can_be_read(
    client: FlaskClient, db: DbSession, config: Config, app: Flask
) -> None:
    now = datetime.now(UTC)
    app.extensions["config"] = replace(config, BACKUP_DIR="/backups")
    make_busy(db, now=now)

    found = counts(client)

    assert {name for name, _ in found} >= {gauge.name for gauge in service_metrics.GAUGES}
    assert found["webinar_database_up", ""] == 1
    assert found["webinar_schema_current", ""] == 1
    assert found["webinar_tick_failures", "send mails that are due"] == 2
    assert found["webinar_tick_late_seconds", "freeze"] == float("inf")
    assert 60 < found["webinar_clock_silent_seconds", ""] < 120
    assert found["webinar_backlog", "mails"] == 1
    assert 600 < found["webinar_backlog_oldest_seconds", "mails"] < 660
    assert found["webinar_work_parked", ""] == 1
    assert found["webinar_work_failing", ""] == 1
    assert found["webinar_processes", "worker"] == 1
    assert found["webinar_releases", ""] == 1
    assert 3600 < found["webinar_backup_age_seconds", "data"] < 3660
    assert ("webinar_backup_age_seconds", "keys") not in found
    assert found["webinar_retention_left_over", "mail log"] == 3
    assert [
        found["webinar_mails_day", outcome]
        for outcome in ("sent", "returned", "refused", "given up")
    ] == [2, 1, 1, 1]


def make_busy(db: DbSession, *, now: datetime) -> None:
    """A service that did a little of everything, some of it badly."""
    minute = timedelta(minutes=1)
    run = TickRun(name="send mails that are due", owner="x", began_at=now - minute, failures=2)
    run.succeeded_at, run.milliseconds = now - minute, 40
    db.add(run)
    for number in range(parked.TRIES):
        parked.failed(db, "closing a recording", 7, error="broken", now=now)
        if not number:
            parked.failed(db, "closing a recording", 8, error="broken", now=now)
    processes.seen(
        db, owner="here:1", role="worker", host="here", release="1", started_at=now, now=now
    )
    db.add(BackupRun(kind="data", began_at=now - 60 * minute, ended_at=now, bytes=9, digest="x"))
    db.add(
        RetentionRun(kind="mail log", ran_at=now, older_than=now, deleted=1, left_over=3),
    )
    user = make_user(db)
    for number, facts in enumerate(
        (
            {"sent_at": now},
            {"sent_at": now, "returned_at": now},
            {"last_error": "550 no", "dropped_because": "refused by the mail server"},
            {"last_error": "451 later", "dropped_because": "not sent after 12 tries"},
            {"dropped_because": "the session is cancelled"},
            {"due_at": now - 10 * minute},
        )
    ):
        delivery = Delivery(kind="verify_email", user_id=user.id, subject_id=number)
        delivery.created_at = now - 20 * minute
        for name, value in facts.items():
            setattr(delivery, name, value)
        db.add(delivery)
    db.commit()


def test_without_its_database_it_says_so_and_goes_on_counting(
    config: Config, postgres: PostgresServer
) -> None:
    url = postgres.create_database()
    app = create_app(replace(config, DATABASE_URL=url))
    client = app.test_client()
    empty = counts(client)

    postgres.drop_database(url)
    gone = counts(client)
    app.extensions["engine"].dispose()

    assert (empty["webinar_database_up", ""], empty["webinar_schema_current", ""]) == (1, 0)
    assert gone["webinar_database_up", ""] == 0
    assert ("webinar_requests_total", "200") in gone


def test_pages_are_timed_by_their_part_of_the_program(client: FlaskClient) -> None:
    before = counts(client)

    client.get("/about")
    client.get("/privacy")

    assert grown(before, counts(client), ("webinar_request_seconds_count", "pages")) == [2]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_several_processes_count_together(config: Config) -> None:
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "wsgi:app", "-c", "deploy/gunicorn_server.py"]
    server = subprocess.Popen(
        [*command, "--no-control-socket", "--log-level", "error", "--threads", "1"],
        cwd=ROOT,
        env=os.environ | config.to_env() | {"WEB_CONCURRENCY": "2", "BIND": f"127.0.0.1:{port}"},
        start_new_session=True,
    )
    try:
        for _ in range(3_000):
            assert server.poll() is None
            if status(port, "/healthz") == 200:
                break
            Event().wait(0.02)
        asked = 0
        # The second process may still be on its way when the first one answers.
        while asked < 40 or len(counter_files(config)) < 2:
            assert asked < 3_000
            assert status(port, "/beats") == 405
            asked += 1
            Event().wait(0.02)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        with closing(connection):
            connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
            found = read(connection.getresponse().read().decode())
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()

    assert found["webinar_beats_refused_total", "method"] == asked
    assert len(counter_files(config)) == 2


def counter_files(config: Config) -> list[Path]:
    return list((config.DATA_DIR / "counts").glob("counter_*.db"))


def status(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with closing(connection):
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return 0
