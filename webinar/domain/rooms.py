"""Rooms of others where a session may take place: words all of them share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from webinar.domain.errors import DomainError

OPENS_MINUTES = 30  # before the announced start
GRACE_MINUTES = 30  # after the announced end, before a room that nobody ended is ended
LONGEST_ADDRESS = 2000
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)


class RoomProvider(StrEnum):
    """Who runs the room."""

    ADDRESS = "address"
    BIGBLUEBUTTON = "bigbluebutton"
    ZOOM = "zoom"


PROVIDER_NAMES: dict[RoomProvider, str] = {
    RoomProvider.ADDRESS: "Another address",
    RoomProvider.BIGBLUEBUTTON: "BigBlueButton",
    RoomProvider.ZOOM: "Zoom",
}


class RoomState(StrEnum):
    """Where a room stands."""

    PLANNED = "planned"
    OPEN = "open"
    ENDED = "ended"
    LEFT = "left"  # another room took its place


class RoomRole(StrEnum):
    """As whom a person enters."""

    VIEWER = "viewer"
    PRESENTER = "presenter"
    MODERATOR = "moderator"


class RoomWork(StrEnum):
    """What the clock does about a room, and does again when it did not work."""

    MAKE = "make"
    REGISTER = "register"
    FOLLOW = "follow"
    END = "end"
    ATTENDANCE = "attendance"
    RECORDING = "recording"


class VisitSource(StrEnum):
    """Where we know a visit from."""

    WEBHOOK = "webhook"
    POLL = "poll"  # asked every minute who is there
    REPORT = "report"


class RoomTrouble(DomainError):
    """The provider cannot be reached, or said no."""

    status = 502


class RoomMissing(RoomTrouble):
    """The provider does not know the room or recording (any more)."""


class RoomUnwilling(RoomTrouble):
    """The provider understood and said no: what was asked makes no sense there now."""


class HookRefused(DomainError):
    """What calls itself a provider could not prove it."""

    status = 401


class HookUnreadable(DomainError):
    """Signed, but not what the provider's documentation says."""

    status = 400


class AddressRefused(DomainError):
    """Nobody can be sent to that address."""


@dataclass(frozen=True, kw_only=True)
class RoomPlan:
    """What a provider is told of a session, and where it reports to."""

    public_id: str
    title: str
    starts_at: datetime
    ends_at: datetime
    zone: str
    records: bool
    back_url: str
    """Where people go who leave the room."""
    hook_url: str
    address: str = ""


@dataclass(frozen=True, kw_only=True)
class MadeRoom:
    """What the provider said when it made the room."""

    remote_id: str
    facts: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    """What must not be read in a backup."""


@dataclass(frozen=True, kw_only=True)
class KnownRoom:
    """A room as its provider needs it to find it again."""

    public_id: str
    remote_id: str
    address: str
    facts: Mapping[str, str]
    secrets: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Who wants to enter: never an account, never a mail address."""

    reference: str
    """Random; by this name the provider tells us later who was there."""
    shown_name: str
    role: RoomRole


@dataclass(frozen=True)
class Entry:
    """The person's way in."""

    address: str
    remote_id: str
    """By what the provider knows the person."""
    is_kept: bool
    """True if the address is the person's for as long as the room lasts."""


@dataclass(frozen=True)
class KeptEntry:
    """A person's own address, and in which role it lets them in."""

    address: str
    role: RoomRole

    def to_text(self) -> str:
        """What is sealed."""
        return f"{self.role}\n{self.address}"

    @classmethod
    def from_text(cls, text: str) -> "KeptEntry":
        """What was sealed."""
        role, _, address = text.partition("\n")
        return cls(address, RoomRole(role))


class RoomEventKind(StrEnum):
    """What a provider reports by itself."""

    JOINED = "joined"
    LEFT = "left"
    STARTED = "started"
    ENDED = "ended"
    RECORDED = "recorded"


@dataclass(frozen=True, kw_only=True)
class RoomEvent:
    """One thing that happened in a room, by the provider's own clock."""

    kind: RoomEventKind
    remote_room: str
    at: datetime
    person: str = ""
    """By what the provider knows the person; "" if it does not say."""
    connection: str = ""
    """One coming and going of the person."""


@dataclass(frozen=True, kw_only=True)
class HookCall:
    """A request from outside, as it came: nothing in it is believed yet."""

    address: str
    """The address we gave the provider, without what it adds."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """With names in small letters."""
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A request that proved where it comes from."""

    digest: str
    """The same for the same report, however often it is sent."""
    kind: str
    events: tuple[RoomEvent, ...] = ()
    answer: Mapping[str, str] | None = None
    """What the provider wants to hear; None: nothing."""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """Somebody was there, says the provider afterwards."""

    person: str
    joined_at: datetime
    left_at: datetime
    remote_event: str


@dataclass(frozen=True)
class Standing:
    """The room as it is at this moment."""

    is_there: bool
    people: tuple[str, ...] = ()
    """Who is inside, by what the provider knows them."""
    was_used: bool = False


@dataclass(frozen=True, kw_only=True)
class RemoteRecording:
    """A recording at the provider's."""

    remote_id: str
    address: str
    """Of the video file; "" if there is none."""
    seconds: float
    is_ready: bool


def hook_address(public_url: str, provider: RoomProvider, public_id: str) -> str:
    """Where a provider reports to: BigBlueButton for each room, Zoom for the whole account."""
    if provider is RoomProvider.ZOOM:
        return f"{public_url}/hooks/zoom"
    return f"{public_url}/hooks/bigbluebutton/{public_id}"


def wait_after(tries: int) -> timedelta:
    """How long to wait after so many tries that did not work: twice as long each time."""
    doublings = min(max(tries - 1, 0), 10)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def pseudonym(number: int) -> str:
    """The neutral name others may see."""
    return f"Participant {number}"


def checked_address(text: str) -> str:
    """The address people may be sent to; raises AddressRefused."""
    address = text.strip()
    if not address:
        raise AddressRefused("Give the address of the room; it begins with https://.")
    if len(address) > LONGEST_ADDRESS:
        raise AddressRefused(f"The address has more than {LONGEST_ADDRESS} characters.")
    if any(character.isspace() or not character.isprintable() for character in address):
        raise AddressRefused("The address has a space or a line break in it; copy it again.")
    try:
        parts = urlsplit(address)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        raise AddressRefused("This is no address; copy it from the invitation.") from None
    if parts.scheme != "https" or not parts.hostname or not has_port or "\\" in address:
        raise AddressRefused("The address of a room begins with https:// and names a host.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("The address has a name or password in it; take them out.")
    return address
