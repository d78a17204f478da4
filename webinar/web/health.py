"""Is it alive, and is it ready: for whoever watches the service."""

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from sqlalchemy import text

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
    """The process and its database answer."""
    g.db.execute(text("SELECT 1"))
    return {"status": "ready"}
