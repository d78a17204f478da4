"""Mails that the calendar sends: the week's sessions, reports that are due."""

from dataclasses import replace
from datetime import datetime

from webinar.db import DbSession
from webinar.domain.disclosure import day_in_words
from webinar.domain.letter import DigestFacts, Dropped, ReportFacts
from webinar.domain.mail_days import week_span
from webinar.domain.timezone import to_local
from webinar.models import Delivery, Topic, WebinarSession
from webinar.services import digests, mail_wishes, report_reminders
from webinar.services.writing.facts import Outcome, letter_to, session_facts

LONGEST_DIGEST = 40


def weekly_digest(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    """The sessions of the week."""
    week, zone = delivery.subject_id, delivery.user.zone
    start, end = week_span(week, zone)
    if end <= now:
        return Dropped("the week is over")
    chosen = mail_wishes.digest_topics(db, delivery.user_id)
    found = digests.sessions_of_week(db, week, zone, chosen, now=now)[:LONGEST_DIGEST]
    if not found:
        return Dropped("there is no session of theirs this week")
    taken = digests.taken(db, delivery.user_id, [session.id for session in found])
    names = sorted(db.get_one(Topic, topic_id).name for topic_id in chosen)
    facts = DigestFacts(
        first_at=start,
        sessions=tuple(session_facts(session) for session in found),
        taken=frozenset(session.public_id for session in found if session.id in taken),
        topics=tuple(names),
    )
    return replace(letter_to(delivery), digest=facts)


def report_due(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    """A report that an accreditor waits for."""
    session = db.get_one(WebinarSession, delivery.subject_id)
    if delivery.user_id not in report_reminders.responsible(db, session.society_id):
        return Dropped("the role was taken back")
    waiting = report_reminders.open_of(db, session)
    if not waiting:
        return Dropped("every report is sent")
    due_on = waiting[0].due_on
    facts = ReportFacts(
        bodies=tuple(dict.fromkeys(one.grant.accreditor.short_name for one in waiting)),
        due=day_in_words(due_on),
        is_last_day=to_local(now, session.zone).date() >= due_on,
    )
    return replace(letter_to(delivery, session=session_facts(session)), report=facts)
