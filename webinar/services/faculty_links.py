"""Personal addresses of the faculty: made, mailed, looked up, ended; and reminders of what is owed.

A secret names the account it was made for, and its hash covers that: when the organiser gives a
part to somebody else, the addresses of the person before end by themselves. Secrets of accounts
are only ever mailed, so whoever holds one has the mailbox. It also names how often the person has
ended their sign-ins: after that it opens their page, but signs nobody in any more.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from webinar.db import DbSession
from webinar.domain.errors import Conflict, Gone, NotAllowed
from webinar.domain.faculty import LINK_LASTS, REMINDER_DAYS, reminder_due
from webinar.domain.letter import MailKind
from webinar.domain.session import SessionStatus
from webinar.models import Delivery, FacultyLink, FacultyMember, User, WebinarSession
from webinar.services import audit, deliveries, faculty, links

STILL_TO_COME = (SessionStatus.DRAFT, SessionStatus.PUBLISHED)
OPEN_STUDIO = (*STILL_TO_COME, SessionStatus.LIVE)
# Reminders by hand are counted from here; below are the clock's, by days before the session.
BY_HAND = 100


class LinkEnded(Gone):
    """The address is too old, was replaced, or never was one; a stranger learns no more."""


class NoEmail(Conflict):
    """Nobody can be written to without an e-mail."""


class SignInFirst(NotAllowed):
    """An account that may do more than take part is not opened by a link that lasts for weeks."""


@dataclass(frozen=True)
class Reminder:
    """Whom to remind, and how many days before the session that is."""

    member_id: int
    days: int


def issue(db: DbSession, member: FacultyMember, *, now: datetime) -> str:
    """A new personal address; gives its secret, which is not kept."""
    user = db.get(User, member.user_id) if member.user_id is not None else None
    generation = user.sign_in_generation if user is not None else 0
    token = f"{member.user_id or 0}.{generation}.{links.new_token()}"
    member.links.append(
        FacultyLink(
            token_hash=links.hash_of(token),
            created_at=now,
            expires_at=member.session.ends_at + LINK_LASTS,
        )
    )
    db.flush()
    return token


def look_up(db: DbSession, token: str, *, now: datetime) -> FacultyMember:
    """The member whose address this is; raises LinkEnded."""
    link = db.scalar(select(FacultyLink).where(FacultyLink.token_hash == links.hash_of(token)))
    member = None
    if link is not None:
        member = db.get(FacultyMember, link.faculty_id, populate_existing=True)
    if (
        link is None
        or member is None
        or token.partition(".")[0] != str(member.user_id or 0)
        # A session that was moved takes its addresses along.
        or now >= max(link.expires_at, member.session.ends_at + LINK_LASTS)
    ):
        raise LinkEnded(
            "This personal address is too old, or a newer one took its place. "
            "Look for the latest mail, or ask the organiser for a new address."
        )
    return member


def invite(db: DbSession, member_id: int, *, actor_id: int, now: datetime) -> None:
    """Mail the person their address; again is a new mail. Raises NoEmail, Conflict."""
    _write(db, _to_write_to(db, member_id), MailKind.FACULTY_INVITED, actor_id=actor_id, now=now)


def invite_all(db: DbSession, session: WebinarSession, *, actor_id: int, now: datetime) -> int:
    """Invite everybody with an e-mail who was not invited yet; how many."""
    waiting = [
        rows[0]
        for rows in faculty.people_of(session)
        if rows[0].user_id is not None and rows[0].invited_at is None
    ]
    for member in waiting:
        invite(db, member.id, actor_id=actor_id, now=now)
    return len(waiting)


def remind(db: DbSession, member_id: int, *, actor_id: int, now: datetime) -> None:
    """Remind the person now of what is missing; raises NoEmail, Conflict."""
    member = _to_write_to(db, member_id)
    if not faculty.missing_of(faculty.rows_of(member), now=now):
        raise Conflict(f"Everything of {member.name} is in. Nobody needs to be reminded.")
    _write(db, member, MailKind.FACULTY_REMINDER, actor_id=actor_id, now=now)


def replace(db: DbSession, member_id: int, *, actor_id: int, now: datetime) -> str | None:
    """End every address of the person and make a new one; raises Conflict.

    It is mailed. Gives the secret only where there is no account to mail it to: then the organiser
    hands it over, and it signs nobody in.
    """
    member = _ready_to_write(db, member_id)
    for row in faculty.rows_of(member):
        row.links.clear()
        for kind in (MailKind.FACULTY_INVITED, MailKind.FACULTY_REMINDER):
            deliveries.drop(db, kind, subject_id=row.id, because="a newer address was made")
    db.flush()
    if member.user_id is not None:
        _write(db, member, MailKind.FACULTY_INVITED, actor_id=actor_id, now=now)
        return None
    member.invited_at = now
    _note(db, member, "personal address made", actor_id=actor_id, now=now)
    return issue(db, member, now=now)


def sign_in(db: DbSession, member: FacultyMember, token: str, *, now: datetime) -> User:
    """The person who holds this mailed address, proved and fit to be signed in.

    Raises SignInFirst for accounts with a role and for those whose sign-ins were ended since the
    address was made, Conflict when there is nothing to broadcast.
    """
    user = None
    if member.user_id is not None:
        user = db.get(User, member.user_id, with_for_update=True, populate_existing=True)
    if user is None or user.erased_at is not None:
        raise Conflict(
            "There is no account for you here yet. Ask the organiser to add your e-mail."
        )
    if member.session.status not in OPEN_STUDIO:
        raise Conflict("The session is over or cancelled: there is nothing to broadcast.")
    if user.grants:
        raise SignInFirst("Your account may do more than take part. Sign in the ordinary way.")
    if not token.startswith(f"{user.id}.{user.sign_in_generation}."):
        raise SignInFirst("You have signed out everywhere since. Sign in the ordinary way.")
    if user.verified_at is None:
        user.verified_at = now
        # Whoever chose a password before had not proved the e-mail.
        user.password_hash = None
    audit.write(
        db,
        actor_id=user.id,
        action="signed in by personal address",
        subject=f"user {user.id}",
        after={"session": member.session_id},
        now=now,
    )
    return user


def reminders_due(db: DbSession, *, now: datetime) -> list[Reminder]:
    """Who was invited, still owes something and has not had the reminder of these days."""
    members = db.scalars(
        select(FacultyMember)
        .join(WebinarSession, WebinarSession.id == FacultyMember.session_id)
        .where(
            WebinarSession.status.in_(STILL_TO_COME),
            WebinarSession.starts_at > now,
            WebinarSession.starts_at <= now + timedelta(days=max(REMINDER_DAYS)),
            FacultyMember.invited_at.is_not(None),
            FacultyMember.user_id.is_not(None),
        )
        .order_by(FacultyMember.id)
        .options(
            contains_eager(FacultyMember.session)
            .selectinload(WebinarSession.faculty)
            .selectinload(FacultyMember.files)
        )
    ).unique()
    due = []
    for member in members:
        rows = faculty.rows_of(member)
        if rows[0] is not member or member.invited_at is None:
            continue
        days = reminder_due(
            starts_at=member.session.starts_at, invited_at=member.invited_at, now=now
        )
        if days is not None and faculty.missing_of(rows, now=now):
            due.append(Reminder(member.id, days))
    sent = _already_reminded(db, [one.member_id for one in due])
    return [one for one in due if one not in sent]


def remind_by_clock(db: DbSession, reminder: Reminder, *, now: datetime) -> None:
    """Owe the mail; once for each of the days, whatever happens in between."""
    if reminder in _already_reminded(db, [reminder.member_id]):
        return
    member = db.get(FacultyMember, reminder.member_id)
    if member is None or member.user_id is None:
        return
    _queue(db, member, MailKind.FACULTY_REMINDER, revision=reminder.days, now=now)


def _already_reminded(db: DbSession, member_ids: list[int]) -> set[Reminder]:
    rows = db.execute(
        select(Delivery.subject_id, Delivery.revision).where(
            Delivery.kind == MailKind.FACULTY_REMINDER.value, Delivery.subject_id.in_(member_ids)
        )
    )
    return {Reminder(subject_id, revision) for subject_id, revision in rows}


def _to_write_to(db: DbSession, member_id: int) -> FacultyMember:
    member = _ready_to_write(db, member_id)
    if member.user_id is None:
        raise NoEmail(
            f"There is no e-mail for {member.name} yet. Add it on the page of the session."
        )
    return member


def _ready_to_write(db: DbSession, member_id: int) -> FacultyMember:
    """The row that bears the person's links, if there is still something to write about."""
    member = faculty.rows_of(db.get_one(FacultyMember, member_id))[0]
    if member.session.status is SessionStatus.CANCELLED:
        raise Conflict("The session is cancelled. Restore it before you write to its faculty.")
    return member


def _write(
    db: DbSession, member: FacultyMember, kind: MailKind, *, actor_id: int, now: datetime
) -> None:
    user_id = _user_of(member)
    revision = deliveries.next_revision(db, kind, user_id=user_id, subject_id=member.id)
    if kind is MailKind.FACULTY_REMINDER:
        revision = max(revision, BY_HAND)
    else:
        for row in faculty.rows_of(member):
            row.invited_at = now
    _queue(db, member, kind, revision=revision, now=now)
    said = {
        MailKind.FACULTY_INVITED: "faculty invited",
        MailKind.FACULTY_REMINDER: "faculty reminded",
    }
    _note(db, member, said[kind], actor_id=actor_id, now=now)


def _queue(
    db: DbSession, member: FacultyMember, kind: MailKind, *, revision: int, now: datetime
) -> None:
    deliveries.queue(
        db,
        kind,
        user_id=_user_of(member),
        subject_id=member.id,
        due_at=now,
        revision=revision,
        details={"token": issue(db, member, now=now)},
        now=now,
    )


def _user_of(member: FacultyMember) -> int:
    if member.user_id is None:
        raise ValueError(f"member {member.id} has no account to write to")
    return member.user_id


def _note(
    db: DbSession, member: FacultyMember, action: str, *, actor_id: int, now: datetime
) -> None:
    audit.write(
        db,
        actor_id=actor_id,
        action=action,
        subject=f"session {member.session_id}",
        after={"person": member.name, "member": member.id},
        now=now,
    )
