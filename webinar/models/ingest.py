"""Programs beside the browser that send a broadcast, rehearsals, and videos on their way."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webinar.db import Base, states
from webinar.domain.streaming import Source
from webinar.domain.upload import UploadPurpose, UploadState
from webinar.models.leased import Leased
from webinar.models.season import WebinarSession


class StreamKey(Leased):
    """A way in for a program such as OBS, for one session. Its secret is shown once."""

    __tablename__ = "stream_key"

    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"), index=True)
    source: Mapped[Source] = mapped_column(states(Source))
    name: Mapped[str] = mapped_column(String(32), unique=True)  # public: the stream's name
    secret_hash: Mapped[str] = mapped_column(String(64))
    # What the passphrase of an SRT listener is derived from, with the installation's secret.
    nonce: Mapped[str] = mapped_column(String(64), default="")
    port: Mapped[int | None]  # of the SRT listener
    made_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    made_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    connected_at: Mapped[datetime | None]  # null: nobody sends
    last_seen_at: Mapped[datetime | None]
    client_id: Mapped[str | None] = mapped_column(String(80))  # of the RTMP server's connection
    kilobits: Mapped[int | None]  # a second, of late
    problem: Mapped[str | None] = mapped_column(Text)

    session: Mapped[WebinarSession] = relationship()


class Rehearsal(Base):
    """The faculty try the whole way among themselves; nothing of it is kept."""

    __tablename__ = "rehearsal"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(24), unique=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"), index=True)
    opened_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    started_at: Mapped[datetime]
    last_chunk_at: Mapped[datetime]
    stopped_at: Mapped[datetime | None]
    swept_at: Mapped[datetime | None]  # its bytes are gone since then
    lease_owner: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[datetime | None]


class Upload(Leased):
    """A video file that comes in pieces (tus 1.0) and becomes a recording."""

    __tablename__ = "upload"
    __table_args__ = (Index("ix_upload_state_updated_at", "state", "updated_at"),)

    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    purpose: Mapped[UploadPurpose] = mapped_column(states(UploadPurpose))
    state: Mapped[UploadState] = mapped_column(states(UploadState), default=UploadState.UPLOADING)
    file_name: Mapped[str] = mapped_column(String(255))
    length: Mapped[int] = mapped_column(BigInteger)
    found: Mapped[str] = mapped_column(Text, default="")  # what the file holds, in words
    problem: Mapped[str | None] = mapped_column(Text)
    progress: Mapped[float] = mapped_column(default=0.0)  # 0 to 1, of the packaging
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    working_since: Mapped[datetime | None]

    session: Mapped[WebinarSession] = relationship()
