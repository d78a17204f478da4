"""Rooms of others: which one a session has, who was let in under which name, who was there."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webinar.db import Base, states
from webinar.domain.rooms import RoomProvider, RoomState
from webinar.models.season import WebinarSession


class ExternalRoom(Base):
    """A room at a provider for one session. Swapped for another, it stays, as left."""

    __tablename__ = "external_room"
    __table_args__ = (Index("ix_external_room_session_id_state", "session_id", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(24), unique=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"))
    provider: Mapped[RoomProvider] = mapped_column(states(RoomProvider))
    state: Mapped[RoomState] = mapped_column(states(RoomState), default=RoomState.PLANNED)
    address: Mapped[str] = mapped_column(Text, default="")  # where people go, if it is the same
    remote_id: Mapped[str] = mapped_column(String(120), default="", index=True)
    # What the provider told at its making (creation time, internal ids); no secret.
    facts: Mapped[dict[str, Any]]
    # What must not be read in a backup (passwords of its roles), sealed by the edge.
    sealed: Mapped[str | None] = mapped_column(Text)
    problem: Mapped[str | None] = mapped_column(Text)
    made_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    made_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    attendance_at: Mapped[datetime | None]  # when its attendance was last fetched
    recording_at: Mapped[datetime | None]  # when its recording was fetched and deleted there

    session: Mapped[WebinarSession] = relationship()


class RoomGuest(Base):
    """A person's way into a room: a neutral name, never their own."""

    __tablename__ = "room_guest"
    __table_args__ = (
        UniqueConstraint("room_id", "user_id"),
        UniqueConstraint("room_id", "pseudonym"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("external_room.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    pseudonym: Mapped[str] = mapped_column(String(60))
    remote_id: Mapped[str] = mapped_column(String(120), default="")
    sealed: Mapped[str | None] = mapped_column(Text)  # the person's own address, if there is one
    made_at: Mapped[datetime]


class RoomVisit(Base):
    """Somebody was in the room, as its provider says: evidence with its source."""

    __tablename__ = "room_visit"
    __table_args__ = (UniqueConstraint("room_id", "source", "remote_event"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("external_room.id"))
    guest_id: Mapped[int | None] = mapped_column(ForeignKey("room_guest.id"), index=True)
    remote_person: Mapped[str] = mapped_column(String(200))
    joined_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    source: Mapped[str] = mapped_column(String(20))  # webhook or report
    remote_event: Mapped[str] = mapped_column(String(160))
    noted_at: Mapped[datetime]


class RoomNotice(Base):
    """A provider's webhook that was checked and taken: the same one again does nothing."""

    __tablename__ = "room_notice"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    provider: Mapped[RoomProvider] = mapped_column(states(RoomProvider))
    room_id: Mapped[int | None] = mapped_column(ForeignKey("external_room.id"))
    kind: Mapped[str] = mapped_column(String(80))
    body: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]
    handled_at: Mapped[datetime | None]
    problem: Mapped[str | None] = mapped_column(Text)
