"""Roles beyond taking part: given and taken, never the last administrator's."""

from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.access import GIVEN_BY_HAND, REACH, ROLE_NAMES, Reach, Role
from webinar.domain.errors import DomainError
from webinar.models import Society, User, UserRole
from webinar.services import accounts, audit


class LastAdministrator(DomainError):
    """Somebody must be left who can give roles."""

    status = 409


class OutOfReach(DomainError):
    """The role is not given there."""


def ensure_reach(role: Role, society_id: int | None) -> None:
    """Raise OutOfReach unless the table of roles lets it be given there by hand."""
    name = ROLE_NAMES[role]
    if role not in GIVEN_BY_HAND:
        raise OutOfReach(f"{name} is nobody's to give: name the person as faculty of a session.")
    if society_id is None and REACH[role] is Reach.ONE_SOCIETY:
        raise OutOfReach(f"{name} is given for one society. Choose which.")
    if society_id is not None and REACH[role] is Reach.EVERYWHERE:
        raise OutOfReach(f"{name} is given everywhere, not for one society.")


def give_role(
    db: DbSession,
    user_id: int,
    role: Role,
    *,
    actor_id: int | None,
    now: datetime,
    society_id: int | None = None,
) -> User:
    """Trust a person with a role for one society, or everywhere (None); raises OutOfReach.

    Twice is once. Everybody takes part anyway.
    """
    user = _locked(db, user_id)
    if role is Role.PARTICIPANT or _grants(user, role, society_id):
        return user
    if society_id is not None:
        ensure_reach(role, society_id)
    accounts.forget_unproved_password(user)
    user.grants.append(UserRole(role=role, society_id=society_id))
    _write_roles(db, user, role, society_id, actor_id=actor_id, action="role given", now=now)
    return user


def take_role(
    db: DbSession,
    user_id: int,
    role: Role,
    *,
    actor_id: int | None,
    now: datetime,
    society_id: int | None = None,
) -> User:
    """Take a role away where it was given: for one society, or everywhere (None).

    Raises LastAdministrator.
    """
    user = _locked(db, user_id)
    grants = _grants(user, role, society_id)
    if not grants:
        return user
    if role is Role.ADMINISTRATOR and not _other_administrator(db, user):
        raise LastAdministrator("Make somebody else an administrator first.")
    for grant in grants:
        user.grants.remove(grant)
    _write_roles(db, user, role, society_id, actor_id=actor_id, action="role taken", now=now)
    return user


def _locked(db: DbSession, user_id: int) -> User:
    """The person, nobody else giving or taking: a grant for all societies no index keeps single."""
    db.flush()
    return db.get_one(User, user_id, with_for_update=True, populate_existing=True)


def _grants(user: User, role: Role, society_id: int | None) -> list[UserRole]:
    return [one for one in user.grants if one.role is role and one.society_id == society_id]


def _other_administrator(db: DbSession, user: User) -> bool:
    """True if another one can sign in: an invited one who never came is nobody's way back."""
    other = (
        select(UserRole.user_id)
        .join(User, User.id == UserRole.user_id)
        .where(UserRole.role == Role.ADMINISTRATOR)
        .where(UserRole.user_id != user.id)
        .where(User.erased_at.is_(None))
        .where(User.verified_at.is_not(None))
        .limit(1)
        .with_for_update(of=UserRole)
    )
    return db.scalar(other) is not None


def _write_roles(
    db: DbSession,
    user: User,
    role: Role,
    society_id: int | None,
    *,
    actor_id: int | None,
    action: str,
    now: datetime,
) -> None:
    society = db.get_one(Society, society_id).slug if society_id is not None else "everywhere"
    db.flush()
    audit.write(
        db,
        actor_id=actor_id,
        action=action,
        subject=f"user {user.id}",
        after={"role": role, "society": society, "roles": sorted(user.roles)},
        now=now,
    )
