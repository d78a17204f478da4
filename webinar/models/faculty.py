"""The faculty of sessions: their part, what they sent in, and their personal links."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webinar.db import Base, states
from webinar.domain.session import FacultyPart
from webinar.models.season import WebinarSession


class FacultyMember(Base):
    """A person's part in a session, with what the audience is told of their interests."""

    __tablename__ = "faculty_member"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    part: Mapped[FacultyPart] = mapped_column(states(FacultyPart))
    name: Mapped[str] = mapped_column(String(200))
    affiliation: Mapped[str] = mapped_column(String(200), default="")
    biography: Mapped[str] = mapped_column(Text, default="")
    # What the audience is told; the form it comes from, as it was sent in, and when.
    disclosure: Mapped[str] = mapped_column(Text, default="")
    disclosure_form: Mapped[dict[str, Any] | None]
    disclosed_at: Mapped[datetime | None]
    mitigation: Mapped[str] = mapped_column(Text, default="")  # what was done about a conflict
    consented_at: Mapped[datetime | None]  # to being recorded
    consent_withdrawn_at: Mapped[datetime | None]
    invited_at: Mapped[datetime | None]
    position: Mapped[int] = mapped_column(default=0)
    # For faculty credit: how long they presented, as the officer confirmed; None: not said.
    presented_minutes: Mapped[int | None]
    is_repeat: Mapped[bool] = mapped_column(default=False)  # the same talk earned credit before

    session: Mapped[WebinarSession] = relationship(back_populates="faculty")
    files: Mapped[list["FacultyFile"]] = relationship(
        cascade="all, delete-orphan", order_by="FacultyFile.id"
    )
    links: Mapped[list["FacultyLink"]] = relationship(
        cascade="all, delete-orphan", order_by="FacultyLink.id"
    )


class FacultyFile(Base):
    """A photo or slides, as sent in; a newer one of its kind takes its place."""

    __tablename__ = "faculty_file"

    id: Mapped[int] = mapped_column(primary_key=True)
    faculty_id: Mapped[int] = mapped_column(ForeignKey("faculty_member.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))  # "photo", "slides"
    filename: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]  # bytes
    sha256: Mapped[str] = mapped_column(String(64))
    storage_key: Mapped[str] = mapped_column(String(120), unique=True)
    uploaded_at: Mapped[datetime]


class FacultyLink(Base):
    """A personal address of a member of the faculty; only its hash is kept."""

    __tablename__ = "faculty_link"

    id: Mapped[int] = mapped_column(primary_key=True)
    faculty_id: Mapped[int] = mapped_column(ForeignKey("faculty_member.id"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
