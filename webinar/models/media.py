"""What was broadcast, what can be watched, and until when."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webinar.db import Base, states
from webinar.domain.recording import RecordingState, RecordingWindow
from webinar.domain.rendition import Rendition
from webinar.domain.streaming import Source
from webinar.models.leased import Leased
from webinar.models.season import WebinarSession


class Broadcast(Leased):
    """What the speaker sends while a session is live; one per session. Leased to a media worker."""

    __tablename__ = "broadcast"

    public_id: Mapped[str] = mapped_column(String(24), unique=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"), unique=True)
    started_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
    packaged_at: Mapped[datetime | None]  # when every acknowledged chunk was packaged
    problem: Mapped[str | None] = mapped_column(Text)
    # The card "technical break" lies over the picture since then; null: it does not.
    break_since: Mapped[datetime | None]
    # Who was asked to go on sending; null once somebody does.
    handed_to_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    handed_at: Mapped[datetime | None]

    session: Mapped[WebinarSession] = relationship()
    takes: Mapped[list["BroadcastTake"]] = relationship(order_by="BroadcastTake.number")


class BroadcastTake(Base):
    """One run of the speaker's recorder: one raw file. A new source or a reload is a new take.

    Its chunks have no rows: the index beside the raw file is their one durable list, written
    before a chunk is acknowledged (webinar.media.takes).
    """

    __tablename__ = "broadcast_take"
    __table_args__ = (
        UniqueConstraint("broadcast_id", "number"),
        UniqueConstraint("broadcast_id", "client_key"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    broadcast_id: Mapped[int] = mapped_column(ForeignKey("broadcast.id"))
    number: Mapped[int]
    opened_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    source: Mapped[Source] = mapped_column(states(Source), default=Source.BROWSER)
    # The studio's own name for the take, so that asking again after a lost answer opens no second.
    client_key: Mapped[str | None] = mapped_column(String(40))
    started_at: Mapped[datetime]  # server time of its first chunk: the base of programme time
    last_chunk_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]  # nothing more will come
    packaged_seconds: Mapped[float] = mapped_column(default=0.0)  # of this take's own time
    packaged_at: Mapped[datetime | None]


class Recording(Base):
    """What was broadcast (or imported), packaged for watching; also what is live right now."""

    __tablename__ = "recording"
    __table_args__ = (Index("ix_recording_state_closes_at", "state", "closes_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(24), unique=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"), unique=True)
    state: Mapped[RecordingState] = mapped_column(
        states(RecordingState), default=RecordingState.RECORDING
    )
    duration_seconds: Mapped[float] = mapped_column(default=0.0)
    opens_at: Mapped[datetime | None]
    closes_at: Mapped[datetime | None]  # never null once published
    has_poster: Mapped[bool] = mapped_column(default=False)
    # Which of its segments are served: a better file is packaged beside them, then this changes.
    generation: Mapped[int] = mapped_column(default=0)
    replaced_at: Mapped[datetime | None]  # when the last better file took its place
    # What stays of it after trims and cuts: [[from, to], ...] in seconds of the whole; null: all.
    kept: Mapped[list[Any] | None]
    created_at: Mapped[datetime]
    ready_at: Mapped[datetime | None]
    published_at: Mapped[datetime | None]
    destroyed_at: Mapped[datetime | None]  # its keys no longer exist since then
    media_deleted_at: Mapped[datetime | None]

    session: Mapped[WebinarSession] = relationship()

    @property
    def window(self) -> RecordingWindow | None:
        """The recording window, once published."""
        if self.opens_at is None or self.closes_at is None:
            return None
        return RecordingWindow(self.opens_at, self.closes_at)


class MediaSegment(Base):
    """A few seconds of encrypted media. The playlists are written from these rows."""

    __tablename__ = "media_segment"

    recording_id: Mapped[int] = mapped_column(ForeignKey("recording.id"), primary_key=True)
    rendition: Mapped[Rendition] = mapped_column(
        states(Rendition), primary_key=True, default=Rendition.MAIN
    )
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    take: Mapped[int]
    key_number: Mapped[int]
    iv: Mapped[str] = mapped_column(String(32))  # hex
    duration_seconds: Mapped[float]
    take_offset_seconds: Mapped[float]
    programme_time: Mapped[datetime]  # when it was filmed, by the server's clock
    discontinuity: Mapped[bool] = mapped_column(default=False)
    size: Mapped[int]
    name: Mapped[str] = mapped_column(String(120))  # in the storage
    generation: Mapped[int] = mapped_column(default=0)
    sha256: Mapped[str | None] = mapped_column(String(64))  # of the stored bytes, hex


class WindowExtension(Base):
    """A later end of the window for one person, with reason and author."""

    __tablename__ = "window_extension"

    id: Mapped[int] = mapped_column(primary_key=True)
    recording_id: Mapped[int] = mapped_column(ForeignKey("recording.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    closes_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(Text)
    granted_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    granted_at: Mapped[datetime]
