"""What this is, and what happens with personal data: pages without a database."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from webinar.web.access import public

bp = Blueprint("pages", __name__)


@bp.get("/about")
@public
def about() -> ResponseReturnValue:
    """How it works, for those who come for the first time."""
    return render_template("pages/about.html")


@bp.get("/privacy")
@public
def privacy() -> ResponseReturnValue:
    """What is kept, why, for how long, and who sees it."""
    return render_template("pages/privacy.html")
