"""The guards every request passes: forged forms and floods."""

from flask import request
from flask_limiter import Limiter
from flask_login import current_user
from flask_wtf.csrf import CSRFProtect

csrf = CSRFProtect()


def _who() -> str:
    """A signed-in person, else the address they come from."""
    return current_user.get_id() if current_user.is_authenticated else request.remote_addr or ""


limiter = Limiter(_who)
