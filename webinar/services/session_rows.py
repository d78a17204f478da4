"""The row of a session: found under lock, filled from what an organiser said."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import or_, select

from webinar.db import DbSession
from webinar.domain.errors import DomainError
from webinar.domain.session import ChangedMeanwhile, InThePast, SessionStatus, TimeIsFixed
from webinar.domain.session_details import FacultyDetails, SessionDetails
from webinar.domain.span import Span
from webinar.domain.wording import local_moment
from webinar.models import AudienceGroup, FacultyMember, Society, WebinarSession
from webinar.services import accounts, announcements, faculty, topics
from webinar.services.feeds import CalendarTool
from webinar.services.session_facts import details_of

TIME_MAY_CHANGE = frozenset({SessionStatus.DRAFT, SessionStatus.PUBLISHED})
# Letters and digits that cannot be taken for one another when read aloud.
PUBLIC_ID_SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"
PUBLIC_ID_LENGTH = 8


class UnknownAudience(DomainError):
    """No group of members has this name."""


def new_public_id() -> str:
    """Eight random signs: enough that nobody finds a draft by guessing."""
    return "".join(secrets.choice(PUBLIC_ID_SIGNS) for _ in range(PUBLIC_ID_LENGTH))


def locked(db: DbSession, session_id: int, *, seen_revision: int | None = None) -> WebinarSession:
    """The session, nobody else changing it meanwhile.

    Raises ChangedMeanwhile if somebody did since `seen_revision` was read.
    """
    session = db.get_one(WebinarSession, session_id, with_for_update=True, populate_existing=True)
    if seen_revision is not None and seen_revision != session.revision:
        raise ChangedMeanwhile(
            "Somebody else changed this session while you were editing it. "
            "Compare both versions, and choose what it is to say."
        )
    return session


def new_draft(
    society: Society, span: Span[datetime], zone: str, *, calendar: CalendarTool, now: datetime
) -> WebinarSession:
    """A row that says nothing yet but when; it is not added to the database."""
    public_id = new_public_id()
    return WebinarSession(
        public_id=public_id,
        society_id=society.id,
        starts_at=span.start,
        ends_at=span.end,
        zone=zone,
        status=SessionStatus.DRAFT,
        revision=0,
        ical_uid=f"session-{public_id}@{calendar.calendar_domain}",
        ical_changed_at=now,
        created_at=now,
        topics=[],
        audience=[],
        faculty=[],
    )


def place(
    db: DbSession, session: WebinarSession, span: Span[datetime], zone: str, *, now: datetime
) -> None:
    """Put the session there, if it is not there and may still be moved.

    It says where it was moved from, as long as people know of that: moved there and back within
    the grace, it was never moved. Raises TimeIsFixed, InThePast.
    """
    if (span, zone) == (session.span, session.zone):
        return
    if session.status not in TIME_MAY_CHANGE:
        raise TimeIsFixed(f"The time of a session that is {session.status} can no longer change.")
    if session.status is SessionStatus.PUBLISHED:
        if span.start <= now:
            raise InThePast(f"{local_moment(span.start, zone)} is over. Choose a time to come.")
        known = announcements.told_of_last(db, session, now=now).starts_at
        if span.start != session.starts_at:
            session.moved_from = None if known == span.start else known
    session.starts_at, session.ends_at, session.zone = span.start, span.end, zone


def put_words(
    db: DbSession, session: WebinarSession, details: SessionDetails, *, now: datetime
) -> None:
    """Let the row say everything in the details but the time; what is equal is left alone.

    Raises UnusableTopic, UnknownAudience, FormRefused for an e-mail that is none.
    """
    session.title = details.title.strip()
    session.abstract = details.abstract.strip()
    session.objectives = details.objectives.strip()
    session.language = details.language
    session.level = details.level
    if set(details.topics) != {topic.name for topic in session.topics}:
        session.topics = topics.named(db, details.topics)
    if set(details.audience) != {group.name for group in session.audience}:
        session.audience = _groups(db, details.audience)
    if details.faculty != details_of(session).faculty:
        _put_faculty(db, session, details.faculty, now=now)


def _groups(db: DbSession, names: Iterable[str]) -> list[AudienceGroup]:
    groups = {}
    for name in (" ".join(name.split()) for name in names):
        group = db.scalars(
            select(AudienceGroup)
            .where(or_(AudienceGroup.name == name, AudienceGroup.slug == name))
            .order_by(AudienceGroup.id)
            .limit(1)
        ).one_or_none()
        if group is None:
            raise UnknownAudience(f"There is no group of members called {name!r}. Add it first.")
        groups[group.id] = group
    return list(groups.values())


def _put_faculty(
    db: DbSession, session: WebinarSession, said: Sequence[FacultyDetails], *, now: datetime
) -> None:
    """Change members in place: their links, files and disclosure forms hang on the rows."""
    accounts_said = [_account(db, member, now=now) for member in said]
    rows = _matched(session.faculty, said, accounts_said)
    session.faculty = [
        _filled(row or FacultyMember(), member, user_id, position)
        for position, (row, member, user_id) in enumerate(
            zip(rows, said, accounts_said, strict=True)
        )
    ]


def _account(db: DbSession, member: FacultyDetails, *, now: datetime) -> int | None:
    if not member.email.strip():
        return member.user_id
    return accounts.waiting_account(db, member.email, member.name, now=now).id


def _matched(
    rows: Sequence[FacultyMember], said: Sequence[FacultyDetails], user_ids: Sequence[int | None]
) -> list[FacultyMember | None]:
    """For each member the row it is, found by id, else by account, else by name and part."""
    free = list(rows)
    found: list[FacultyMember | None] = [None] * len(said)

    def match(number: int, fits: list[FacultyMember]) -> None:
        if found[number] is None and fits:
            found[number] = fits[0]
            free.remove(fits[0])

    for number, member in enumerate(said):
        match(number, [row for row in free if member.id is not None and row.id == member.id])
    for number, member in enumerate(said):
        theirs = [row for row in free if row.user_id == user_ids[number] is not None]
        in_this_part = [row for row in theirs if row.part is member.part]
        match(number, in_this_part or theirs)
    for number, member in enumerate(said):
        name = member.name.strip()
        match(number, [row for row in free if (row.name, row.part) == (name, member.part)])
    return found


def _filled(
    row: FacultyMember, member: FacultyDetails, user_id: int | None, position: int
) -> FacultyMember:
    name, disclosure = member.name.strip(), member.disclosure.strip()
    # An e-mail that is added or mistyped is the same person's; another account is somebody else's.
    if row.user_id is not None and user_id != row.user_id and (user_id or name != row.name):
        if row.disclosure_form is not None and disclosure == row.disclosure:
            disclosure = ""
        faculty.start_anew(row)
    if row.user_id != user_id:
        # Confirmed for an account, so also lost where the same person gets another one.
        row.presented_minutes, row.is_repeat = None, False
    row.part = member.part
    row.name = name
    row.affiliation = member.affiliation.strip()
    row.disclosure = disclosure
    row.user_id = user_id
    row.position = position
    return row
