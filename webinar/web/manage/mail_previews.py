"""How every kind of mail looks, filled with invented people: in both themes, and as plain text."""

from flask import Response, current_app, render_template
from flask.typing import ResponseReturnValue
from flask_login import current_user

from config import Config
from webinar.domain.access import Action
from webinar.domain.errors import NotFound
from webinar.domain.letter import MailKind
from webinar.domain.mail_log import KIND_NAMES
from webinar.domain.mail_wishes import TOPICS, topic_of
from webinar.tools import mail_preview as preview_of
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp

# Mail brings its styles in its elements. Nothing else of it may do anything, and only our own
# pages may frame it.
PREVIEW_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
        "sandbox",
    )
)
ASKS_FOR_DARK = "@media (prefers-color-scheme: dark)"
# A mail program follows the person's system; here both are looked at side by side.
THEMES = {"light": "@media not all", "dark": "@media all"}


@bp.get("/mails/preview/")
@requires(Action.PLAN_SESSIONS)
def mail_previews() -> ResponseReturnValue:
    """Every kind: those that can be switched off, and those that always come."""
    kinds = [(kind, KIND_NAMES[kind], topic_of(kind)) for kind in MailKind]
    return render_template(
        "manage/mail_previews.html",
        by_choice=[(kind, name, TOPICS[topic]) for kind, name, topic in kinds if topic],
        always=[(kind, name) for kind, name, topic in kinds if topic is None],
    )


@bp.get("/mails/preview/<kind>")
@requires(Action.PLAN_SESSIONS)
def mail_preview(kind: str) -> ResponseReturnValue:
    """One kind: its subject, both themes, and the plain text."""
    found = _kind(kind)
    kinds = list(MailKind)
    place = kinds.index(found)
    topic = topic_of(found)
    return render_template(
        "manage/mail_preview.html",
        kind=found,
        name=KIND_NAMES[found],
        topic=TOPICS[topic] if topic else None,
        parts=preview_of(_config(), found, zone=current_user.zone),
        themes=list(THEMES),
        earlier=kinds[place - 1] if place else None,
        later=kinds[place + 1] if place + 1 < len(kinds) else None,
    )


@bp.get("/mails/preview/<kind>/<theme>")
@requires(Action.PLAN_SESSIONS)
def mail_preview_page(kind: str, theme: str) -> ResponseReturnValue:
    """The HTML part by itself, as a mail program of this theme shows it."""
    if theme not in THEMES:
        raise NotFound("A mail is looked at in the light or in the dark theme.")
    page = preview_of(_config(), _kind(kind), zone=current_user.zone).html
    page = page.replace(ASKS_FOR_DARK, THEMES[theme])
    page = page.replace('content="light dark"', f'content="{theme}"')
    answer = Response(page, mimetype="text/html")
    answer.headers["Content-Security-Policy"] = PREVIEW_POLICY
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _config() -> Config:
    config: Config = current_app.extensions["config"]
    return config


def _kind(name: str) -> MailKind:
    if name not in frozenset(MailKind):
        raise NotFound("There is no such kind of mail.")
    return MailKind(name)
