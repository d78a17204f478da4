"""How the service itself is doing: what the clock did, what failed, who is at work, backups."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webinar.db import Base


class TickRun(Base):
    """The last run of one of the clock's ticks, by whichever clock."""

    __tablename__ = "tick_run"

    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    owner: Mapped[str] = mapped_column(String(80))  # of the process that ran it
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]  # None: at work, or dead on the way
    succeeded_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)  # in a row
    last_error: Mapped[str | None] = mapped_column(Text)
    milliseconds: Mapped[int] = mapped_column(default=0)  # the last run took


class ParkedWork(Base):
    """One thing that was due and could not be done: tried again later, at last parked."""

    __tablename__ = "parked_work"
    __table_args__ = (UniqueConstraint("what", "item_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(String(80))  # "closing a recording"
    item_id: Mapped[int]
    tries: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(Text)
    first_failed_at: Mapped[datetime]
    last_failed_at: Mapped[datetime]
    next_try_at: Mapped[datetime]
    parked_at: Mapped[datetime | None] = mapped_column(index=True)  # shown then, tried daily


class WorkingProcess(Base):
    """A process of the service that says now and then that it lives."""

    __tablename__ = "working_process"

    owner: Mapped[str] = mapped_column(String(80), primary_key=True)  # host:pid:letters
    role: Mapped[str] = mapped_column(String(20))  # "web", "clock", "worker"
    host: Mapped[str] = mapped_column(String(80))
    release: Mapped[str] = mapped_column(String(40))
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime] = mapped_column(index=True)


class BackupRun(Base):
    """A backup that was taken or tried, so that its absence can be noticed."""

    __tablename__ = "backup_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))  # "data" or "keys"
    began_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    file: Mapped[str] = mapped_column(String(300), default="")
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    digest: Mapped[str] = mapped_column(String(64), default="")  # SHA-256 of the file
    error: Mapped[str | None] = mapped_column(Text)
    deleted_at: Mapped[datetime | None]  # when its time was over


class RetentionRun(Base):
    """What was forgotten of one kind of data, and when: kept as proof that it is done."""

    __tablename__ = "retention_run"
    __table_args__ = (Index("ix_retention_run_kind_ran_at", "kind", "ran_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    ran_at: Mapped[datetime]
    older_than: Mapped[datetime]
    deleted: Mapped[int]
    left_over: Mapped[int] = mapped_column(default=0)  # found by looking again afterwards
