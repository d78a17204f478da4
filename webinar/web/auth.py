"""Signing in and out, and who the cookie says you are."""

from flask import Blueprint, Flask, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager

from webinar.models import User

bp = Blueprint("auth", __name__)
login_manager = LoginManager()


@login_manager.user_loader
def _load(cookie_id: str) -> User | None:
    """The person the cookie names, unless every sign-in of theirs was ended since."""
    user_id, _, generation = cookie_id.partition(".")
    if not (user_id.isdigit() and generation.isdigit()):
        return None
    user = g.db.get(User, int(user_id))
    if user is None or user.sign_in_generation != int(generation) or not user.is_active:
        return None
    return user


@login_manager.unauthorized_handler
def _ask_to_sign_in() -> ResponseReturnValue:
    if request.is_json or request.accept_mimetypes.best == "application/json":
        return {"error": "Sign in first.", "status": 401}, 401
    return redirect(url_for("auth.sign_in", next=request.path))


def init_app(app: Flask) -> None:
    """Hand Flask-Login the loader above."""
    login_manager.init_app(app)
