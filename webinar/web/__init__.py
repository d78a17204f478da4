"""HTTP in, HTML out: the request's database session, error pages, headers, blueprints."""

import logging
from datetime import UTC, datetime
from urllib.parse import urlsplit

from flask import Flask, current_app, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from jinja2 import StrictUndefined
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy.exc import DataError, NoResultFound
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from webinar.db import limit_statements, open_db, read_db, undo
from webinar.domain.errors import DomainError
from webinar.web import (
    access,
    auth,
    blueprints,
    database_trouble,
    filters,
    page_cache,
    request_ids,
    zone,
)
from webinar.web.guards import csrf, limiter

log = logging.getLogger(__name__)

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


# Counting is worth a moment of a page, not more: without an answer each process counts for itself.
REDIS_OPTIONS = {
    "socket_connect_timeout": 0.3,
    "socket_timeout": 0.3,
    "retry": Retry(NoBackoff(), 0),
}


def _policy(media_url: str) -> str:
    """The policy, with the one other place that media may come from."""
    if not media_url:
        return CONTENT_SECURITY_POLICY
    parts = urlsplit(media_url)
    origin = f"{parts.scheme}://{parts.netloc}"
    own_media = "media-src 'self' blob:"
    return CONTENT_SECURITY_POLICY.replace(
        own_media, f"connect-src 'self' {origin}; {own_media} {origin}"
    )


def init_app(app: Flask) -> None:
    """Register everything that answers HTTP."""
    app.extensions["content_security_policy"] = _policy(app.config["MEDIA_URL"])
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    # Before the guards: a page that refuses needs to know the time and the person as well.
    request_ids.init_app(app)
    app.before_request(_open_database)
    database_trouble.init_app(app)
    page_cache.init_app(app)
    csrf.init_app(app)
    app.config.setdefault("RATELIMIT_STORAGE_URI", app.config["REDIS_URL"] or "memory://")
    app.config.setdefault("RATELIMIT_HEADERS_ENABLED", True)
    # Without Redis each process counts for itself; nobody is kept out for it.
    app.config.setdefault("RATELIMIT_IN_MEMORY_FALLBACK_ENABLED", True)
    # Two who find Redis gone at the same moment: the second would fail instead of falling back.
    app.config.setdefault("RATELIMIT_SWALLOW_ERRORS", True)
    if app.config["REDIS_URL"]:
        app.config.setdefault("RATELIMIT_STORAGE_OPTIONS", REDIS_OPTIONS)
    limiter.init_app(app)
    filters.register(app)
    auth.init_app(app)
    zone.init_app(app)
    access.init_app(app)
    for blueprint in blueprints.all_blueprints(development=app.config["DEVELOPMENT"]):
        app.register_blueprint(blueprint)
    app.teardown_request(_close_database)
    app.after_request(_add_headers)
    app.register_error_handler(DomainError, _refused)
    app.register_error_handler(NoResultFound, _no_such_row)
    app.register_error_handler(DataError, _not_storable)
    for trouble in database_trouble.TROUBLES:
        app.register_error_handler(trouble, _no_database)
    app.register_error_handler(CSRFError, _form_too_old)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _broken)
    app.context_processor(_page_facts)


def _open_database() -> None:
    g.now = datetime.now(UTC)
    g.home_zone = current_app.config["HOME_ZONE"]
    limit_statements(current_app.config["STATEMENT_SECONDS"])
    # Neither connects before it is asked something.
    if request.method in ("GET", "HEAD", "OPTIONS"):
        g.db = read_db()
        return
    g.db = open_db()
    if request.is_json:
        # Forms were read by the guard against forged ones. What comes slowly must have come
        # before a transaction is open: on SQLite nobody else could write meanwhile.
        request.get_data()


def _close_database(_error: BaseException | None) -> None:
    if (db := g.pop("db", None)) is not None:
        undo(db)
        db.close()
    limit_statements(0)


def _add_headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", current_app.extensions["content_security_policy"])
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(self), microphone=(self)")
    if response.mimetype == "text/html":
        headers.setdefault("Cache-Control", "no-cache, private")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


def _page_facts() -> dict[str, object]:
    return {"now": g.get("now") or datetime.now(UTC)}


def wants_json() -> bool:
    """True if a script asked, so that a refusal is answered as JSON."""
    return request.is_json or request.accept_mimetypes.best == "application/json"


def refusal(status: int, title: str, message: str, what_to_do: str = "") -> ResponseReturnValue:
    """A refusal as a page for people or as JSON for scripts."""
    if wants_json():
        return {"error": message, "status": status}, status
    page = render_template(
        "errors/error.html", status=status, title=title, message=message, what_to_do=what_to_do
    )
    return page, status


def _refused(error: DomainError) -> ResponseReturnValue:
    titles = {
        403: "Not allowed",
        404: "Not found",
        409: "That does not fit",
        410: "It has ended",
        503: "Not just now",
    }
    return refusal(error.status, titles.get(error.status, "That did not work"), str(error))


def _no_such_row(_error: NoResultFound) -> ResponseReturnValue:
    return refusal(
        404, "Not found", "There is nothing at this address.", "Look in the schedule instead."
    )


def _not_storable(_error: DataError) -> ResponseReturnValue:
    # The database's own word for characters or numbers that no field of ours can hold.
    undo(g.db)
    return refusal(
        400,
        "That cannot be read",
        "The request holds characters or numbers that make no sense here; nothing was changed.",
    )


def _no_database(error: Exception) -> ResponseReturnValue:
    refused = database_trouble.refusal_for(error)
    if refused is None:
        return _broken(error)
    log.error("database trouble: %s: %s", type(error).__name__, request.url_rule)
    database_trouble.show_to_anybody()
    return refusal(refused.status, "Not just now", str(refused))


def _form_too_old(_error: CSRFError) -> ResponseReturnValue:
    return refusal(
        400,
        "Please send the form again",
        "This page was open for too long or the browser did not send its cookie, "
        "so nothing was changed.",
        "Go back, reload the page and send it again.",
    )


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error.response
    status = error.code or 500
    sentences = {
        400: "The request could not be understood; nothing was changed.",
        404: "There is nothing at this address.",
        405: "This address does not take that kind of request.",
        413: "What you sent is too large for this address; nothing was stored.",
        429: "Too many tries in a short time. Wait a minute, then try again.",
    }
    return refusal(status, error.name, sentences.get(status, error.description or error.name))


def _broken(error: Exception) -> ResponseReturnValue:
    # The rule, not the path: that may hold a secret.
    log.exception("request failed: %s %s", request.method, request.url_rule, exc_info=error)
    if (db := g.get("db")) is not None:
        undo(db)  # the page may have to ask who reads it
    return refusal(
        500,
        "Something broke on our side",
        "Nothing you sent was half-stored. The problem has been written down.",
        "Try again in a minute.",
    )
