"""Rows that one worker at a time may work on."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from webinar.db import Base


class Leased(Base):
    """A lease with a fencing number that only rises: a worker thought dead can write no more."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    lease_owner: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[datetime | None]
    lease_fence: Mapped[int] = mapped_column(default=0)
