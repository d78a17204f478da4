"""Mails as rows before they are messages."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webinar.db import Base
from webinar.models.people import User


class Delivery(Base):
    """One mail to one person about one thing, once; decided again when it is due."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("kind", "user_id", "subject_id", "revision"),
        Index("ix_delivery_due_at_id", "due_at", "id"),
        # What a session's people were told: the organisers' log of mails.
        Index("ix_delivery_kind_subject_id", "kind", "subject_id"),
        Index("ix_delivery_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))  # a folder of templates/mail
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    subject_id: Mapped[int]  # of the thing it is about: a session, a certificate, a link
    revision: Mapped[int] = mapped_column(default=0)
    # What cannot be looked up later: the one-time token of a link. Emptied once sent.
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime | None] = mapped_column()  # None: nothing more to do
    # Handed out to a worker; the clock hands it out again if it is not sent by then.
    offered_until: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    dropped_because: Mapped[str | None] = mapped_column(String(200))
    last_error: Mapped[str | None] = mapped_column(Text)
    # It came back after all, and what the other server said.
    returned_at: Mapped[datetime | None]
    returned_because: Mapped[str | None] = mapped_column(Text)

    user: Mapped[User] = relationship()
