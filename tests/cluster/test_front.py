"""deploy/nginx.conf before several nodes: who is asked, how often, what is said when none is."""

import http.client
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Protocol
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask
from playwright.sync_api import Playwright
from werkzeug.serving import make_server

from config import Config
from tests.builders import make_session
from tests.components.chromium import launch
from tests.components.front import front
from tests.components.nginx import NginxServer
from tests.components.servers import free_port
from tests.patience import wait_for
from webinar.app import create_app
from webinar.db import DbSession
from webinar.services.feeds import refresh
from webinar.tools import calendar_tool

FEED = "/calendar/all.ics"
FEED_KEPT_SECONDS = 5


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    headers: dict[str, str]


def ask(
    port: int, path: str, method: str = "GET", *, come_from: str = "127.0.0.1", **headers: str
) -> Answer:
    connection = http.client.HTTPConnection(
        "127.0.0.1", port, timeout=60, source_address=(come_from, 0)
    )
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(connection):
        connection.request(method, path, b"seat=12" if method == "POST" else None, named)
        response = connection.getresponse()
        return Answer(response.status, response.read(), dict(response.getheaders()))


@dataclass
class Node:
    """A node of its own, that tells whom it was asked by; one that `dies` hangs up unanswered."""

    name: str
    dies: bool = False
    port: int = 0
    asked: list[str] = field(default_factory=list)


@contextmanager
def serving(node: Node) -> Iterator[Node]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            node.asked.append(f"{self.command} {self.headers['X-Request-Id']}")
            self.rfile.flush()
            self.connection.settimeout(5)
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if node.dies:
                self.close_connection = True
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(node.name)))
            self.end_headers()
            self.wfile.write(node.name.encode())

        do_POST = do_GET  # noqa: N815 - the library's name

        def log_message(self, *_: object) -> None:
            """Keep the test's output quiet."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 64

    with Server(("127.0.0.1", 0), Handler) as server:
        node.port = server.server_port
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield node
        server.shutdown()
        thread.join()


@pytest.fixture
def media(tmp_path: Path) -> Path:
    return tmp_path / "media"


def before(nodes: list[int], media: Path) -> NginxServer:
    return front(free_port(), program_port=nodes[0], more_nodes=nodes[1:], media=media)


def test_both_nodes_are_asked(media: Path) -> None:
    with (
        serving(Node("first")) as first,
        serving(Node("second")) as second,
        before([first.port, second.port], media) as nginx,
    ):
        said = {ask(nginx.port, "/").body for _ in range(4)}

    assert said == {b"first", b"second"}


def test_who_reads_is_sent_on_to_the_other_node_when_one_dies(media: Path) -> None:
    with (
        serving(Node("dying", dies=True)) as dying,
        serving(Node("living")) as living,
        before([dying.port, living.port], media) as nginx,
    ):
        said = [ask(nginx.port, "/").body for _ in range(6)]

    assert said == [b"living"] * 6
    assert dying.asked != []
    assert dying.asked[0] in living.asked, "one request has one name at every node"


def test_what_changes_something_is_never_sent_twice(media: Path) -> None:
    with (
        serving(Node("dying", dies=True)) as dying,
        serving(Node("living")) as living,
        before([dying.port, living.port], media) as nginx,
    ):
        answers = [ask(nginx.port, "/sessions/abc/register", "POST") for _ in range(4)]

    lost = [answer for answer in answers if answer.status != 200]
    assert len(lost) == len(dying.asked)
    assert len(answers) - len(lost) == len(living.asked)
    assert set(dying.asked).isdisjoint(living.asked)
    assert {(answer.status, answer.headers["Retry-After"]) for answer in lost} == {(503, "5")}
    assert b"may not have arrived" in lost[0].body


def test_what_cannot_have_arrived_is_sent_to_the_other_node(media: Path) -> None:
    with serving(Node("living")) as living, before([free_port(), living.port], media) as nginx:
        said = [ask(nginx.port, "/sessions/abc/register", "POST").body for _ in range(6)]

    assert said == [b"living"] * 6


def test_without_any_node_people_are_told_when_to_come_again(media: Path) -> None:
    with before([free_port(), free_port()], media) as nginx:
        page = ask(nginx.port, "/")

    assert (page.status, page.headers["Retry-After"]) == (503, "5")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert b"comes back by itself" in page.body


def test_one_machine_that_floods_is_slowed_and_a_hospital_is_not(media: Path) -> None:
    with serving(Node("first")) as first, before([first.port], media) as nginx:
        doors = [ask(nginx.port, "/sign-in", "POST", come_from="127.0.0.2") for _ in range(190)]
        # One after the other they might come slowly enough to be let through.
        with ThreadPoolExecutor(max_workers=8) as senders:
            flood = list(
                senders.map(
                    lambda _: ask(nginx.port, "/sign-in", "POST", come_from="127.0.0.3"), range(600)
                )
            )
        looks = [ask(nginx.port, "/sign-in", come_from="127.0.0.3").status for _ in range(20)]

    refused = [answer for answer in flood if answer.status != 200]
    assert {answer.status for answer in doors} == {200}
    assert {(answer.status, answer.headers["Retry-After"]) for answer in refused} == {(429, "10")}
    assert b"Wait ten seconds" in refused[0].body
    assert set(looks) == {200}


class Wsgi(Protocol):
    """A WSGI application."""

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> object: ...


@contextmanager
def program(app: Flask) -> Iterator[tuple[int, list[str]]]:
    """The program over a real socket; gives its port and what it was asked for."""
    asked: list[str] = []

    def counted(environ: WSGIEnvironment, start: StartResponse) -> object:
        asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        return app(environ, start)

    server = make_server("127.0.0.1", free_port(), counted, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.port, asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def announce(db: DbSession, config: Config, title: str) -> None:
    session = make_session(db, title=title)
    refresh(db, session, calendar=calendar_tool(config), now=datetime.now(UTC))
    db.commit()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_public_calendar_is_asked_for_once_in_five_seconds(
    app: Flask, config: Config, db: DbSession, media: Path
) -> None:
    announce(db, config, "Tumours of the salivary glands")

    with program(app) as (port, asked), before([port], media) as nginx:
        begun = time.monotonic()
        first = ask(nginx.port, FEED)
        again = [ask(nginx.port, f"{FEED}?n={number}") for number in range(20)]
        unchanged = ask(nginx.port, FEED, If_None_Match=first.headers["ETag"])
        packed = ask(nginx.port, FEED, Accept_Encoding="gzip")
        hits = asked.count(f"GET {FEED}")
        seconds = time.monotonic() - begun
        announce(db, config, "Thyroid nodules")
        wait_for(lambda: b"Thyroid nodules" in ask(nginx.port, FEED).body)

    assert b"Tumours of the salivary glands" in first.body
    assert first.headers["Cache-Control"] == "public, max-age=300"
    assert {(answer.status, answer.body) for answer in again} == {(200, first.body)}
    assert (unchanged.status, unchanged.body) == (304, b"")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert hits <= 1 + seconds // FEED_KEPT_SECONDS


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_public_calendar_stays_as_it_was_while_no_node_can_make_it(
    app: Flask, config: Config, db: DbSession, media: Path
) -> None:
    announce(db, config, "Tumours of the salivary glands")

    with program(app) as (port, asked), before([port], media) as nginx:
        first = ask(nginx.port, FEED)
        app.wsgi_app = gone  # type: ignore[method-assign]
        told = []

        def was_asked_in_vain() -> bool:
            told.append(ask(nginx.port, FEED))
            return asked.count(f"GET {FEED}") >= 2

        wait_for(was_asked_in_vain)
        page = ask(nginx.port, "/")

    assert {(answer.status, answer.body) for answer in told} == {(200, first.body)}
    assert page.status == 503


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_personal_calendar_is_never_kept(app: Flask, media: Path) -> None:
    address = "/calendar/personal/nobodys-secret.ics"

    with program(app) as (port, asked), before([port], media) as nginx:
        for _ in range(3):
            ask(nginx.port, address)
        log = (nginx.folder.path / "webinar.log").read_text

        assert asked.count(f"GET {address}") == 3
        wait_for(lambda: "/calendar/personal/..." in log())
        assert "nobodys-secret" not in log()


def gone(_environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
    start("503 Service Unavailable", [("Content-Length", "0")])
    return []


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """One for localhost that nobody but itself vouches for, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    paper = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "certificate.pem").write_bytes(paper.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return tmp_path / "certificate.pem", tmp_path / "key.pem"


@pytest.mark.browser
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_browsers_come_by_http_2_over_tls(
    config: Config,
    certificate: tuple[Path, Path],
    media: Path,
    playwright: Playwright,
    compiled_app: Callable[[Config], Flask],
) -> None:
    port = free_port()
    app = compiled_app(replace(config, PUBLIC_URL=f"https://localhost:{port}"))
    trusting = ssl.create_default_context(cafile=str(certificate[0]))
    trusting.set_alpn_protocols(["h2", "http/1.1"])

    with (
        program(app) as (behind, _),
        front(port, program_port=behind, media=media, certificate=certificate),
    ):
        plain = http.client.HTTPSConnection("localhost", port, context=trusting, timeout=30)
        plain.connect()
        agreed = plain.sock.selected_alpn_protocol()  # type: ignore[attr-defined]
        version = plain.sock.version()  # type: ignore[attr-defined]
        plain.close()
        with launch(playwright) as browser:
            page = browser.new_context(ignore_https_errors=True).new_page()
            answer = page.goto(f"https://localhost:{port}/")
            protocol = page.evaluate(
                "performance.getEntriesByType('navigation')[0].nextHopProtocol"
            )
            styles = page.evaluate(
                "performance.getEntriesByType('resource').map(one => one.nextHopProtocol)"
            )

    assert answer is not None
    assert (answer.status, agreed, version, protocol) == (200, "h2", "TLSv1.3", "h2")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert set(styles) == {"h2"}


@pytest.fixture
def compiled_app() -> Iterator[Callable[[Config], Flask]]:
    apps: list[Flask] = []

    def make(config: Config) -> Flask:
        apps.append(create_app(config))
        return apps[-1]

    yield make
    for app in apps:
        app.extensions["engine"].dispose()
