"""Roles beyond taking part: given and taken, never the last administrator's."""

from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.errors import DomainError
from webinar.models import User, UserRole
from webinar.services import audit


class LastAdministrator(DomainError):
    """Somebody must be left who can give roles."""

    status = 409


def give_role(
    db: DbSession, user_id: int, role: Role, *, actor_id: int | None, now: datetime
) -> User:
    """Trust a person with a role; twice is once. Everybody takes part anyway."""
    user = db.get_one(User, user_id)
    if role is Role.PARTICIPANT or role in user.roles:
        return user
    user.grants.append(UserRole(role=role))
    _write_roles(db, user, actor_id=actor_id, action="role given", role=role, now=now)
    return user


def take_role(
    db: DbSession, user_id: int, role: Role, *, actor_id: int | None, now: datetime
) -> User:
    """Take a role away; raises LastAdministrator."""
    user = db.get_one(User, user_id)
    if role is Role.PARTICIPANT or role not in user.roles:
        return user
    if role is Role.ADMINISTRATOR and not _other_administrator(db, user):
        raise LastAdministrator("Make somebody else an administrator first.")
    user.grants = [grant for grant in user.grants if grant.role is not role]
    _write_roles(db, user, actor_id=actor_id, action="role taken", role=role, now=now)
    return user


def _other_administrator(db: DbSession, user: User) -> bool:
    other = (
        select(UserRole.user_id)
        .join(User, User.id == UserRole.user_id)
        .where(UserRole.role == Role.ADMINISTRATOR)
        .where(UserRole.user_id != user.id)
        .where(User.erased_at.is_(None))
        .limit(1)
    )
    return db.scalar(other) is not None


def _write_roles(
    db: DbSession, user: User, *, actor_id: int | None, action: str, role: Role, now: datetime
) -> None:
    audit.write(
        db,
        actor_id=actor_id,
        action=action,
        subject=f"user {user.id}",
        after={"role": role, "roles": sorted(user.roles)},
        now=now,
    )
