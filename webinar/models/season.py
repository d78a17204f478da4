"""What is offered: societies, topics, series, sessions and their faculty."""

from datetime import date, datetime, time

from sqlalchemy import (
    Column,
    Date,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
    Time,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webinar.db import Base, states
from webinar.domain.session import FacultyPart, SessionStatus
from webinar.domain.span import Span

session_topic = Table(
    "session_topic",
    Base.metadata,
    Column("session_id", ForeignKey("session.id"), primary_key=True),
    Column("topic_id", ForeignKey("topic.id"), primary_key=True),
)


class Society(Base):
    """A body that offers sessions, or lends its auspices."""

    __tablename__ = "society"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    short_name: Mapped[str] = mapped_column(String(40))
    about: Mapped[str] = mapped_column(Text, default="")
    country: Mapped[str] = mapped_column(String(2), default="CH")


class Topic(Base):
    """What a session is about."""

    __tablename__ = "topic"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(120))


class Series(Base):
    """A recurring programme: kept as a rule, planned into sessions."""

    __tablename__ = "series"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    society_id: Mapped[int] = mapped_column(ForeignKey("society.id"))
    name: Mapped[str] = mapped_column(String(200))
    about: Mapped[str] = mapped_column(Text, default="")
    rule: Mapped[str] = mapped_column(String(300))  # RRULE text, RFC 5545 3.3.10
    local_start: Mapped[time] = mapped_column(Time)  # wall time in `zone`
    duration_minutes: Mapped[int]
    zone: Mapped[str] = mapped_column(String(60))  # IANA
    recording_months: Mapped[int] = mapped_column(default=6)
    first_day: Mapped[date] = mapped_column(Date)
    created_at: Mapped[datetime]

    society: Mapped[Society] = relationship()
    exceptions: Mapped[list["SeriesException"]] = relationship(cascade="all, delete-orphan")


class SeriesException(Base):
    """A day on which the series does not meet, and why."""

    __tablename__ = "series_exception"

    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    reason: Mapped[str] = mapped_column(String(200))


class WebinarSession(Base):
    """One dated event, of a series or on its own. Once planned it lives its own life."""

    __tablename__ = "session"
    __table_args__ = (
        # A rule planned twice must not make the same evening twice.
        UniqueConstraint("series_id", "planned_day"),
        Index("ix_session_status_starts_at", "status", "starts_at"),
        Index("ix_session_status_ends_at", "status", "ends_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(12), unique=True)
    series_id: Mapped[int | None] = mapped_column(ForeignKey("series.id"), index=True)
    planned_day: Mapped[date | None] = mapped_column(Date)  # the rule's day, kept when moved
    society_id: Mapped[int] = mapped_column(ForeignKey("society.id"), index=True)
    title: Mapped[str] = mapped_column(String(300), default="")
    abstract: Mapped[str] = mapped_column(Text, default="")
    objectives: Mapped[str] = mapped_column(Text, default="")  # one a line
    language: Mapped[str] = mapped_column(String(8), default="en")
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    zone: Mapped[str] = mapped_column(String(60))
    recording_months: Mapped[int] = mapped_column(default=6)
    status: Mapped[SessionStatus] = mapped_column(
        states(SessionStatus), default=SessionStatus.DRAFT
    )
    actual_started_at: Mapped[datetime | None]
    actual_ended_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    cancellation_reason: Mapped[str] = mapped_column(Text, default="")  # as people are told
    moved_from: Mapped[datetime | None]  # where it was announced before, for the notes
    is_demo: Mapped[bool] = mapped_column(default=False)

    # Calendar programs know the session by these (RFC 5545 3.8.4.7, 3.8.7.4).
    ical_uid: Mapped[str] = mapped_column(String(120), unique=True)
    ical_sequence: Mapped[int] = mapped_column(default=0)
    ical_changed_at: Mapped[datetime]
    ical_digest: Mapped[str] = mapped_column(String(64), default="")
    # The VEVENT as bytes of text, rendered once a change: for public and for personal feeds.
    ical_public: Mapped[str] = mapped_column(Text, default="")
    ical_personal: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]

    series: Mapped[Series | None] = relationship()
    society: Mapped[Society] = relationship()
    topics: Mapped[list[Topic]] = relationship(secondary=session_topic, order_by=Topic.name)
    faculty: Mapped[list["FacultyMember"]] = relationship(
        cascade="all, delete-orphan", order_by="FacultyMember.position", back_populates="session"
    )
    auspices: Mapped[list["Auspices"]] = relationship(cascade="all, delete-orphan")

    @property
    def span(self) -> Span[datetime]:
        """The scheduled live window."""
        return Span(self.starts_at, self.ends_at)


class FacultyMember(Base):
    """A person's part in a session, with what the audience is told of their interests."""

    __tablename__ = "faculty_member"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    part: Mapped[FacultyPart] = mapped_column(states(FacultyPart))
    name: Mapped[str] = mapped_column(String(200))
    affiliation: Mapped[str] = mapped_column(String(200), default="")
    disclosure: Mapped[str] = mapped_column(Text, default="")
    position: Mapped[int] = mapped_column(default=0)

    session: Mapped[WebinarSession] = relationship(back_populates="faculty")


class Auspices(Base):
    """A society lends its name to another's session, by a decision with a date."""

    __tablename__ = "auspices"

    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"), primary_key=True)
    society_id: Mapped[int] = mapped_column(ForeignKey("society.id"), primary_key=True)
    decided_on: Mapped[date] = mapped_column(Date)
    reference: Mapped[str] = mapped_column(String(120), default="")
    society: Mapped[Society] = relationship()


class FeedState(Base):
    """What a public feed last was: its validators must notice removals too."""

    __tablename__ = "feed_state"

    key: Mapped[str] = mapped_column(String(120), primary_key=True)  # e.g. "series/grandrounds"
    etag: Mapped[str] = mapped_column(String(64))
    changed_at: Mapped[datetime]
