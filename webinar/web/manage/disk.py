"""A word to organisers while the server's disk is nearly full."""

from flask import current_app

from webinar.tools import disk_is_low
from webinar.web.manage.blueprint import bp


@bp.app_template_global("disk_is_low")
def is_low() -> bool:
    """True if uploads are refused for want of room; asked by the pages that say so."""
    return disk_is_low(current_app.extensions["config"])
