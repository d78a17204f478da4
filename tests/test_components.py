"""The parts the other tests stand on are real and work: servers, mail, browser."""

import os
import signal
import smtplib
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psycopg
import pytest
import redis
import sqlalchemy
from playwright.sync_api import Playwright
from sqlalchemy import text

from tests.components.chromium import launch
from tests.components.nginx import NginxServer
from tests.components.postgres import PostgresServer
from tests.components.redis import RedisServer
from tests.components.servers import GuardedServer, ServerDied, ServerFolder, free_port
from tests.components.smtp import SmtpSink


def test_postgres_is_new_enough_and_lets_two_workers_share_a_queue(
    postgres: PostgresServer,
) -> None:
    engine = sqlalchemy.create_engine(postgres.create_database())
    take_one = text("SELECT id FROM job ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED")
    with engine.begin() as setup:
        setup.execute(text("CREATE TABLE job (id integer PRIMARY KEY)"))
        setup.execute(text("INSERT INTO job VALUES (1), (2)"))

    with engine.begin() as first, engine.begin() as second:
        version = first.execute(text("SHOW server_version_num")).scalar_one()
        taken = [first.execute(take_one).scalar_one(), second.execute(take_one).scalar_one()]
    engine.dispose()

    assert int(version) >= 150000
    assert taken == [1, 2]


def test_a_database_can_be_copied_and_dropped(postgres: PostgresServer) -> None:
    original = postgres.create_database()
    with psycopg.connect(original.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE note AS SELECT 'kept' AS text")

    copy = postgres.create_database(template=original)

    with psycopg.connect(copy.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT text FROM note").fetchall() == [("kept",)]
    postgres.drop_database(copy)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(copy.replace("+psycopg", ""))


def test_postgres_does_not_run_as_root(postgres: PostgresServer) -> None:
    with psycopg.connect(postgres.create_database().replace("+psycopg", "")) as connection:
        backend = connection.info.backend_pid

        owner = Path(f"/proc/{backend}").stat().st_uid

    assert owner != 0


def test_a_durable_postgres_waits_for_the_disk() -> None:
    with (
        PostgresServer(durable=True) as server,
        psycopg.connect(server.url("postgres").replace("+psycopg", "")) as connection,
    ):
        settings = [
            connection.execute(f"SHOW {name}").fetchone()
            for name in ("fsync", "synchronous_commit", "full_page_writes")
        ]

    assert settings == [("on",), ("on",), ("on",)]


def test_redis_answers_and_can_be_emptied() -> None:
    with RedisServer() as server, redis.Redis.from_url(server.url()) as client:
        client.set("seat", "12")
        assert client.get("seat") == b"12"

        server.flush()

        assert client.get("seat") is None


def test_nginx_serves_what_it_is_told_to_and_takes_rtmp() -> None:
    port, rtmp_port = free_port(), free_port()
    http = f'server {{ listen 127.0.0.1:{port}; location / {{ return 200 "here"; }} }}'
    rtmp = (
        f"rtmp {{ server {{ listen 127.0.0.1:{rtmp_port}; application ingest {{ live on; }} }} }}"
    )

    with NginxServer(port, http=http, main=rtmp, modules=("rtmp",)) as nginx:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/seat?12") as answer:
            body = answer.read()
        socket.create_connection(("127.0.0.1", rtmp_port), timeout=5).close()
        asked = _becomes_true(lambda: "GET /seat?12" in nginx.access_log.read_text())

    assert (body, asked) == (b"here", True)


def test_an_nginx_with_a_wrong_configuration_says_why() -> None:
    with (
        pytest.raises(ServerDied, match='unknown directive "serve"'),
        NginxServer(free_port(), http="serve everything;"),
    ):
        raise AssertionError("it started")


def test_a_mail_arrives_as_it_was_sent() -> None:
    mail = EmailMessage()
    mail["From"] = "webinars@example.net"
    mail["To"] = "zoe@example.net"
    mail["Subject"] = "Grüße aus Zürich"
    mail.set_content("18:15 CEST\n")

    with SmtpSink() as sink:
        with smtplib.SMTP("127.0.0.1", sink.port) as client:
            client.send_message(mail)
        [received] = sink.wait_for(1)
        [envelope] = sink.mails

    assert received["Subject"] == "Grüße aus Zürich"
    assert received.get_content().splitlines() == ["18:15 CEST"]
    assert (envelope.sender, envelope.recipients) == ("webinars@example.net", ("zoe@example.net",))


def test_the_mail_server_refuses_whom_it_is_told_to() -> None:
    with SmtpSink() as sink, smtplib.SMTP("127.0.0.1", sink.port) as client:
        sink.refuse("gone@example.net")

        with pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
            client.sendmail("webinars@example.net", ["gone@example.net"], "Subject: x\r\n\r\nx")

    assert refusal.value.recipients == {"gone@example.net": (550, b"No such mailbox")}
    assert sink.messages == []


@pytest.mark.browser
def test_chromium_shows_a_page(playwright: Playwright) -> None:
    with launch(playwright) as browser:
        page = browser.new_page()

        page.goto("data:text/html,<title>Grand rounds</title>")

        assert page.title() == "Grand rounds"


@pytest.mark.browser
def test_the_fake_camera_gives_moving_pictures_and_sound(
    local_page: str, playwright: Playwright
) -> None:
    with launch(playwright, fake_media=True) as browser:
        page = browser.new_page()
        page.goto(local_page)

        seen = page.evaluate(
            """async () => {
                const wanted = {video: true, audio: true};
                const stream = await navigator.mediaDevices.getUserMedia(wanted);
                const video = document.createElement("video");
                video.srcObject = stream;
                video.muted = true;
                await video.play();
                const frames = () => video.getVideoPlaybackQuality().totalVideoFrames;
                const before = frames();
                while (frames() < before + 3) await new Promise(requestAnimationFrame);
                return [stream.getAudioTracks().length, video.videoWidth > 0];
            }"""
        )

    assert seen == [1, True]


def test_a_server_that_cannot_start_says_why() -> None:
    server = GuardedServer(["/bin/sh", "-c", "echo no disk left >&2; exit 3"], ServerFolder("test"))

    with pytest.raises(ServerDied, match="no disk left"):
        server.wait_until(lambda: False)


def test_a_server_ends_when_the_tests_are_killed() -> None:
    program = (
        "import sys, time\n"
        "from tests.components.redis import RedisServer\n"
        "with RedisServer() as server:\n"
        "    print(server.url(), flush=True)\n"
        "    time.sleep(60)\n"
    )
    tests = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    assert tests.stdout
    client = redis.Redis.from_url(tests.stdout.readline().strip())
    folder = Path(client.config_get("dir")["dir"])
    assert folder.is_dir()

    os.kill(tests.pid, signal.SIGKILL)
    tests.wait()
    tests.stdout.close()

    assert _becomes_true(lambda: not folder.exists())
    with pytest.raises(redis.ConnectionError):
        client.ping()
    client.close()


@pytest.fixture
def local_page() -> Iterator[str]:
    """The address of an empty page on localhost, where browsers allow cameras."""

    class EmptyPage(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<!doctype html><title>Studio</title>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the test's output quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()
        thread.join()


def _becomes_true(condition: Callable[[], bool], *, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()
