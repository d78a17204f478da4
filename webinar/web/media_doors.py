"""Keys, live playlists and segments, in front of Flask: what hundreds of players ask all the time.

A key is the gate: each request for one is decided by the database as it is at that moment. Live
playlists and segments trust an answer for a few seconds, never past the end of the window.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import BinaryIO
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from config import Config
from webinar.domain.errors import DomainError, NotFound
from webinar.domain.media_gate import Allowed, SignInEnded, decide
from webinar.domain.rendition import Rendition
from webinar.media.storage import FileStorage
from webinar.services import media_access
from webinar.tools import media_shelf
from webinar.web.cookie_reader import Claim, CookieReader
from webinar.web.direct_query import DatabaseAway, DirectQuery
from webinar.web.live_playlists import LivePlaylists
from webinar.web.shared_query import SharedQuery
from webinar.web.status_lines import status_line

ROOT = "/recordings/"
UNROUTED = {
    f"{ROOT}<id>/keys/<number>": "asks for sign-in, place and window at each request",
    f"{ROOT}<id>/live.m3u8": "asks for sign-in, place and window every few seconds",
    f"{ROOT}<id>/<rendition>/live.m3u8": "asks for sign-in, place and window every few seconds",
    f"{ROOT}<id>/segments/<name>": "asks for sign-in, place and window every few seconds",
    f"{ROOT}<id>/may": "asks for sign-in, place and window; answers yes or no, for nginx",
}
"""What is answered in front of Flask, and why that is allowed."""

TRUSTED_SECONDS = 5
MOST_TRUSTED = 20_000
# A captions file or a poster lies in the same folder and has an address of its own.
SEGMENT_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}\.ts")
RECORDING_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
RENDITIONS = {rendition.value: rendition for rendition in Rendition}

TEXT = "text/plain; charset=utf-8"
HLS = "application/vnd.apple.mpegurl"
BINARY = "application/octet-stream"
MPEG_TS = "video/mp2t"
NO_STORE = "no-store"
AWAY = (DatabaseAway, OperationalError, InterfaceError, PoolExhausted)
RETRY_AFTER_SECONDS = 5
# Ciphertext of which nothing ever changes; behind the gate it is the person's own copy.
OWN_COPY = "private, max-age=86400, immutable"


class WrongMethod(DomainError):
    """These addresses are only read."""

    status = 405


@dataclass(frozen=True)
class Answer:
    """What goes out. `size` is the body's, in bytes."""

    status: int
    body: bytes | BinaryIO
    size: int
    content_type: str
    caching: str = NO_STORE
    more: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, body: bytes, content_type: str, *, status: int = 200) -> "Answer":
        """An answer nobody keeps."""
        return cls(status, body, len(body), content_type)


@dataclass(frozen=True)
class _Trust:
    allowed: Allowed
    begins: datetime
    ends: datetime


class MediaDoors:
    """The WSGI callable that answers these addresses and hands everything else on."""

    def __init__(self, app: WSGIApplication, flask_app: Flask, config: Config) -> None:
        self.app = app
        self._cookies = CookieReader(flask_app)
        self._shelf = media_shelf(config)
        self._question = _question(flask_app.extensions["engine"])
        self._playlists = LivePlaylists(config)
        self._trusted: dict[tuple[Claim, str], _Trust] = {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        if not path.startswith(ROOT):
            return self.app(environ, start_response)
        public_id, _, rest = path[len(ROOT) :].partition("/")
        door, _, name = rest.partition("/")
        if not self._is_ours(door, name):
            return self.app(environ, start_response)
        try:
            answer = self._answer(environ, public_id, door, name)
        except DomainError as refusal:
            # nginx's question knows two kinds of no; it then asks us for the answer itself.
            status = 403 if door == "may" and refusal.status != 401 else refusal.status
            answer = Answer.of(f"{refusal}\n".encode(), TEXT, status=status)
        except AWAY:
            away = b"The database does not answer. Try again in a few seconds.\n"
            again = (("Retry-After", str(RETRY_AFTER_SECONDS)),)
            answer = replace(Answer.of(away, TEXT, status=503), more=again)
        return _send(answer, environ, start_response)

    def _is_ours(self, door: str, name: str) -> bool:
        if door in ("live.m3u8", "may"):
            return not name
        return door in ("keys", "segments") or name == "live.m3u8"

    def _answer(self, environ: WSGIEnvironment, public_id: str, door: str, name: str) -> Answer:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            raise WrongMethod("This address is only read.")
        now = datetime.now(UTC)
        claim = self._cookies.claim(environ, now=now.timestamp())
        if claim is None:
            raise SignInEnded("Sign in first.")
        if RECORDING_ID.fullmatch(public_id) is None:
            raise NotFound("There is no such recording.")
        if door == "keys":
            self._ask(claim, public_id, now)
            return self._key(public_id, name)
        trust = self._trust(claim, public_id, now)
        if door == "segments":
            return self._segment(public_id, name)
        if door == "may":
            return _yes_for_nginx(trust, now)
        if name and door not in RENDITIONS:
            raise NotFound("There is no such rendition.")
        rendition = RENDITIONS.get(door)
        text = self._playlists.read(trust.allowed.recording_id, rendition, now=now)
        return Answer.of(text, HLS)

    def _ask(self, claim: Claim, public_id: str, now: datetime) -> Allowed:
        row = self._question.one({"user_id": claim.user_id, "public_id": public_id})
        facts = None if row is None else media_access.facts_in(row)
        return decide(facts, generation=claim.generation, now=now)

    def _trust(self, claim: Claim, public_id: str, now: datetime) -> _Trust:
        known = self._trusted.get((claim, public_id))
        if known is not None and known.begins <= now < known.ends:
            return known
        allowed = self._ask(claim, public_id, now)
        ends = now + timedelta(seconds=TRUSTED_SECONDS)
        trust = _Trust(allowed, now, min(ends, allowed.until or ends))
        if len(self._trusted) >= MOST_TRUSTED:
            self._trusted.clear()
        self._trusted[claim, public_id] = trust
        return trust

    def _key(self, public_id: str, name: str) -> Answer:
        if not (name.isascii() and name.isdigit() and len(name) <= 6):
            raise NotFound("There is no such key.")
        return Answer.of(self._shelf.keys.read(public_id, int(name)), BINARY)

    def _segment(self, public_id: str, name: str) -> Answer:
        if SEGMENT_NAME.fullmatch(name) is None:
            raise NotFound("There is no such segment.")
        stored = f"recordings/{public_id}/{name}"
        storage = self._shelf.storage
        if isinstance(storage, FileStorage):
            file = storage.open(stored)
            size = file.seek(0, 2)
            file.seek(0)
            return Answer(200, file, size, MPEG_TS, OWN_COPY)
        data = storage.read(stored)
        return Answer(200, data, len(data), MPEG_TS, OWN_COPY)


def _question(engine: Engine) -> DirectQuery | SharedQuery:
    if engine.dialect.name == "sqlite":  # within the process: nothing to share
        return DirectQuery(engine, media_access.question())
    return SharedQuery(DirectQuery(engine, media_access.questions()))


def _yes_for_nginx(trust: _Trust, now: datetime) -> Answer:
    # nginx counts whole seconds and serves through the last one: so one less.
    seconds = max(int((trust.ends - now).total_seconds()) - 1, 0)
    return Answer(204, b"", 0, TEXT, more=(("X-Accel-Expires", str(seconds)),))


def _send(
    answer: Answer, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    headers = [
        ("Content-Type", answer.content_type),
        ("Cache-Control", answer.caching),
        ("X-Content-Type-Options", "nosniff"),
        *answer.more,
    ]
    if answer.status != 204:
        headers.append(("Content-Length", str(answer.size)))
    start_response(status_line(answer.status), headers)
    if environ["REQUEST_METHOD"] == "HEAD":
        if not isinstance(answer.body, bytes):
            answer.body.close()
        return []
    if isinstance(answer.body, bytes):
        return [answer.body]
    wrapper = environ.get("wsgi.file_wrapper")
    if wrapper is not None:
        body: Iterable[bytes] = wrapper(answer.body)
        return body
    with answer.body:
        return [answer.body.read()]
