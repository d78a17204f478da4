"""Join and leave reports of other programs, imported by hand; who they are about is reviewed."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webinar.db import Base, states
from webinar.domain.review import MatchedBy


class AttendanceImport(Base):
    """One file of one program about one session. Withdrawn, it stays and counts no more."""

    __tablename__ = "attendance_import"
    __table_args__ = (UniqueConstraint("session_id", "digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"))
    source: Mapped[str] = mapped_column(String(20))  # zoom, bigbluebutton, teams
    filename: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64))  # SHA-256 of the file
    rows: Mapped[int]
    problems: Mapped[list[Any]]  # sentences about rows that could not be used
    made_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    made_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class ImportedVisit(Base):
    """Somebody joined and left, as a report says; whose visit it is, and who said so."""

    __tablename__ = "imported_visit"

    id: Mapped[int] = mapped_column(primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("attendance_import.id"), index=True)
    row: Mapped[int]  # of the file, from 1
    meeting: Mapped[str] = mapped_column(String(120), default="")  # which run of the meeting
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(254), default="")
    remote_id: Mapped[str] = mapped_column(String(200), default="")
    joined_at: Mapped[datetime]
    left_at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    matched_by: Mapped[MatchedBy] = mapped_column(states(MatchedBy), default=MatchedBy.NOBODY)
    reviewed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    reviewed_at: Mapped[datetime | None]
