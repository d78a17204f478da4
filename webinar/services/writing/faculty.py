"""Mails to the faculty: what they are asked for, and where to give it."""

from datetime import datetime

from webinar.db import DbSession
from webinar.domain.disclosure import day_in_words
from webinar.domain.letter import Dropped, FacultyFacts, Letter, OwedFacts
from webinar.domain.session import SessionStatus
from webinar.domain.timezone import to_local
from webinar.models import Delivery, FacultyMember
from webinar.services import announcements, faculty
from webinar.services.writing.facts import Outcome, given_up, letter_to, session_facts


def faculty_invited(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    """What a member of the faculty is asked for, with their address for it."""
    if (no := given_up(delivery)) is not None:
        return no
    member = db.get(FacultyMember, delivery.subject_id)
    token = str(delivery.details.get("token", ""))
    if member is None or member.user_id != delivery.user_id:
        return Dropped("the person is not of the faculty any more")
    session = member.session
    if session.status is SessionStatus.CANCELLED:
        return Dropped(announcements.CANCELLED)
    if session.ends_at <= now or session.status is SessionStatus.ENDED:
        return Dropped("the session is over")
    if not token:
        return Dropped("a newer address was made")
    rows = faculty.rows_of(member)
    today = to_local(now, session.zone).date()
    facts = FacultyFacts(
        token=token,
        parts=tuple(dict.fromkeys(row.part.value for row in rows)),
        missing=tuple(
            OwedFacts(words=one.words, due=day_in_words(one.due_on), is_late=one.due_on < today)
            for one in faculty.missing_of(rows, now=now)
        ),
    )
    return letter_to(delivery, session=session_facts(session), faculty=facts)


def faculty_reminder(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    """What is still missing of it."""
    outcome = faculty_invited(db, delivery, now)
    if isinstance(outcome, Letter) and outcome.faculty is not None and not outcome.faculty.missing:
        return Dropped("nothing is missing any more")
    return outcome
