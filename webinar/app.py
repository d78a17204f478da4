"""Build the application: connect, register, done."""

from pathlib import Path

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from config import Config
from webinar import web
from webinar.cli import groups
from webinar.db import connect, open_db
from webinar.domain.certificate_paper import Issuer
from webinar.services import issuer, search
from webinar.web.beats import BeatIntake
from webinar.web.media_doors import MediaDoors
from webinar.web.request_ids import RequestIds

ROOT = Path(__file__).resolve().parent.parent


def create_app(config: Config) -> Flask:
    """Return the application for these settings; nothing runs by itself."""
    app = Flask(__name__, template_folder=str(ROOT / "templates"))
    app.config.from_object(config)
    app.config.update(
        SESSION_COOKIE_SECURE=config.is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_NAME="webinar",
        PERMANENT_SESSION_LIFETIME=28 * 24 * 3600,
        MAX_CONTENT_LENGTH=1024 * 1024,  # routes that take more say so themselves
        WTF_CSRF_TIME_LIMIT=None,  # a form opened before the talk still works after it
    )
    config.DATA_DIR.mkdir(parents=True, exist_ok=True)
    app.extensions["config"] = config
    app.extensions["engine"] = connect(
        config.DATABASE_URL, pool=config.DATABASE_POOL, read_only=config.READ_ONLY
    )
    search.keep_up_to_date([open_db])
    issuer.bind(Issuer(config.LEGAL_NAME, config.SIGNATORY, config.SIGNATORY_ROLE))
    app.wsgi_app = BeatIntake(app.wsgi_app, config, app.extensions["engine"])  # type: ignore[method-assign]
    app.wsgi_app = MediaDoors(app.wsgi_app, app, config)  # type: ignore[method-assign]
    if config.is_https:
        app.wsgi_app = ProxyFix(app.wsgi_app)  # type: ignore[method-assign]
    app.wsgi_app = RequestIds(app.wsgi_app)  # type: ignore[method-assign]
    web.init_app(app)
    groups.init_app(app)
    return app
