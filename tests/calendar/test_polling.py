"""The judge of feed addresses: it accepts a right one, and names what is wrong with others."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.calendar.kit.polling import judge_http

FEED = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


class GoodAddress(BaseHTTPRequestHandler):
    """Serves the feed as it should be served."""

    tag = '"v1"'
    changed = "Sun, 01 Mar 2026 09:00:00 GMT"
    kind = "text/calendar; charset=utf-8"
    more_headers: tuple[tuple[str, str], ...] = (("Cache-Control", "public, max-age=300"),)

    def do_GET(self) -> None:
        body = self.body()
        fresh = self.is_fresh()
        self.send_response(304 if fresh else 200)
        for name, value in (
            ("Content-Type", self.kind),
            ("ETag", self.tag),
            ("Last-Modified", self.changed),
            *self.more_headers,
        ):
            self.send_header(name, value)
        if not fresh:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET" and not fresh:
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def body(self) -> bytes:
        return FEED

    def is_fresh(self) -> bool:
        tags = self.headers.get("If-None-Match")
        if tags:
            known = [tag.strip().removeprefix("W/") for tag in tags.split(",")]
            return self.tag in known or known == ["*"]
        return self.headers.get("If-Modified-Since") == self.changed

    def log_message(self, *_: object) -> None:
        """Keep the test's output quiet."""


class NeverFresh(GoodAddress):
    def is_fresh(self) -> bool:
        return False


class DateBeforeTag(GoodAddress):
    def is_fresh(self) -> bool:
        return self.headers.get("If-Modified-Since") == self.changed or super().is_fresh()


class SetsCookie(GoodAddress):
    more_headers = (*GoodAddress.more_headers, ("Set-Cookie", "a=b"))


class Html(GoodAddress):
    kind = "text/html"


class Uncachable(GoodAddress):
    more_headers = ()


class StampOfNow(GoodAddress):
    looks = 0

    def body(self) -> bytes:
        type(self).looks += 1
        return super().body() + str(self.looks).encode()


class Compressing(GoodAddress):
    def body(self) -> bytes:
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            return gzip.compress(super().body())
        return super().body()

    def end_headers(self) -> None:
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            self.send_header("Content-Encoding", "gzip")
        super().end_headers()


class NoHead(GoodAddress):
    def do_HEAD(self) -> None:
        self.send_error(405)


class Gone(GoodAddress):
    def do_GET(self) -> None:
        self.send_error(404)


@contextmanager
def served(handler: type[GoodAddress]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/calendar/all.ics"
        finally:
            server.shutdown()
            thread.join()


def test_a_right_address_is_accepted() -> None:
    with served(GoodAddress) as url:
        assert judge_http(url) == []


@pytest.mark.parametrize(
    ("handler", "complaint"),
    [
        (NeverFresh, 'If-None-Match: "v1" answers 200, not 304'),
        (
            DateBeforeTag,
            'If-None-Match: "other", If-Modified-Since: '
            "Sun, 01 Mar 2026 09:00:00 GMT answers 304, not 200",
        ),
        (SetsCookie, "it sets a cookie"),
        (Html, "Content-Type is 'text/html', not text/calendar; charset=utf-8"),
        (Uncachable, "no Cache-Control"),
        (StampOfNow, "two looks at an unchanged feed differ"),
        (Compressing, "compressed on request: Outlook fails on that"),
        (Gone, "GET answers 404, not 200"),
    ],
)
def test_a_wrong_address_is_refused(handler: type[GoodAddress], complaint: str) -> None:
    with served(handler) as url:
        complaints = judge_http(url, pause=0)

    assert complaint in complaints


def test_an_address_that_refuses_head_is_refused() -> None:
    with served(NoHead) as url:
        [complaint] = judge_http(url, pause=0)

    assert complaint.startswith("HEAD answers 405")
