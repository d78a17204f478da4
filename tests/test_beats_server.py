"""Beats on a server of their own: nothing else is there, and its counts are the program's."""

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from werkzeug.test import Client

from config import Config
from tests.components.front import front
from tests.components.servers import free_port
from tests.patience import wait_for
from webinar.beats_server import create_beats
from webinar.domain.attendance import PassFacts, ViewingMode, pass_id_from, sign_pass
from webinar.domain.span import Span

ROOT = Path(__file__).resolve().parents[1]
TOKEN = "a token for whoever watches the service"


def expired(config: Config) -> str:
    now = datetime.now(UTC)
    facts = PassFacts(
        pass_id=pass_id_from(bytes(16)),
        user_id=1,
        session_id=1,
        mode=ViewingMode.RECORDED,
        issued_at=now - timedelta(hours=2),
        expires_at=now - timedelta(hours=1),
        window=Span(0, 600),
    )
    return sign_pass(config.SECRET_KEY.encode(), facts)


def counts(config: Config) -> list[Path]:
    """What each process of the beats server counts."""
    return list((config.DATA_DIR / "counts" / "beats").glob("counter_*.db"))


def ask(port: int, method: str, path: str, body: str = "") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with closing(connection):
        try:
            connection.request(method, path, body, {"Authorization": f"Bearer {TOKEN}"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError:
            return 0, ""


@contextmanager
def running(config: Config, *command: str, **settings: str) -> Iterator[None]:
    server = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=os.environ | config.to_env() | settings | {"WEB_CONCURRENCY": "2"},
        start_new_session=True,
    )
    port = int(settings.get("BEATS_BIND", settings.get("BIND", "")).rpartition(":")[2])
    try:
        for _ in range(3_000):
            assert server.poll() is None
            if ask(port, "GET", "/beats")[0] == 405:
                break
            Event().wait(0.02)
        yield
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


@pytest.mark.parametrize("path", ["/", "/beats/", "/sign-in", "/metrics", "/static/app.css"])
def test_there_is_nothing_but_beats(config: Config, path: str) -> None:
    beats = Client(create_beats(config))

    assert beats.get(path).status_code == 404
    assert beats.get("/beats").status_code == 405


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nginx_sends_beats_to_their_own_server_and_the_program_adds_its_counts(
    config: Config,
) -> None:
    config = replace(config, METRICS_TOKEN=TOKEN)
    program_port, beats_port = free_port(), free_port()
    beat = json.dumps({"pass": expired(config), "seq": 0, "segments": []})
    program = ("gunicorn", "wsgi:app", "-c", "deploy/gunicorn_server.py", "--no-control-socket")
    with (
        running(config, *program, "--log-level", "error", BIND=f"127.0.0.1:{program_port}"),
        running(config, "deploy.beats_server", BEATS_BIND=f"127.0.0.1:{beats_port}"),
        front(
            free_port(),
            program_port=program_port,
            beats_port=beats_port,
            media=config.DATA_DIR / "media",
        ) as nginx,
    ):
        # Each of its two processes has a file from when it begins.
        wait_for(lambda: len(counts(config)) == 2)
        answers = [ask(nginx.port, "POST", "/beats", beat)[0] for _ in range(40)]
        page = ask(nginx.port, "GET", "/healthz")[0]
        counted = ask(program_port, "GET", "/metrics")[1].splitlines()
        own = counts(config)

    assert answers == [410] * 40
    assert page == 200
    assert 'webinar_beats_refused_total{code="pass_expired"} 40.0' in counted
    assert len(own) == 2
    assert b"pass_expired" in b"".join(file.read_bytes() for file in own)
