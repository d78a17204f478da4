"""POST /beats, in front of Flask: no routing, no cookie, no database read before the answer.

A beat is authorised by its signed pass alone. The answer says up to which beat everything is
safe in the database (`durable`): the player keeps the rest and sends it again.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from sqlalchemy import Engine

from config import Config
from webinar.domain.attendance import (
    MAX_SEGMENTS,
    BeatRefused,
    ExpiredPass,
    ForgedPass,
    MalformedBeat,
    PassFacts,
    TooManySegments,
    ViewingMode,
    check_beat,
    read_pass,
)
from webinar.web import metrics
from webinar.web.beat_store import MOST_WHO_WAIT, BeatStore
from webinar.web.status_lines import status_line

PATH = "/beats"
UNROUTED = {PATH: "authorised by the signed viewing pass in its body"}
"""What is answered in front of Flask, and why that is allowed."""

MAX_BYTES = 16 * 1024
MAX_SEQ = 2**31 - 1
HEADERS = [
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
]
OK, BUSY = status_line(200), status_line(503)
RETRY_AFTER = ("Retry-After", "15")
# Looked up once: `json.loads` guesses an encoding and its arguments each time.
_read_json = json.JSONDecoder().decode


class _Refusal(Exception):
    """An answer that is no: status, code for the player, sentence for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class _Beat:
    token: str
    seq: int
    wait: bool
    segments: list[object]


def _now() -> datetime:
    return datetime.now(UTC)


class BeatIntake:
    """The WSGI callable that takes beats and hands everything else on."""

    def __init__(
        self,
        app: WSGIApplication,
        config: Config,
        engine: Engine,
        *,
        clock: Callable[[], datetime] = _now,
        most_who_wait: int = MOST_WHO_WAIT,
    ) -> None:
        self.app = app
        self.clock = clock
        self.secret = config.SECRET_KEY.encode()
        # PostgreSQL lets many write; on SQLite processes would wait in each other's way.
        is_sqlite = engine.dialect.name == "sqlite"
        lock_file = config.DATA_DIR / "beats.lock" if is_sqlite else None
        self.store = BeatStore(engine, lock_file, most_who_wait=most_who_wait)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != PATH:
            return self.app(environ, start_response)
        now = self.clock()
        try:
            status, body = OK, self._take(environ, now)
        except _Refusal as refusal:
            metrics.refused(refusal.code)
            status = status_line(refusal.status)
            answer = {"error": str(refusal), "code": refusal.code, "now": now.isoformat()}
            body = json.dumps(answer).encode()
        headers = [*HEADERS, ("Content-Length", str(len(body)))]
        if status == BUSY:
            headers.append(RETRY_AFTER)
        start_response(status, headers)
        return [body]

    def _take(self, environ: WSGIEnvironment, now: datetime) -> bytes:
        beat = _read_beat(_body(environ))
        facts = self._pass(beat.token, now)
        try:
            segments = check_beat(facts, _in_seconds(beat.segments), now=now)
        except (MalformedBeat, TooManySegments) as wrong:
            raise _Refusal(400, wrong.code, str(wrong)) from None
        except BeatRefused as untrue:
            raise _Refusal(403, untrue.code, str(untrue)) from None
        durable = self.store.add(facts.pass_id, beat.seq, segments, now)
        if durable is None:
            raise _Refusal(503, "busy", "Too much is waiting to be stored. Keep it, send it later.")
        metrics.accepted(facts, beat.segments, segments)
        if beat.wait:
            durable = self.store.wait_for(facts.pass_id, beat.seq)
        is_recording = facts.mode is ViewingMode.RECORDED
        closes_at = f'"{facts.expires_at.isoformat()}"' if is_recording else "null"
        # Nothing in it needs escaping, and a serializer would take as long as all the rest.
        return (
            f'{{"durable":{durable},"now":"{now.isoformat()}","closes_at":{closes_at}}}'
        ).encode()

    def _pass(self, token: str, now: datetime) -> PassFacts:
        try:
            return read_pass(self.secret, token, now=now)
        except ForgedPass as forged:
            raise _Refusal(401, forged.code, str(forged)) from None
        except ExpiredPass as expired:
            raise _Refusal(410, expired.code, str(expired)) from None


def _body(environ: WSGIEnvironment) -> bytes:
    if environ["REQUEST_METHOD"] != "POST":
        raise _Refusal(405, "method", "A beat is sent by POST.")
    length = environ.get("CONTENT_LENGTH") or ""
    # str.isdigit knows digits that int does not.
    if not (length.isascii() and length.isdigit()):
        raise _Refusal(400, "malformed", "A beat says how long it is.")
    if len(length) > 9 or int(length) > MAX_BYTES:
        raise _Refusal(413, "too_large", f"A beat has at most {MAX_BYTES} bytes; send it in parts.")
    body: bytes = environ["wsgi.input"].read(int(length))
    return body


def _read_beat(body: bytes) -> _Beat:
    try:
        beat = _read_json(body.decode())
    except (ValueError, RecursionError):
        raise _Refusal(400, "malformed", "A beat is a JSON object.") from None
    if not isinstance(beat, dict):
        raise _Refusal(400, "malformed", "A beat is a JSON object.")
    token, seq = beat.get("pass"), beat.get("seq")
    wait, segments = beat.get("wait", 0), beat.get("segments")
    if not isinstance(token, str):
        raise _Refusal(401, "pass_missing", "A beat carries the viewing pass.")
    if type(seq) is not int or not 0 <= seq <= MAX_SEQ:
        raise _Refusal(400, "malformed", "'seq' counts the beats of a page from 0.")
    if wait not in (0, 1):
        raise _Refusal(400, "malformed", "'wait' is 0 or 1.")
    if not isinstance(segments, list):
        raise _Refusal(400, "malformed", "'segments' is a list of [number, from, to].")
    return _Beat(token=token, seq=seq, wait=bool(wait), segments=segments)


def _in_seconds(segments: list[object]) -> list[object]:
    """Players count whole milliseconds; anything else stays as it is and is refused."""
    if len(segments) > MAX_SEGMENTS:
        return segments
    return [_segment_in_seconds(segment) for segment in segments]


def _segment_in_seconds(segment: object) -> object:
    if type(segment) is list and len(segment) == 3:
        number, start, end = segment
        if _is_instant(start) and _is_instant(end):
            return [number, start / 1000, end / 1000]
    return None


def _is_instant(value: object) -> bool:
    return type(value) is int and 0 <= value < 10**14
