"""Is it alive, and is it ready: for whoever watches the service."""

from flask import Blueprint, current_app, g
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from webinar.tools import disk_is_low
from webinar.web.access import public

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@public
def alive() -> ResponseReturnValue:
    """The process answers."""
    return {"status": "ok"}


@bp.get("/readyz")
@public
def ready() -> ResponseReturnValue:
    """The process and its database answer; `disk` is "low" when nothing new may begin."""
    g.db.execute(text("SELECT 1"))
    is_low = disk_is_low(current_app.extensions["config"])
    return {"status": "ready", "disk": "low" if is_low else "ok"}
