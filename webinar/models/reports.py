"""What leaves for accreditors: summaries, reports, lists for registries, and their own door."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webinar.db import Base, states
from webinar.domain.attendance import ViewingMode
from webinar.domain.registries import RegistryKind


class AttendanceSummary(Base):
    """What one person's evidence of one session comes to: kept so that reports need not count."""

    __tablename__ = "attendance_summary"

    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True, index=True)
    mode: Mapped[ViewingMode] = mapped_column(states(ViewingMode), primary_key=True)
    seconds: Mapped[int]
    window_seconds: Mapped[int]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class PostEventReport(Base):
    """What people add to the figures of a grant's report, and the report as it was signed."""

    __tablename__ = "post_event_report"

    grant_id: Mapped[int] = mapped_column(ForeignKey("accreditation_grant.id"), primary_key=True)
    due_on: Mapped[date | None] = mapped_column(Date)
    changes: Mapped[str] = mapped_column(Text, default="")  # the programme as delivered
    improvements: Mapped[str] = mapped_column(Text, default="")
    sponsors: Mapped[str] = mapped_column(Text, default="")  # "" means none
    chair_name: Mapped[str] = mapped_column(String(200), default="")
    chair_role: Mapped[str] = mapped_column(String(200), default="")
    figures: Mapped[dict[str, Any] | None]  # frozen when signed
    signed_at: Mapped[datetime | None]
    signed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    sent_at: Mapped[datetime | None]


class RegistryExport(Base):
    """A list as it was made. Once sent, the next one is the difference to it."""

    __tablename__ = "registry_export"

    id: Mapped[int] = mapped_column(primary_key=True)
    grant_id: Mapped[int] = mapped_column(ForeignKey("accreditation_grant.id"), index=True)
    kind: Mapped[RegistryKind] = mapped_column(states(RegistryKind))
    operation: Mapped[str] = mapped_column(String(20))  # replace, append, delete
    rows: Mapped[list[Any]]
    digest: Mapped[str] = mapped_column(String(64))  # SHA-256 of the file as it was handed out
    made_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    made_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]  # a person says that the registry has it


class AuditorDoor(Base):
    """A read-only way in for an accreditor, for some sessions and some days; only its hash kept."""

    __tablename__ = "auditor_door"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    label: Mapped[str] = mapped_column(String(200))  # who it is for
    society_id: Mapped[int] = mapped_column(ForeignKey("society.id"))
    session_ids: Mapped[list[Any]]
    made_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    sample: Mapped[list[Any] | None]  # [session id, person id] drawn, whose names are shown
    sample_drawn_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
