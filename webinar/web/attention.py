"""“Are you still there?”: put to who watches by the question their player asks, and answered."""

from flask import Blueprint, current_app, g, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import Reason
from webinar.domain.errors import NotFound
from webinar.models import WebinarSession
from webinar.services import credits, sessions
from webinar.services.attendance import Presence
from webinar.services.evidence import checks
from webinar.services.evidence.checks import Watching, seen_until
from webinar.web.access import signed_in
from webinar.web.guards import limiter

bp = Blueprint("attention", __name__, url_prefix="/sessions/<public_id>/checks")


def check_for(
    session: WebinarSession, mode: ViewingMode, presence: Presence
) -> dict[str, object] | None:
    """What the page of a person who watches now shows; None: nothing. Commits what was put."""
    watching = Watching(current_user.id, mode, presence.counted_seconds, presence.total_seconds)
    secret = current_app.config["SECRET_KEY"].encode()
    check = checks.open_check(g.db, session, watching, secret=secret, now=g.now)
    if check is None:
        return None
    g.db.commit()
    return {
        "id": check.id,
        "url": url_for("attention.answer", public_id=session.public_id, check_id=check.id),
        "seconds": int((seen_until(check) - g.now).total_seconds()),
    }


@bp.post("/<check_id>")
@signed_in
@limiter.limit("30 per minute")
def answer(public_id: str, check_id: str) -> ResponseReturnValue:
    """Keep that the person is there; a decision that only waited for it follows."""
    session = sessions.by_public_id(g.db, public_id)
    if not sessions.visible_to_public(session):
        raise NotFound("There is no such session.")
    checks.answer(g.db, session.id, current_user.id, check_id, now=g.now)
    missing = [
        decision
        for decision in credits.latest_of(g.db, session.id, current_user.id)
        if decision.reason is Reason.CHECKS_MISSING
    ]
    if missing:
        credits.decide_person(
            g.db,
            session.id,
            current_user.id,
            public_url=current_app.config["PUBLIC_URL"],
            now=g.now,
        )
    g.db.commit()
    return {"words": "Thank you. It is noted that you are here."}
