"""Who is trusted with what, where: read for administrators, a fixed number of queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select

from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.errors import NotFound
from webinar.models import Society, User, UserRole
from webinar.services import links
from webinar.services.links import Purpose


@dataclass(frozen=True)
class Held:
    """A role and where it holds: `society` is None for everywhere."""

    role: Role
    society: Society | None

    @property
    def society_id(self) -> int | None:
        return self.society.id if self.society else None


@dataclass(frozen=True)
class Person:
    """Somebody with what they are trusted with. `invited_until`: of an invitation not used yet."""

    user: User
    held: tuple[Held, ...]
    invited_until: datetime | None

    @property
    def is_waiting(self) -> bool:
        """True if they never proved their e-mail, so that nothing is open to them yet."""
        return self.user.verified_at is None


def listed(
    db: DbSession, *, words: str = "", role: Role | None = None, limit: int, offset: int = 0
) -> list[Person]:
    """People by name: everybody with a role, or with `words` everybody whose name or mail has them.

    `role`: only who has it somewhere.
    """
    found = select(User).where(User.erased_at.is_(None)).order_by(User.name, User.id)
    for word in words.split():
        found = found.where(
            or_(
                User.name.icontains(word, autoescape=True),
                User.email.icontains(word, autoescape=True),
            )
        )
    if role is not None:
        found = found.where(User.grants.any(UserRole.role == role))
    elif not words.strip():
        found = found.where(User.grants.any())
    return _persons(db, db.scalars(found.limit(limit).offset(offset)).all())


def person(db: DbSession, user_id: int) -> Person:
    """One person; NotFound if there is none, or none any more."""
    user = db.get(User, user_id)
    if user is None or user.erased_at is not None:
        raise NotFound("There is no such person, or their account was erased.")
    return _persons(db, [user])[0]


def _persons(db: DbSession, users: Sequence[User]) -> list[Person]:
    by_id = {society.id: society for society in db.scalars(select(Society))}
    waiting = [user.id for user in users if user.verified_at is None]
    until = links.open_until(db, waiting, Purpose.INVITATION) if waiting else {}
    order = list(Role)
    return [
        Person(
            user,
            tuple(
                sorted(
                    (Held(one.role, by_id.get(one.society_id or 0)) for one in user.grants),
                    key=lambda held: (
                        order.index(held.role),
                        held.society.name if held.society else "",
                    ),
                )
            ),
            until.get(user.id),
        )
        for user in users
    ]
