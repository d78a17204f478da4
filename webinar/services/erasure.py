"""A person leaves: what names them goes, the record of credit stays under a number."""

from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update

from webinar.db import Base, DbSession
from webinar.domain.errors import DomainError
from webinar.models import (
    AttendanceImport,
    AuditEvent,
    CreditDecision,
    Delivery,
    DigestTopic,
    ExtensionRequest,
    FacultyFile,
    FacultyLink,
    FacultyMember,
    Identifier,
    ImportedVisit,
    MailTrouble,
    MailWish,
    Question,
    Registration,
    RoomGuest,
    SeriesRegistration,
    SignInLink,
    User,
    ViewingPass,
    WatchPlace,
    WatchSegment,
    WebinarSession,
    WindowExtension,
)
from webinar.services import accounts, audit, links, passwords, roles
from webinar.services.evidence import chain, forgetting, import_digests

NOBODY = "Somebody who left"
PROVED_WITHIN = timedelta(minutes=15)
DELETE_PATH = "/my/account/delete"
"""Where a link leads that proves, by its mail, who wants the account deleted."""

DELETED: tuple[type[Base], ...] = (
    SignInLink,
    Identifier,
    MailWish,
    DigestTopic,
    MailTrouble,
    Delivery,
    SeriesRegistration,
    Question,
    WatchPlace,
    WindowExtension,
    ExtensionRequest,
)


class NotProved(DomainError):
    """Who asks has not shown that the account is theirs; `field` is where the form says so."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


def ask_for_proof(db: DbSession, user: User, *, now: datetime) -> None:
    """Mail a link that leads to the form with a proof in its address, which nobody else has seen.

    That they are signed in is no proof: somebody may sit at a browser that was left open.
    """
    path = f"{DELETE_PATH}?proof={links.new_token()}"
    accounts.send_deletion_link(db, user, path, now=now)


def is_proved_by_mail(db: DbSession, user_id: int, proof: str, *, now: datetime) -> bool:
    """True if the link that was mailed with this proof was pressed a moment ago."""
    return bool(proof) and (
        db.scalar(
            select(SignInLink.id)
            .where(
                SignInLink.user_id == user_id,
                SignInLink.purpose == links.Purpose.DELETION.value,
                SignInLink.next_path == f"{DELETE_PATH}?proof={proof}",
                SignInLink.used_at > now - PROVED_WITHIN,
            )
            .limit(1)
        )
        is not None
    )


def has_proving_password(db: DbSession, user: User) -> bool:
    """True if a password shows that the account is theirs: it came with the registration.

    One that was added later, whoever sat at an open browser may have chosen, and changed since.
    """
    if user.password_hash is None:
        return False
    added = db.scalar(
        select(AuditEvent.id)
        .where(
            AuditEvent.subject == f"user {user.id}",
            AuditEvent.action == accounts.CHOSEN_LATER,
            # A database may give the number of an account that is gone.
            AuditEvent.at >= user.created_at,
        )
        .limit(1)
    )
    return added is None


def ensure_proved(
    db: DbSession, user: User, *, email: str, password: str, proof: str, now: datetime
) -> None:
    """Raise NotProved unless they typed their e-mail, and their password or came by a link.

    Raises Busy.
    """
    if email.strip().casefold() != user.email:
        raise NotProved("This is not the e-mail of your account.", field="email")
    if is_proved_by_mail(db, user.id, proof, now=now):
        return
    if not has_proving_password(db, user):
        raise NotProved("Ask for the link by mail first, and press its button.", field="email")
    if not passwords.matches(user.password_hash, password):
        raise NotProved("This is not your password.", field="password")


def erase(db: DbSession, user_id: int, *, actor_id: int | None, reason: str, now: datetime) -> User:
    """Erase a person; twice is once. Raises LastAdministrator.

    What becomes of every column stands in `personal_data`.
    """
    user = db.get_one(User, user_id, with_for_update=True, populate_existing=True)
    if user.erased_at is not None:
        return user
    for grant in list(user.grants):
        roles.take_role(
            db, user.id, grant.role, society_id=grant.society_id, actor_id=actor_id, now=now
        )
    _leave_what_is_ahead(db, user.id, now=now)
    _end_passes(db, user.id)
    _leave_the_faculty(db, user.id)
    _leave_rooms(db, user, now=now)
    for table in DELETED:
        own = table.__table__.columns["user_id"] == user.id
        db.execute(delete(table).where(own).execution_options(synchronize_session=False))
    user.email = f"erased-{user.id}@erased.invalid"
    user.name = NOBODY
    user.country = user.profession = ""
    user.zone = "Europe/Zurich"
    user.password_hash = user.feed_token_hash = None
    user.sign_in_generation += 1
    user.verified_at = None
    user.erased_at = now
    db.flush()
    audit.write(
        db,
        actor_id=actor_id,
        action="account erased",
        subject=f"user {user.id}",
        reason=reason,
        now=now,
    )
    return user


def _leave_what_is_ahead(db: DbSession, user_id: int, *, now: datetime) -> None:
    """Places in sessions to come are free for others; past ones count in reports."""
    ended_at = func.coalesce(WebinarSession.actual_ended_at, WebinarSession.ends_at)
    ahead = select(WebinarSession.id).where(ended_at > now)
    db.execute(
        update(Registration)
        .where(
            Registration.user_id == user_id,
            Registration.cancelled_at.is_(None),
            Registration.session_id.in_(ahead),
        )
        .values(cancelled_at=now)
        .execution_options(synchronize_session=False)
    )


def _end_passes(db: DbSession, user_id: int) -> None:
    """Players stop; what was watched stays only where something was decided from it, or is chained.

    A beat under a pass that has no row is refused.
    """
    decided = select(CreditDecision.session_id).where(CreditDecision.user_id == user_id)
    passes = db.scalars(
        select(ViewingPass.id)
        .where(
            ViewingPass.user_id == user_id,
            ViewingPass.frozen_at.is_(None),
            ViewingPass.session_id.not_in(decided),
        )
        .with_for_update()
    ).all()
    if passes:
        db.execute(delete(WatchSegment).where(WatchSegment.pass_id.in_(passes)))
        db.execute(delete(ViewingPass).where(ViewingPass.id.in_(passes)))


def _leave_the_faculty(db: DbSession, user_id: int) -> None:
    """Their ways in end, the photo and the biography go; the programme stays as it was."""
    members = db.scalars(select(FacultyMember.id).where(FacultyMember.user_id == user_id)).all()
    if not members:
        return
    db.execute(delete(FacultyLink).where(FacultyLink.faculty_id.in_(members)))
    # The clock deletes files that no row knows.
    db.execute(
        delete(FacultyFile).where(FacultyFile.faculty_id.in_(members), FacultyFile.kind == "photo")
    )
    db.execute(update(FacultyMember).where(FacultyMember.id.in_(members)).values(biography=""))


def _leave_rooms(db: DbSession, user: User, *, now: datetime) -> None:
    """Names in other programs' reports go; the chain vouches for the report as it is then.

    A report that is being let go for its age goes now: a link after the one that lets it go would
    vouch for rows that are soon gone.
    """
    db.execute(update(RoomGuest).where(RoomGuest.user_id == user.id).values(sealed=None))
    theirs = or_(ImportedVisit.user_id == user.id, func.lower(ImportedVisit.email) == user.email)
    imports = db.scalars(
        select(AttendanceImport)
        .where(AttendanceImport.id.in_(select(ImportedVisit.import_id).where(theirs)))
        .order_by(AttendanceImport.session_id, AttendanceImport.id)
    ).all()
    db.execute(
        update(ImportedVisit)
        .where(theirs)
        .values(name=NOBODY, email="", remote_id="")
        .execution_options(synchronize_session=False)
    )
    for file in imports:
        chain.hold(db, file.session_id)
        if forgetting.lets_go(db, file):
            forgetting.forget_import(db, file)
        else:
            chain.append(db, file.session_id, [import_digests.link(db, file)], now=now)
