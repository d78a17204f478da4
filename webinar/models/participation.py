"""A person's place in a session, and what they ask there."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webinar.db import Base
from webinar.models.people import User
from webinar.models.season import Series, WebinarSession


class Registration(Base):
    """A person's place in a session. Unregistering keeps the row: its mails keep counting."""

    __tablename__ = "registration"
    __table_args__ = (UniqueConstraint("session_id", "user_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    source: Mapped[str] = mapped_column(String(20), default="web")  # "web", "series", "import"
    created_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]

    session: Mapped[WebinarSession] = relationship()
    user: Mapped[User] = relationship()


class SeriesRegistration(Base):
    """A person wants every session of a series, also those not yet published."""

    __tablename__ = "series_registration"

    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True, index=True)
    created_at: Mapped[datetime]

    series: Mapped[Series] = relationship()


class Question(Base):
    """A question in writing; only moderators see it, and they see no name."""

    __tablename__ = "question"
    __table_args__ = (Index("ix_question_session_id_id", "session_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    # The page makes it once per question, so that a press that is sent again stays one question.
    client_key: Mapped[str] = mapped_column(String(64), unique=True)
    text: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime]
    # Since then the speaker reads it, too: the moderator passed it on.
    passed_on_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
