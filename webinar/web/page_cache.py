"""Whole public pages kept for readers who are not signed in, until anything in them may differ.

A page is kept by address, reader's zone and minute, and with the token of what everybody sees
(webinar.services.public_version), which is asked for at every request: a change is seen by the next
one. Minutes pass, and with them "in 3 h 12 min" and what opens and closes. The token against forged
forms, the one thing in the page that is a visitor's own, is cut out and put in anew for each.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event, Lock

from flask import Flask, current_app, g, make_response, request
from flask import session as cookie  # noqa: TID251 - asks whether anybody is signed in
from flask_login.config import COOKIE_NAME
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from webinar.services import public_version
from webinar.web.zone import reader_zone

KEPT = frozenset(
    {
        "home.index",
        "pages.about",
        "pages.privacy",
        "series.show",
        "sessions.index",
        "sessions.show",
        "societies.show",
        "topics.show",
    }
)
MOST_BYTES = 16 * 1024 * 1024
MOST_BYTES_OF_A_PAGE = 512 * 1024
LONGEST_ADDRESS = 300
# Many ask for the same page at the same moment: one renders it, the others wait a little.
LONGEST_WAIT_SECONDS = 1.0
# In the cookie of somebody the page says something to.
PERSONAL = ("_user_id", "_flashes")

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Page:
    """A rendered page, cut where the visitor's token stood; good for one token and one minute."""

    version: str
    minute: int
    parts: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """Bytes it takes."""
        return sum(len(part) for part in self.parts)


class PageCache:
    """Pages of one process, the least recently used thrown out first. Threads share it."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self.bytes = 0
        self._pages: OrderedDict[Key, Page] = OrderedDict()
        self._making: dict[Key, Event] = {}
        self._lock = Lock()

    def find(self, key: Key, version: str, minute: int) -> Page | None:
        """The page if it is still the same."""
        with self._lock:
            page = self._pages.get(key)
            if page is None or page.version != version or page.minute != minute:
                return None
            self._pages.move_to_end(key)
            return page

    def keep(self, key: Key, page: Page) -> None:
        """Put it in the place of an older one, and make room for it."""
        with self._lock:
            older = self._pages.pop(key, None)
            self.bytes += page.size - (older.size if older else 0)
            self._pages[key] = page
            while self.bytes > self.most_bytes:
                _, thrown_out = self._pages.popitem(last=False)
                self.bytes -= thrown_out.size

    def begin(self, key: Key) -> bool:
        """True if the caller is to render this page, and to say `done`; else somebody has."""
        with self._lock:
            making = self._making.get(key)
            if making is None:
                self._making[key] = Event()
                return True
        making.wait(LONGEST_WAIT_SECONDS)
        return False

    def done(self, key: Key) -> None:
        """Let those who wait for the page go on, whether it was kept or not."""
        with self._lock:
            self._making.pop(key).set()

    def __len__(self) -> int:
        return len(self._pages)


def init_app(app: Flask) -> None:
    """Answer from what is kept, and keep what is answered."""
    app.extensions["page_cache"] = PageCache()
    app.extensions["public_version"] = public_version.reader(app.extensions["engine"])
    public_version.watch(app.extensions["engine"])
    app.before_request(_answer)
    app.after_request(_keep)
    app.teardown_request(_done)


def _answer() -> Response | None:
    if not _is_anybodys():
        return None
    # Before anything else is read: a change that comes meanwhile makes the page too new, not old.
    version = public_version.current(current_app.extensions["public_version"])
    cache, key, minute = _cache(), _key(), _minute()
    page = cache.find(key, version, minute)
    if page is None:
        if cache.begin(key):
            g.page_being_made, g.page_version = key, version
            return None
        page = cache.find(key, version, minute)
        if page is None:
            return None
    return make_response(_with_token(page.parts))


def _done(_error: BaseException | None) -> None:
    if (key := g.pop("page_being_made", None)) is not None:
        _cache().done(key)


def _keep(response: Response) -> Response:
    version = g.get("page_version")
    if version is None or not _may_be_kept(response):
        return response
    body = response.get_data()
    if len(body) <= MOST_BYTES_OF_A_PAGE:
        token = g.get("csrf_token", "")
        parts = tuple(body.split(token.encode())) if token else (body,)
        _cache().keep(_key(), Page(version, _minute(), parts))
    return response


def _is_anybodys() -> bool:
    """True if the page will say nothing that is meant for this visitor only."""
    return (
        request.endpoint in KEPT
        and request.method == "GET"
        and len(request.query_string) <= LONGEST_ADDRESS
        and not any(name in cookie for name in PERSONAL)
        and COOKIE_NAME not in request.cookies
        and "Authorization" not in request.headers
    )


def _may_be_kept(response: Response) -> bool:
    return (
        response.status_code == 200
        and response.mimetype == "text/html"
        and not response.is_streamed
        and "Set-Cookie" not in response.headers
        and not any(name in cookie for name in PERSONAL)
    )


def _with_token(parts: Sequence[bytes]) -> bytes:
    return generate_csrf().encode().join(parts) if len(parts) > 1 else parts[0]


def _key() -> Key:
    asked = f"{request.path}?{request.query_string.decode('latin-1')}"
    return f"{request.scheme}://{request.host}", asked, reader_zone()


def _minute() -> int:
    return int(g.now.timestamp() // 60)


def _cache() -> PageCache:
    found: PageCache = current_app.extensions["page_cache"]
    return found
