"""What /metrics counts, in one process and in several."""

import http.client
import os
import re
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from flask.testing import FlaskClient
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from config import Config
from tests.components.servers import free_port
from webinar.domain.attendance import PassFacts, ViewingMode, pass_id_from, sign_pass
from webinar.domain.span import Span
from webinar.web import metrics

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a token for whoever watches the service"
Counts = dict[tuple[str, str], float]


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, METRICS_TOKEN=TOKEN)


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

    answers = [
        client.post("/beats", json={"pass": live, "seq": 0, "segments": [one]})
        for one in (
            [0, (came - 300) * 1000, (came - 200) * 1000],
            [1, (now - 5) * 1000, (now + 11) * 1000],
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
        if isinstance(thing, metrics.Counter | metrics.Gauge) and not thing._labelvalues
        for family in thing.describe()
        for sample in [family.name + ("_total" if family.type == "counter" else "")]
    }

    assert documented == counted


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
        for _ in range(40):
            assert status(port, "/beats") == 405
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        with closing(connection):
            connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
            found = read(connection.getresponse().read().decode())
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()

    assert found["webinar_beats_refused_total", "method"] == 40
    assert len(list((config.DATA_DIR / "counts").glob("counter_*.db"))) == 2


def status(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with closing(connection):
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except OSError:
            return 0
