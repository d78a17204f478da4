"""Who a request's cookie names, read in front of Flask: the signature alone, no database."""

from dataclasses import dataclass
from functools import cached_property
from wsgiref.types import WSGIEnvironment

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadSignature, URLSafeTimedSerializer

MOST_REMEMBERED = 20_000


@dataclass(frozen=True)
class Claim:
    """What a cookie says: a person, and how often their sign-ins were ended before it was made."""

    user_id: int
    generation: int


@dataclass(frozen=True)
class _Read:
    claim: Claim
    signed_at: float


class CookieReader:
    """Reads the cookie that Flask signs. What was read is remembered: a player sends it often."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._prefix = app.config["SESSION_COOKIE_NAME"] + "="
        self._lifetime = app.permanent_session_lifetime.total_seconds()
        self._read: dict[str, _Read] = {}

    def claim(self, environ: WSGIEnvironment, *, now: float) -> Claim | None:
        """Whom the cookie names; None if nobody, or not by us, or too long ago (Unix time)."""
        value = self._value(environ)
        if value is None:
            return None
        read = self._read.get(value) or self._remembered(value)
        if read is None or now - read.signed_at > self._lifetime:
            return None
        return read.claim

    @cached_property
    def _serializer(self) -> URLSafeTimedSerializer:
        # Flask's own interface makes it: whatever a later Flask signs with, this reads.
        made = SecureCookieSessionInterface().get_signing_serializer(self._app)
        if made is None:
            raise RuntimeError("an application without SECRET_KEY signs no cookies")
        return made

    def _value(self, environ: WSGIEnvironment) -> str | None:
        for part in environ.get("HTTP_COOKIE", "").split(";"):
            if (part := part.strip()).startswith(self._prefix):
                value: str = part[len(self._prefix) :]
                return value
        return None

    def _remembered(self, value: str) -> _Read | None:
        try:
            content, signed_at = self._serializer.loads(value, return_timestamp=True)
        except BadSignature:
            return None
        # "7.0", as Flask-Login keeps it (webinar.models.people.User.get_id).
        named = str(content.get("_user_id", "")) if isinstance(content, dict) else ""
        user_id, _, generation = named.partition(".")
        if not (user_id.isdecimal() and generation.isdecimal()):
            return None
        read = _Read(Claim(int(user_id), int(generation)), signed_at.timestamp())
        if len(self._read) >= MOST_REMEMBERED:
            self._read.clear()
        self._read[value] = read
        return read
