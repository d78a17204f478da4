"""Which mails a person gets: a switch for each topic, the topics of the week, the address."""

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import select

from webinar.domain.mail_wishes import TOPICS, AddressTrouble, MailTopic, WishSource
from webinar.models import FacultyMember
from webinar.services import mail_wishes, topic_tree, troubles
from webinar.web.access import signed_in
from webinar.web.numbers import whole_number

bp = Blueprint("mail_wishes", __name__, url_prefix="/my/mail")

BEFORE = (MailTopic.REMINDER_DAY, MailTopic.REMINDER_HOUR)
AFTER = (MailTopic.RECORDING, MailTopic.RECORDING_CLOSING, MailTopic.CREDIT_REMINDER)


@bp.get("/")
@signed_in
def index() -> ResponseReturnValue:
    """Every switch, what always comes, and what is wrong with the address."""
    trouble = troubles.of_person(g.db, current_user.id)
    return render_template(
        "mail_wishes/index.html",
        groups=[
            ("Before a session", [(one, TOPICS[one]) for one in BEFORE]),
            ("Afterwards", [(one, TOPICS[one]) for one in AFTER]),
            *([("As faculty", [_faculty_switch()])] if _is_faculty() else []),
        ],
        digest=(MailTopic.DIGEST, TOPICS[MailTopic.DIGEST]),
        wishes=mail_wishes.wishes_of(g.db, current_user.id),
        topics=[
            (str(branch.topic.id), branch.topic.name, branch.level)
            for branch in topic_tree.branches(g.db)
        ],
        chosen={str(one) for one in mail_wishes.digest_topics(g.db, current_user.id)},
        trouble=trouble,
        is_complaint=trouble is not None and trouble.trouble is AddressTrouble.COMPLAINED,
        is_held=trouble is not None and trouble.trouble in troubles.HOLDS_BACK,
    )


@bp.post("/")
@signed_in
def save() -> ResponseReturnValue:
    """Keep what changed; switches that were not on the page stay as they are."""
    before = mail_wishes.wishes_of(g.db, current_user.id)
    shown = set(MailTopic) if _is_faculty() else set(MailTopic) - {MailTopic.FACULTY_REMINDER}
    ticked = set(request.form.getlist("wants"))
    for topic in sorted(shown):
        if (is_wanted := topic.value in ticked) != before[topic]:
            mail_wishes.set_wish(
                g.db, current_user.id, topic, is_wanted, source=WishSource.PAGE, now=g.now
            )
    numbers = [whole_number(one) for one in request.form.getlist("topics")]
    mail_wishes.set_digest_topics(g.db, current_user.id, [one for one in numbers if one])
    g.db.commit()
    flash("Your choice of mails is kept.", "success")
    return redirect(url_for("mail_wishes.index"), code=303)


@bp.post("/address")
@signed_in
def mend() -> ResponseReturnValue:
    """The person says that their address works again."""
    troubles.mended(g.db, current_user.id)
    g.db.commit()
    flash(f"We write to {current_user.email} again.", "success")
    return redirect(url_for("mail_wishes.index"), code=303)


def _faculty_switch() -> tuple[MailTopic, object]:
    return MailTopic.FACULTY_REMINDER, TOPICS[MailTopic.FACULTY_REMINDER]


def _is_faculty() -> bool:
    part = select(FacultyMember.id).where(FacultyMember.user_id == current_user.id).limit(1)
    return g.db.scalar(part) is not None
