"""In which zone the reader lives: the account's, else what the browser said."""

from flask import Blueprint, Flask, current_app, request
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.timezone import UnknownZone, zone_named
from webinar.web.access import public

bp = Blueprint("zone", __name__)


@bp.post("/zone")
@public
def remember() -> ResponseReturnValue:
    """Keep the browser's zone in the cookie, for a visitor without an account."""
    cookie["zone"] = zone_named(request.form["zone"]).key
    return "", 204


def reader_zone() -> str:
    """The IANA name of the reader's zone; the site's when nothing is known."""
    if current_user.is_authenticated:
        return str(current_user.zone)
    named = cookie.get("zone", "")
    try:
        return zone_named(named).key
    except UnknownZone:
        return str(current_app.config["HOME_ZONE"])


def init_app(app: Flask) -> None:
    """Give templates the two zones in which every time is shown, and whose site it is."""

    @app.context_processor
    def _zones() -> dict[str, str | bool]:
        return {
            "home_zone": app.config["HOME_ZONE"],
            "reader_zone": reader_zone(),
            "site_name": app.config["SITE_NAME"],
            "is_demonstration": app.extensions["config"].DEMO,
        }
