"""What organisers changed a moment ago and may still take back, and the words sessions hold."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webinar.db import Base


class SeasonChange(Base):
    """One act of an organiser on one session or many, with what each was before it."""

    __tablename__ = "season_change"
    __table_args__ = (Index("ix_season_change_actor_id_undo_until", "actor_id", "undo_until"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    made_at: Mapped[datetime]
    summary: Mapped[str] = mapped_column(String(300))
    # One for each session: its id, its revision after the change, and its facts before.
    items: Mapped[list[Any]]
    undo_until: Mapped[datetime]  # when the mails leave
    undone_at: Mapped[datetime | None]


class SessionText(Base):
    """All the words by which a session is found, folded: no accents, no capitals."""

    __tablename__ = "session_text"

    session_id: Mapped[int] = mapped_column(
        ForeignKey("session.id", ondelete="CASCADE"), primary_key=True
    )
    body: Mapped[str] = mapped_column(Text)
