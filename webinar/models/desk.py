"""What the recording desk adds to a recording, where its viewers were, and how it ended.

Seconds are counted on the whole recording, before trims and cuts.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webinar.db import Base


class RecordingCaption(Base):
    """Captions in one language; their words lie in the storage as WebVTT."""

    __tablename__ = "recording_caption"
    __table_args__ = (UniqueConstraint("recording_id", "language"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("recording.id"))
    language: Mapped[str] = mapped_column(String(16))  # BCP 47
    label: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(120))  # in the storage
    cues: Mapped[int]
    revision: Mapped[int] = mapped_column(default=1)
    made_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    made_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class RecordingChapter(Base):
    """A place in the recording with a name."""

    __tablename__ = "recording_chapter"
    __table_args__ = (UniqueConstraint("recording_id", "starts_seconds"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("recording.id"))
    starts_seconds: Mapped[float]
    title: Mapped[str] = mapped_column(String(200))


class RecordingSlide(Base):
    """One slide as a picture beside the video, from a second on until the next."""

    __tablename__ = "recording_slide"
    __table_args__ = (UniqueConstraint("recording_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("recording.id"))
    number: Mapped[int]  # from 1
    starts_seconds: Mapped[float | None]  # null: not shown, nobody said when
    name: Mapped[str] = mapped_column(String(120))  # in the storage
    words: Mapped[str] = mapped_column(Text, default="")  # the text on it, for those who read


class WatchPlace(Base):
    """Where a person was in a recording, so that another device goes on there."""

    __tablename__ = "watch_place"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("recording.id"), primary_key=True)
    seconds: Mapped[float]
    updated_at: Mapped[datetime]


class ExtensionRequest(Base):
    """Somebody asks for more time with a recording, and the organisers answer."""

    __tablename__ = "extension_request"

    id: Mapped[int] = mapped_column(primary_key=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("recording.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    reason: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    granted: Mapped[bool | None]
    answer: Mapped[str] = mapped_column(Text, default="")


class Destruction(Base):
    """The end of a recording, as it is certified to the data protection officer."""

    __tablename__ = "destruction"

    id: Mapped[int] = mapped_column(primary_key=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("recording.id"), unique=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    keys: Mapped[int]  # how many were destroyed
    segments: Mapped[int]
    bytes: Mapped[int] = mapped_column(BigInteger)
    takes: Mapped[int] = mapped_column(default=0)
    keys_destroyed_at: Mapped[datetime]
    media_deleted_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]  # a look found nothing of it, last at
    facts: Mapped[dict[str, Any]]  # frozen: what the certificate says
