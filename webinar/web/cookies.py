"""Addresses that never see the cookie: programs and caches read them, not people."""

from flask import Flask, Request, Response
from flask import request as current_request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin


class CookielessUnder(SecureCookieSessionInterface):
    """Flask's own cookie, except below one path.

    There the cookie is neither read nor written, and no `Vary: Cookie` is said, although
    extensions look into it after every request: a shared cache could not keep the answer.
    """

    def __init__(self, path: str) -> None:
        self.paths: tuple[str, ...] = (path,)

    def take_over(self, app: Flask) -> None:
        """Become the application's, keeping the paths of one that was there before."""
        if isinstance(app.session_interface, CookielessUnder):
            self.paths += app.session_interface.paths
        app.session_interface = self

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The cookie's content; below the paths always an empty one."""
        if request.path.startswith(self.paths):
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Set the cookie where it changed; never below the paths."""
        if not current_request.path.startswith(self.paths):
            super().save_session(app, session, response)
