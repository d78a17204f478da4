"""The end of a recording for good: what is counted before, and what is certified after."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from webinar.domain.certificate import PREFIX as CERTIFICATE_PREFIX
from webinar.domain.certificate import new_number

PREFIX = "DEL"
# A request for more time that nobody answers keeps a closed recording from its end so long.
REQUESTS_HOLD = timedelta(days=7)
BACKUP_DAYS = 35
"""How long backups of the key store are kept: as long as a destroyed key can come back."""
WHAT_REMAINS = (
    "Keys that a viewer's program fetched while the recording was open may lie on the viewer's own "
    "machine. With such a key, and with segments kept from that time, the minutes of that key can "
    "still be read; no other minute can.",
    f"Backups of the key store are kept for at most {BACKUP_DAYS} days. Until then a key could be "
    "brought back from one; every hour the program looks for that and destroys what it finds.",
    "What remains on purpose: that the session took place, who attended, credit, certificates, and "
    "the audit trail. None of it holds picture or sound.",
)


@dataclass(frozen=True)
class Held:
    """What was there of a recording before it was destroyed, as its stores counted it."""

    keys: int
    takes: int


@dataclass(frozen=True, kw_only=True)
class DestructionFacts:
    """What is frozen when a recording is destroyed; instants in UTC."""

    session: str
    public_id: str
    society: str
    series: str
    zone: str
    starts_at: datetime
    ended_at: datetime
    recording: str
    """The public id of the recording."""
    opened_at: datetime | None
    """None if it was never published."""
    closed_at: datetime | None
    last_end: datetime | None
    """When the last extension ended, or the window."""
    extensions: int
    decided_by: str
    """"" for the clock."""
    reason: str

    def to_data(self) -> dict[str, object]:
        """As it is stored."""
        return {
            "session": self.session,
            "public_id": self.public_id,
            "society": self.society,
            "series": self.series,
            "zone": self.zone,
            "starts_at": self.starts_at.isoformat(),
            "ended_at": self.ended_at.isoformat(),
            "recording": self.recording,
            "opened_at": _text(self.opened_at),
            "closed_at": _text(self.closed_at),
            "last_end": _text(self.last_end),
            "extensions": self.extensions,
            "decided_by": self.decided_by,
            "reason": self.reason,
        }

    @classmethod
    def from_data(cls, data: dict[str, object]) -> "DestructionFacts":
        """What `to_data` gave."""
        return cls(
            session=str(data["session"]),
            public_id=str(data["public_id"]),
            society=str(data["society"]),
            series=str(data["series"]),
            zone=str(data["zone"]),
            starts_at=datetime.fromisoformat(str(data["starts_at"])),
            ended_at=datetime.fromisoformat(str(data["ended_at"])),
            recording=str(data["recording"]),
            opened_at=_instant(data["opened_at"]),
            closed_at=_instant(data["closed_at"]),
            last_end=_instant(data["last_end"]),
            extensions=int(str(data["extensions"])),
            decided_by=str(data["decided_by"]),
            reason=str(data["reason"]),
        )


@dataclass(frozen=True, kw_only=True)
class DestructionRecord:
    """All that the certificate of a destruction says."""

    number: str
    facts: DestructionFacts
    keys: int
    segments: int
    bytes: int
    takes: int
    keys_destroyed_at: datetime
    media_deleted_at: datetime | None
    media_due_at: datetime
    """When the segments are deleted, if that is to come."""
    checked_at: datetime | None
    provider: str


def new_destruction_number(random_bytes: bytes) -> str:
    """`DEL-7K3M-9QXT-4B2H`, made like the number of a certificate."""
    return PREFIX + new_number(random_bytes).removeprefix(CERTIFICATE_PREFIX)


def _text(instant: datetime | None) -> str:
    return "" if instant is None else instant.isoformat()


def _instant(stored: object) -> datetime | None:
    return datetime.fromisoformat(str(stored)) if stored else None
