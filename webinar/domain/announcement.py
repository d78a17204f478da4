"""What people rely on, and what they have to be told when it changes."""

from dataclasses import dataclass
from datetime import datetime

from webinar.domain.letter import MailKind


@dataclass(frozen=True)
class Standing:
    """Whether a session takes place, and when: as it is, or as a person was last told."""

    takes_place: bool
    starts_at: datetime
    ends_at: datetime

    def as_details(self) -> dict[str, str]:
        """As a delivery keeps it."""
        return {
            "takes_place": "yes" if self.takes_place else "no",
            "starts_at": self.starts_at.isoformat(),
            "ends_at": self.ends_at.isoformat(),
        }

    @classmethod
    def from_details(cls, details: dict[str, str]) -> "Standing | None":
        """What a delivery keeps, or None where it keeps nothing."""
        if "takes_place" not in details:
            return None
        return cls(
            takes_place=details["takes_place"] == "yes",
            starts_at=datetime.fromisoformat(details["starts_at"]),
            ends_at=datetime.fromisoformat(details["ends_at"]),
        )


def what_to_say(known: Standing, now_stands: Standing) -> MailKind | None:
    """The mail for somebody who knows that, now that it stands like this; None: nothing is new."""
    if not now_stands.takes_place:
        return MailKind.SESSION_CANCELLED if known.takes_place else None
    if not known.takes_place:
        return MailKind.SESSION_RESTORED
    return None if known == now_stands else MailKind.SESSION_MOVED
