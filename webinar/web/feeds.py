"""Calendar feeds and single .ics files: stored bytes, joined.

Calendar programs poll for years. So a feed never redirects, never sets or reads a cookie, never
answers with a page, and says 304 before it reads a single event.
"""

import logging
from datetime import datetime
from http import HTTPStatus
from typing import cast

from flask import Blueprint, Flask, Response, current_app, g, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DataError, OperationalError
from werkzeug.exceptions import HTTPException
from werkzeug.http import http_date, is_resource_modified, quote_etag

from webinar.calendar.feeds import etag, feed_bytes
from webinar.db import is_read_only, open_db
from webinar.domain.errors import DomainError
from webinar.services import calendars, links
from webinar.services.calendars import Feed
from webinar.web.access import by_token, public
from webinar.web.cookies import CookielessUnder

log = logging.getLogger(__name__)
bp = Blueprint("feeds", __name__, url_prefix="/calendar")
bp.record_once(lambda state: CookielessUnder("/calendar/").take_over(cast(Flask, state.app)))

PUBLIC_CACHE = "public, max-age=300"
PRIVATE_CACHE = "private, max-age=300"
RETRY_AFTER_SECONDS = 300


@bp.get("/all.ics")
@public
def everything() -> ResponseReturnValue:
    """All sessions."""
    return _feed(calendars.everything(current_app.config["SITE_NAME"]))


@bp.get("/series/<slug>.ics")
@public
def series(slug: str) -> ResponseReturnValue:
    """The sessions of a series."""
    return _feed(calendars.of_series(g.db, slug))


@bp.get("/topics/<slug>.ics")
@public
def topic(slug: str) -> ResponseReturnValue:
    """The sessions about a topic."""
    return _feed(calendars.of_topic(g.db, slug))


@bp.get("/societies/<slug>.ics")
@public
def society(slug: str) -> ResponseReturnValue:
    """The sessions of a society."""
    return _feed(calendars.of_society(g.db, slug))


@bp.get("/personal/<token>.ics")
@by_token
def personal(token: str) -> ResponseReturnValue:
    """The sessions a person registered for; whoever knows the address reads it."""
    site_name = current_app.config["SITE_NAME"]
    feed = calendars.of_person(g.db, links.hash_of(token), site_name)
    response = _feed(feed)
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@bp.get("/sessions/<public_id>.ics")
@public
def session(public_id: str) -> ResponseReturnValue:
    """One session, to be opened once."""
    event, changed_at, sequence = calendars.single(g.db, public_id)
    response = _conditional(
        etag(b"single", public_id.encode(), str(sequence).encode(), event.vevent),
        changed_at,
        PUBLIC_CACHE,
    )
    if response.status_code == HTTPStatus.OK:
        response.data = feed_bytes(
            "", [event.zone], [event.vevent], single=True, home_zone=g.home_zone
        )
        response.headers.set(
            "Content-Disposition", "attachment", filename=f"session-{public_id}.ics"
        )
    return response


@bp.get("/<path:rest>")
@public
def unknown(rest: str) -> ResponseReturnValue:
    """Any other address below: words, never a page that a program would take for a calendar."""
    return _words(f"There is no calendar called {rest}.", HTTPStatus.NOT_FOUND)


def _feed(feed: Feed) -> Response:
    state = calendars.state(g.db, feed, now=g.now, home_zone=g.home_zone)
    made_of = (feed.key, feed.name, g.home_zone, state.version)
    tag = etag(*(part.encode() for part in made_of))
    changed_at = state.changed_at if state.etag == tag else None
    response = _conditional(
        tag,
        changed_at or _note(feed, tag),
        PRIVATE_CACHE if feed.is_personal else PUBLIC_CACHE,
    )
    if response.status_code == HTTPStatus.OK:
        found = calendars.events(g.db, feed, now=g.now, home_zone=g.home_zone)
        response.data = feed_bytes(
            feed.name,
            calendars.zones_of(found),
            [event.vevent for event in found],
            home_zone=g.home_zone,
        )
    return response


def _note(feed: Feed, tag: str) -> datetime:
    """The first who asks after a change notes it: this request only reads, so by another hand."""
    if is_read_only():
        return cast(datetime, g.now)
    with open_db.begin() as db:
        return calendars.remember(db, feed.key, tag, now=g.now)


def _conditional(tag: str, changed_at: datetime, cache_control: str) -> Response:
    """An empty 200 to be filled, or a 304. If-None-Match goes before If-Modified-Since."""
    modified = is_resource_modified(
        request.environ, etag=quote_etag(tag), last_modified=changed_at, ignore_if_range=True
    )
    response = Response(
        status=HTTPStatus.OK if modified else HTTPStatus.NOT_MODIFIED, mimetype="text/calendar"
    )
    response.headers["ETag"] = quote_etag(tag)
    response.headers["Last-Modified"] = http_date(changed_at)
    response.headers["Cache-Control"] = cache_control
    return response


def _words(message: str, status: int) -> Response:
    response = Response(f"{message}\n", status=status, mimetype="text/plain")
    response.headers["Cache-Control"] = "no-cache"
    return response


@bp.errorhandler(DomainError)
def _refused(error: DomainError) -> Response:
    return _words(str(error), error.status)


@bp.errorhandler(HTTPException)
def _http_error(error: HTTPException) -> Response:
    return _words(error.description or error.name, error.code or 500)


@bp.errorhandler(DataError)
def _no_such_address(_error: DataError) -> Response:
    return _words("There is no such calendar.", HTTPStatus.NOT_FOUND)


@bp.errorhandler(OperationalError)
def _no_database(error: OperationalError) -> Response:
    log.error("feed without a database: %s", request.endpoint, exc_info=error)
    return _try_again()


@bp.errorhandler(Exception)
def _broken(error: Exception) -> Response:
    log.exception("feed failed: %s", request.endpoint, exc_info=error)
    return _try_again()


def _try_again() -> Response:
    # Thunderbird keeps what it has at 503; an empty calendar would wipe it.
    response = _words("The calendar cannot be read just now.", HTTPStatus.SERVICE_UNAVAILABLE)
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
