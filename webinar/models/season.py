"""What is offered: societies, topics, series, sessions and their faculty."""

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

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
from webinar.domain.session import SessionStatus
from webinar.domain.span import Span

if TYPE_CHECKING:
    from webinar.models.faculty import FacultyMember

session_topic = Table(
    "session_topic",
    Base.metadata,
    Column("session_id", ForeignKey("session.id"), primary_key=True),
    Column("topic_id", ForeignKey("topic.id"), primary_key=True),
)
session_audience = Table(
    "session_audience",
    Base.metadata,
    Column("session_id", ForeignKey("session.id"), primary_key=True),
    Column("group_id", ForeignKey("audience_group.id"), primary_key=True),
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
    """What a session is about; topics form a small tree, whose first level are the specialties."""

    __tablename__ = "topic"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("topic.id"), index=True)
    # The topic its sessions went to: only the address is left of it, and leads there.
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("topic.id"))


class AudienceGroup(Base):
    """Members a session is made for: juniors, seniors, young oncologists. A label, not a door."""

    __tablename__ = "audience_group"

    id: Mapped[int] = mapped_column(primary_key=True)
    society_id: Mapped[int | None] = mapped_column(ForeignKey("society.id"), index=True)
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
    zone: Mapped[str] = mapped_column(String(60))  # IANA
    recording_months: Mapped[int] = mapped_column(default=6)
    # What the preview looks at: whose public holidays, and how late it is for whom.
    holiday_countries: Mapped[list[Any]] = mapped_column(default=list)  # ISO 3166-1 alpha-2
    reader_zones: Mapped[list[Any]] = mapped_column(default=list)  # IANA, three at most
    created_at: Mapped[datetime]

    society: Mapped[Society] = relationship()
    rules: Mapped[list["PlanningRule"]] = relationship(
        cascade="all, delete-orphan", order_by="(PlanningRule.first_day, PlanningRule.id)"
    )
    exceptions: Mapped[list["SeriesException"]] = relationship(
        cascade="all, delete-orphan", order_by="SeriesException.day"
    )


class PlanningRule(Base):
    """One of the rules a series meets by, and the days between which it holds.

    A rule that changes from a day on is ended the day before, and another one begins.
    """

    __tablename__ = "planning_rule"

    id: Mapped[int] = mapped_column(primary_key=True)
    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"), index=True)
    rule: Mapped[str] = mapped_column(String(300))  # RRULE text, RFC 5545 3.3.10
    local_start: Mapped[time] = mapped_column(Time)  # wall time in the zone of the series
    duration_minutes: Mapped[int]
    first_day: Mapped[date] = mapped_column(Date)  # "every 2 weeks" and COUNT count from here
    last_day: Mapped[date | None] = mapped_column(Date)  # itself included; None: without end


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
    level: Mapped[str] = mapped_column(String(20), default="")  # a SessionLevel, or not said
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
    # Rises with every edit: whoever saves on top of an older one is shown what changed meanwhile.
    revision: Mapped[int] = mapped_column(default=0)
    # Why it was published although something was missing; "" if nothing was.
    override_reason: Mapped[str] = mapped_column(Text, default="")
    # What the organiser tells the faculty, on their own pages, about trying the studio together.
    rehearsal_note: Mapped[str] = mapped_column(Text, default="")
    # The organiser looks at the recording before anybody may watch it.
    reviews_recording: Mapped[bool] = mapped_column(default=False)

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
    topics: Mapped[list[Topic]] = relationship(
        secondary=session_topic, order_by=(Topic.name, Topic.id)
    )
    audience: Mapped[list[AudienceGroup]] = relationship(
        secondary=session_audience, order_by=(AudienceGroup.name, AudienceGroup.id)
    )
    faculty: Mapped[list["FacultyMember"]] = relationship(
        cascade="all, delete-orphan",
        # Two of the same position keep their order wherever the rows lie.
        order_by="(FacultyMember.position, FacultyMember.id)",
        back_populates="session",
    )
    auspices: Mapped[list["Auspices"]] = relationship(
        cascade="all, delete-orphan", order_by="Auspices.society_id"
    )

    @property
    def span(self) -> Span[datetime]:
        """The scheduled live window."""
        return Span(self.starts_at, self.ends_at)


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
