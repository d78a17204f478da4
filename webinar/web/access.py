"""Who may call a route: every view carries exactly one of these marks, and a test sees to it."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Flask, current_app
from flask_login import current_user

from webinar.domain.access import SITE_WIDE, Action, may
from webinar.domain.errors import NotAllowed

P = ParamSpec("P")
R = TypeVar("R")
MARK = "access_mark"


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Anyone may call it, on purpose."""
    setattr(view, MARK, "public")
    return view


def by_token(view: Callable[P, R]) -> Callable[P, R]:
    """Whoever holds the secret in the address may call it; the view checks the secret."""
    setattr(view, MARK, "token")
    return view


def signed_in(view: Callable[P, R]) -> Callable[P, R]:
    """A signed-in person; others are sent to sign in and come back."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if not current_user.is_authenticated:
            return current_app.login_manager.unauthorized()  # type: ignore[attr-defined, no-any-return]
        return view(*args, **kwargs)

    setattr(guarded, MARK, "signed in")
    return guarded


def requires(action: Action) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A signed-in person one of whose roles allows the action.

    A role for one society is enough here, unless the action concerns them all; that it is the
    right society, webinar.web.manage.scope sees to.
    """

    def mark(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if not current_user.is_authenticated:
                return current_app.login_manager.unauthorized()  # type: ignore[attr-defined, no-any-return]
            if not allows(action):
                raise NotAllowed(f"Your account may not {action}. Ask an administrator.")
            return view(*args, **kwargs)

        setattr(guarded, MARK, action.value)
        return guarded

    return mark


def action_of(view: Callable[..., object]) -> Action | None:
    """The action the view requires, or None if it is marked otherwise."""
    mark = getattr(view, MARK, "")
    return Action(mark) if mark in frozenset(Action) else None


def allows(action: Action) -> bool:
    """True if the person who is signed in may do it somewhere: what a menu offers them."""
    if not current_user.is_authenticated:
        return False
    return may(current_user.roles_for(None) if action in SITE_WIDE else current_user.roles, action)


def init_app(app: Flask) -> None:
    """Mark Flask's own file route and let templates ask what a person may do."""
    setattr(app.view_functions["static"], MARK, "public")
    app.jinja_env.globals.update(may=may, allows=allows, Action=Action)
