"""People are asked by mail to take up a role: invited, asked again, or not any more."""

from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.errors import Conflict
from webinar.domain.letter import MailKind
from webinar.domain.person import NAME_LETTERS, FormRefused, one_line
from webinar.models import SignInLink, User, UserRole
from webinar.services import accounts, audit, deliveries, links, roles
from webinar.services.links import Purpose


class HeldAlready(Conflict):
    """The person has this role there."""


class CameAlready(Conflict):
    """The person has proved their e-mail: there is no invitation to send or to withdraw."""


def invite(
    db: DbSession,
    *,
    email: str,
    name: str,
    role: Role,
    society_id: int | None,
    actor_id: int | None,
    now: datetime,
) -> User:
    """Give a role to whoever has this e-mail, known or not, and tell them by mail.

    Raises FormRefused, OutOfReach, HeldAlready.
    """
    problems: dict[str, str] = {}
    name = one_line(name)
    if len(name) not in NAME_LETTERS or not any(letter.isalpha() for letter in name):
        problems["name"] = "Give their name as it goes on a certificate, up to 200 letters."
    try:
        accounts.email_key(email)
    except FormRefused:
        problems["email"] = "Check their e-mail: it looks like name@hospital.org."
    if problems:
        raise FormRefused(problems)
    roles.ensure_reach(role, society_id)
    user = accounts.waiting_account(db, email, name, now=now)
    return give(db, user.id, role, society_id=society_id, actor_id=actor_id, now=now)


def give(
    db: DbSession,
    user_id: int,
    role: Role,
    *,
    society_id: int | None,
    actor_id: int | None,
    now: datetime,
) -> User:
    """Give a role and tell the person by mail; raises OutOfReach, HeldAlready.

    Who never proved their e-mail gets a link that does, once, for seven days.
    """
    roles.ensure_reach(role, society_id)
    user = db.get_one(User, user_id)
    if any(one.role is role and one.society_id == society_id for one in user.grants):
        raise HeldAlready(f"{user.name} has this role there already.")
    roles.give_role(db, user.id, role, society_id=society_id, actor_id=actor_id, now=now)
    _tell(db, user, _latest(user), actor_id=actor_id, now=now)
    return user


def resend(db: DbSession, user_id: int, *, actor_id: int | None, now: datetime) -> User:
    """Send the invitation again with a new link; the old one ends. Raises CameAlready."""
    user = _waiting(db, user_id)
    _end(db, user, because="invited again", now=now)
    _tell(db, user, _latest(user), actor_id=actor_id, now=now)
    audit.write(
        db, actor_id=actor_id, action="invitation repeated", subject=f"user {user.id}", now=now
    )
    return user


def withdraw(db: DbSession, user_id: int, *, actor_id: int | None, now: datetime) -> User:
    """Take back every role of a person who has not come yet, and end the link.

    Raises CameAlready. The account stays: a session may name it as faculty.
    """
    user = _waiting(db, user_id)
    _end(db, user, because="the invitation was withdrawn", now=now)
    for grant in list(user.grants):
        roles.take_role(
            db, user.id, grant.role, society_id=grant.society_id, actor_id=actor_id, now=now
        )
    audit.write(
        db, actor_id=actor_id, action="invitation withdrawn", subject=f"user {user.id}", now=now
    )
    return user


def _waiting(db: DbSession, user_id: int) -> User:
    user = db.get_one(User, user_id)
    if user.verified_at is not None:
        raise CameAlready(f"{user.name} has come already. Give or take roles instead.")
    if not user.grants:
        raise CameAlready(f"{user.name} has no role to be invited to. Give one first.")
    return user


def _latest(user: User) -> UserRole:
    return max(user.grants, key=lambda grant: grant.id)


def _tell(
    db: DbSession, user: User, grant: UserRole, *, actor_id: int | None, now: datetime
) -> None:
    actor = db.get(User, actor_id) if actor_id is not None else None
    details = {"given_by": actor.name} if actor else {}
    if user.verified_at is None:
        where = "/manage/" if user.is_staff else "/my/"
        _, token = links.issue(db, user, Purpose.INVITATION, next_path=where, now=now)
        details["token"] = token
    kind = MailKind.ROLE_INVITED
    deliveries.queue(
        db,
        kind,
        user_id=user.id,
        subject_id=grant.id,
        revision=deliveries.next_revision(db, kind, user_id=user.id, subject_id=grant.id),
        due_at=now,
        details=details,
        now=now,
    )


def _end(db: DbSession, user: User, *, because: str, now: datetime) -> None:
    for grant in user.grants:
        deliveries.drop(
            db,
            MailKind.ROLE_INVITED,
            subject_id=grant.id,
            user_id=user.id,
            because=because,
        )
    unused = (
        select(SignInLink)
        .where(SignInLink.user_id == user.id)
        .where(SignInLink.purpose == Purpose.INVITATION.value)
        .where(SignInLink.used_at.is_(None))
    )
    for link in db.scalars(unused):
        link.used_at = now
