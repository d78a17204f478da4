"""The address in mails that ends mails of one kind, without signing in.

The mark in it says whose wish about what; the page tells a stranger nothing of the person. A mail
program presses the button by itself (RFC 8058), so no cookie and no form of ours is asked for.
"""

from flask import Blueprint, current_app, g, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from webinar.domain.errors import NotFound
from webinar.domain.mail_marks import read_stop_token
from webinar.domain.mail_wishes import TOPICS, MailTopic, WishSource
from webinar.models import User
from webinar.services import links, mail_wishes
from webinar.web.access import by_token
from webinar.web.guards import csrf, limiter

bp = Blueprint("unsubscribe", __name__, url_prefix="/unsubscribe/<token>")
csrf.exempt(bp)

PRESSES = "30 per minute; 300 per hour"


def _address() -> str:
    """The address itself, without its secret lying about in the counters."""
    return f"unsubscribe {links.hash_of((request.view_args or {}).get('token', ''))}"


@bp.get("")
@by_token
def show(token: str) -> ResponseReturnValue:
    """What it ends, and a button: programs that open links in mails do not press buttons."""
    _, topic = _read(token)
    return _page(token, topic, is_done=False)


@bp.post("")
@by_token
@limiter.limit(PRESSES, key_func=_address)
def stop(token: str) -> ResponseReturnValue:
    """No more of these, or with `again=1` more of them again; pressed twice is once."""
    user_id, topic = _read(token)
    is_wanted = request.form.get("again") == "1"
    mail_wishes.set_wish(g.db, user_id, topic, is_wanted, source=WishSource.ONE_CLICK, now=g.now)
    g.db.commit()
    return _page(token, topic, is_done=True, is_wanted=is_wanted)


@bp.after_request
def _keep_the_secret(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _read(token: str) -> tuple[int, MailTopic]:
    found = read_stop_token(str(current_app.config["SECRET_KEY"]), token)
    user = g.db.get(User, found[0]) if found is not None else None
    # Of somebody who is gone a stranger learns as much as of somebody who never was.
    if found is None or user is None or user.erased_at is not None:
        raise NotFound(
            "This address is not complete. Open the link in the mail once more, or copy all of it."
        )
    return found


def _page(token: str, topic: MailTopic, *, is_done: bool, is_wanted: bool = False) -> str:
    return render_template(
        "mail_wishes/unsubscribe.html",
        token=token,
        words=TOPICS[topic],
        is_done=is_done,
        is_wanted=is_wanted,
    )
