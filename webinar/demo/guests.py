"""The faculty of the demonstration: what they sent in, and a page of one of them to try."""

from datetime import datetime, timedelta

from sqlalchemy import select

from webinar.db import DbSession
from webinar.demo.people import MAIL_DOMAIN
from webinar.domain.session import FacultyPart, SessionStatus
from webinar.models import FacultyMember, WebinarSession
from webinar.services import accounts, faculty, faculty_links

INVITED_BEFORE = timedelta(days=5)
# The next one is being prepared; sooner ones are ready.
LEFT_TO_TRY = timedelta(days=2)


def send_in(session: WebinarSession, number: int, *, is_over: bool, now: datetime) -> None:
    """Everybody disclosed; whether they may be recorded, one presenter in three still owes."""
    for member in session.faculty:
        member.invited_at = now - INVITED_BEFORE
        member.disclosed_at = now
        if is_over or number % 3 or member.part is not FacultyPart.PRESENTER:
            member.consented_at = now


def speakers_page(db: DbSession, *, now: datetime) -> str | None:
    """The secret of a new personal address of a presenter to come; the ones before end."""
    member = db.scalar(
        select(FacultyMember)
        .join(WebinarSession, WebinarSession.id == FacultyMember.session_id)
        .where(
            WebinarSession.is_demo,
            WebinarSession.series_id.is_not(None),
            WebinarSession.status == SessionStatus.PUBLISHED,
            WebinarSession.starts_at > now + LEFT_TO_TRY,
            FacultyMember.part == FacultyPart.PRESENTER,
        )
        .order_by(WebinarSession.starts_at, FacultyMember.position)
        .limit(1)
    )
    if member is None:
        return None
    if member.user_id is None:
        # Not one of the people to try: an account that waits, as every new speaker has.
        email = f"speaker-{member.id}@{MAIL_DOMAIN}"
        member.user_id = accounts.waiting_account(db, email, member.name, now=now).id
    bearer = faculty.rows_of(member)[0]
    bearer.links.clear()
    return faculty_links.issue(db, bearer, now=now)
