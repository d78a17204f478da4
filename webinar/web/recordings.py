"""The recording page, inside its window; afterwards the page that says when it closed."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from math import ceil
from urllib.parse import quote

from flask import Blueprint, current_app, g, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import GrantStatus
from webinar.domain.errors import NotFound
from webinar.domain.figures import minutes_and_seconds, plain_credit
from webinar.domain.policy import CreditPolicy
from webinar.domain.recording import RecordingClosed
from webinar.models import AccreditationGrant, WebinarSession
from webinar.services import attendance, recordings, sessions
from webinar.services.recordings import NotRegistered
from webinar.web.access import signed_in

bp = Blueprint("recordings", __name__, url_prefix="/sessions/<public_id>")


@bp.get("/recording")
@signed_in
def show(public_id: str) -> ResponseReturnValue:
    """Watch the recording, with both clocks in words."""
    session = sessions.by_public_id(g.db, public_id)
    recording = recordings.for_session(g.db, session.id)
    if not sessions.visible_to_public(session) or recording is None:
        raise NotFound("There is no recording of this session.")
    try:
        watch = recordings.access(g.db, recording, current_user.id, now=g.now)
    except RecordingClosed as closed:
        page = render_template(
            "errors/410.html",
            session=session,
            closed_at=closed.closed_at,
            session_href=url_for("sessions.show", public_id=public_id),
            extension_href=_ask_for_extension(session),
        )
        return page, 410
    except NotRegistered:
        return render_template("recordings/register_first.html", session=session), 403
    presence = attendance.presence_now(g.db, session, current_user.id, ViewingMode.RECORDED)
    return render_template(
        "recordings/show.html",
        session=session,
        recording=recording,
        watch=watch,
        presence=presence,
        goal=_goal(session, presence.total_seconds),
    )


@dataclass(frozen=True)
class Goal:
    """What watching the recording can still earn, and from how many seconds on."""

    seconds: int
    words: str
    credit_until: datetime | None
    has_test: bool


def _goal(session: WebinarSession, total_seconds: int) -> Goal | None:
    """The nearest recorded credit of the session; None if the recording earns none."""
    grants = g.db.scalars(
        select(AccreditationGrant).where(
            AccreditationGrant.session_id == session.id,
            AccreditationGrant.mode == ViewingMode.RECORDED,
            AccreditationGrant.status == GrantStatus.GRANTED,
        )
    ).all()
    goals = []
    for grant in grants:
        policy = CreditPolicy.from_data(grant.policy.name, grant.policy.version, grant.policy.data)
        seconds = ceil(policy.threshold * total_seconds)
        amount = plain_credit(grant.credits_granted)
        words = f"{amount} {grant.accreditor.short_name} from {minutes_and_seconds(seconds)}"
        goals.append(Goal(seconds, words, grant.credit_until, policy.test_required))
    return min(goals, key=lambda goal: goal.seconds, default=None)


def _ask_for_extension(session: WebinarSession) -> str:
    """A mail to the organisers, begun for the person."""
    sender = parseaddr(current_app.extensions["config"].MAIL_FROM)[1]
    subject = quote(f"More time for the recording: {session.title}")
    return f"mailto:{sender}?subject={subject}"
