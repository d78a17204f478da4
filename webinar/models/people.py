"""Who people are, and the one-time links that let them in."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webinar.db import Base, states
from webinar.domain.access import Action, Role, may


class User(Base):
    """A person. Satisfies Flask-Login without importing it: three attributes and get_id."""

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)  # case-folded
    name: Mapped[str] = mapped_column(String(200))  # as it goes on a certificate
    country: Mapped[str] = mapped_column(String(2))  # ISO 3166-1 alpha-2
    profession: Mapped[str] = mapped_column(String(60))
    zone: Mapped[str] = mapped_column(String(60), default="Europe/Zurich")  # IANA
    password_hash: Mapped[str | None] = mapped_column(String(200))  # argon2id, or links only
    verified_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    # Raised to end every open sign-in of the person: part of what the cookie carries.
    sign_in_generation: Mapped[int] = mapped_column(default=0)
    feed_token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)

    grants: Mapped[list["UserRole"]] = relationship(
        cascade="all, delete-orphan", back_populates="user", lazy="selectin"
    )

    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        return self.verified_at is not None and self.erased_at is None

    def get_id(self) -> str:
        return f"{self.id}.{self.sign_in_generation}"

    @property
    def roles(self) -> frozenset[Role]:
        """Every role the person has somewhere."""
        return frozenset({Role.PARTICIPANT} | {grant.role for grant in self.grants})

    def roles_for(self, society_id: int | None) -> frozenset[Role]:
        """What the person is trusted with by this society, and everywhere; None: everywhere."""
        there = {grant.role for grant in self.grants if grant.society_id in (None, society_id)}
        return frozenset({Role.PARTICIPANT} | there)

    def societies_where(self, action: Action) -> frozenset[int] | None:
        """The societies for which the person may do it; None means for all of them."""
        if may(self.roles_for(None), action):
            return None
        return frozenset(
            grant.society_id
            for grant in self.grants
            if grant.society_id is not None and may(frozenset({grant.role}), action)
        )

    @property
    def is_staff(self) -> bool:
        """True if there is anything for the person under /manage/."""
        return may(self.roles, Action.ACCREDIT_SESSIONS)


class UserRole(Base):
    """A role beyond taking part, given to a person: for one society, or for all."""

    __tablename__ = "user_role"
    __table_args__ = (UniqueConstraint("user_id", "role", "society_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    role: Mapped[Role] = mapped_column(states(Role))
    society_id: Mapped[int | None] = mapped_column(ForeignKey("society.id"))  # None: everywhere
    user: Mapped[User] = relationship(back_populates="grants")


class SignInLink(Base):
    """A one-time link sent by mail; only its hash is kept, a button press uses it up."""

    __tablename__ = "sign_in_link"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    purpose: Mapped[str] = mapped_column(String(20))  # "verify" or "sign-in"
    next_path: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    user: Mapped[User] = relationship()
