"""Mails for organisers: what was sent to whom and what became of it, and how every kind looks."""

from urllib.parse import urlencode

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.mail_log import KIND_NAMES, MailState
from webinar.domain.mail_wishes import AddressTrouble
from webinar.services import mail_log, sessions, troubles
from webinar.web.access import requires
from webinar.web.manage import scope
from webinar.web.manage.blueprint import bp
from webinar.web.manage.states import Mark
from webinar.web.numbers import whole_number

PAGE_SIZE = 50
PEOPLE_SHOWN = 30
LOST_SHOWN = 100
MARKS: dict[MailState, Mark] = {
    MailState.WAITING: Mark("opens", "Waits"),
    MailState.SENT: Mark("credit", "Sent"),
    MailState.RETURNED: Mark("cancelled", "Came back"),
    MailState.GIVEN_UP: Mark("cancelled", "Given up"),
    MailState.DROPPED: Mark("closed", "Not needed"),
}


@bp.get("/mails/")
@requires(Action.PLAN_SESSIONS)
def mails() -> ResponseReturnValue:
    """What did not arrive lately; with words in the address, whose name or mail has them."""
    words = request.args.get("words", "").strip()
    societies = scope.society_ids()
    found = mail_log.people(g.db, societies, words=words, limit=PEOPLE_SHOWN + 1) if words else []
    return render_template(
        "manage/mails.html",
        words=words,
        people=found[:PEOPLE_SHOWN],
        are_more=len(found) > PEOPLE_SHOWN,
        entries=mail_log.lost(g.db, societies, now=g.now, limit=LOST_SHOWN),
        marks=MARKS,
        kind_names=KIND_NAMES,
    )


@bp.get("/mails/people/<int:user_id>")
@requires(Action.PLAN_SESSIONS)
def mails_person(user_id: int) -> ResponseReturnValue:
    """What one person was sent about sessions of the reader's societies, the latest first."""
    societies = scope.society_ids()
    user = mail_log.person(g.db, societies, user_id)
    number = max(1, whole_number(request.args.get("page", "")) or 1)
    entries = mail_log.of_person(
        g.db, societies, user_id, limit=PAGE_SIZE + 1, offset=(number - 1) * PAGE_SIZE
    )
    trouble = troubles.of_person(g.db, user_id)
    return render_template(
        "manage/mails_person.html",
        user=user,
        entries=entries[:PAGE_SIZE],
        is_limited=societies is not None,
        trouble=trouble,
        is_complaint=trouble is not None and trouble.trouble is AddressTrouble.COMPLAINED,
        is_held=trouble is not None and trouble.trouble in troubles.HOLDS_BACK,
        marks=MARKS,
        kind_names=KIND_NAMES,
        newer=_page_of(user_id, number - 1) if number > 1 else "",
        older=_page_of(user_id, number + 1) if len(entries) > PAGE_SIZE else "",
    )


@bp.get("/sessions/<public_id>/mails")
@requires(Action.PLAN_SESSIONS)
def session_mails(public_id: str) -> ResponseReturnValue:
    """What was written about one session, counted by kind, and what nobody got."""
    session = sessions.by_public_id(g.db, public_id)
    return render_template(
        "manage/session_mails.html",
        session=session,
        tallies=mail_log.tallies(g.db, session),
        reasons=mail_log.reasons(g.db, session),
        entries=mail_log.lost(
            g.db, scope.society_ids(), now=g.now, limit=LOST_SHOWN, session_id=session.id
        ),
        states=list(MailState),
        marks=MARKS,
        kind_names=KIND_NAMES,
    )


@bp.post("/mails/<int:delivery_id>/again")
@requires(Action.PLAN_SESSIONS)
def mail_again(delivery_id: int) -> ResponseReturnValue:
    """Try a mail anew that nobody got."""
    delivery = mail_log.send_again(
        g.db, scope.society_ids(), delivery_id, actor_id=current_user.id, now=g.now
    )
    g.db.commit()
    flash(f"The mail to {delivery.user.email} leaves again, if it is still wanted.", "success")
    return redirect(url_for("manage.mails_person", user_id=delivery.user_id), code=303)


def _page_of(user_id: int, number: int) -> str:
    return f"{url_for('manage.mails_person', user_id=user_id)}?{urlencode({'page': number})}"
